"""Recorded figures as Markdown tables, plots and pages; nothing here measures."""
