"""Image similarity: everything between a request body and a response body."""
