"""`python -m image_similarity.cli` is the command `image-similarity`."""

from image_similarity.cli.app import main

main()
