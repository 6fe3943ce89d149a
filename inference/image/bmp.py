"""BMP files: the one decoder of the three that Pillow wrote in Python."""

SIGNATURE = b"BM"
