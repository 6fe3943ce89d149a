"""The command line `image-similarity`: vectors, similarities and near-duplicates of pictures."""
