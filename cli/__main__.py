"""`python -m cli`, which the launcher `image-similarity` of the virtual environment runs."""

from cli.app import app

app(prog_name="image-similarity")
