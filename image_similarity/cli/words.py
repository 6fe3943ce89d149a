"""Words that are looked for, as a vector of the model in this process."""

import os

from image_similarity.catalogue.index import Vector
from image_similarity.cli.targets import Unreachable
from image_similarity.inference.errors import InvalidRequest
from image_similarity.inference.loading import model_dir
from image_similarity.inference.manifest import Manifest
from image_similarity.inference.text.words import Words


def vector_of_words(images: Manifest, text: str) -> Vector:
    """The vector float32 [512] of a text, by the text tower beside the encoder of the pictures.

    Raises:
        Unreachable: the model has no text tower, or can't read this text.
        StartError: the tower's files can't be used.
    """
    words = Words(model_dir(os.environ), images, threads=os.cpu_count() or 1)
    try:
        return words.encode(text)
    except InvalidRequest as error:
        raise Unreachable(f"--text: {error.message}") from error
