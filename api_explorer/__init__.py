"""The API Explorer: the OpenAPI document, the page made from it, and the function that serves them."""
