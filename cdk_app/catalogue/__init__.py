"""The catalogue's infrastructure: it follows the buckets in ImageBuckets and searches their pictures."""
