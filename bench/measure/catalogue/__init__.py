"""What an index of pictures does: how it scales, what it finds, and what folders cost."""
