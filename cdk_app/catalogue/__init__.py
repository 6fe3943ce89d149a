"""The catalogue's infrastructure: what follows the buckets of ImageBuckets, and searches their pictures."""
