"""Image similarity: what the images, the command line and notebooks share."""
