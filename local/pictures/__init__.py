"""A folder's pictures into a bucket of the local cloud, and the wait until the catalogue has them all."""
