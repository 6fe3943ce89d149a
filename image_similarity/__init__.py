"""Image similarity: what the images, the command line and notebooks share."""

__version__ = "1.0.0"
