"""Proves a deployed stack to its owner: calls it, changes its parameters, puts them back, prints a table."""
