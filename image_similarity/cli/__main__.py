"""`python -m image_similarity.cli`, which the launcher `image-similarity` of the virtual environment runs."""

from image_similarity.cli.app import app

app(prog_name="image-similarity")
