"""Any folder of pictures through our reader and others: what is refused, differs, is slow or dear."""
