"""A small world for the catalogue: a bucket, a queue, an index and a ledger that fail when they are told
to."""
