"""One stage as API Gateway serves it: routes, signatures, mappings, refusals, compression."""
