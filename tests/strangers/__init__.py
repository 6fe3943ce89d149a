"""Any folder of pictures through our reader and through others: what is refused, shown otherwise, slow or dear."""
