"""A text tower in one session: token ids to a unit vector."""

from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from image_similarity.inference.errors import InvalidRequest
from image_similarity.inference.manifest import MODEL_FILE, Manifest
from image_similarity.inference.sessions import open_session
from image_similarity.inference.text.manifest import MERGES_FILE, TextManifest
from image_similarity.inference.text.tokenizer import END, START, Tokenizer

MAX_CHARACTERS = 2000
"""Far more than words that a tower takes have. What one word costs grows with the square of its length: 0.2 s
for so many letters without a space."""


class TextTower:
    """A text tower as the exporter writes it. Thread-safe.

    Args:
        folder: with model.onnx, model.onnx.data, merges.txt and manifest.json.
        images: the manifest of the encoder that makes the vectors of pictures.
        threads: cores that one text may use, at least 1.

    Raises:
        ManifestError: a file is missing, is not what the manifest describes, or can't be loaded.
    """

    def __init__(self, folder: Path, images: Manifest, *, threads: int) -> None:
        self._manifest = TextManifest.load(folder)
        self._manifest.verify(folder, images.weights_sha256)
        self._tokenizer = Tokenizer((folder / MERGES_FILE).read_text(encoding="utf-8").splitlines())
        self._session = open_session(folder / MODEL_FILE, threads)
        self._name = images.name

    def encode(self, text: str) -> NDArray[np.float32]:
        """The unit vector float32 [512] of a text.

        Raises:
            InvalidRequest: it has nothing to read, more tokens than the tower takes, or a mark of its own.
        """
        return self.encode_ids(self.ids(text))

    def encode_ids(self, ids: list[int]) -> NDArray[np.float32]:
        """The unit vector float32 [512] of token ids, marks included, at most `context_length`."""
        length = self._manifest.context_length if self._manifest.padded else len(ids)
        tokens = np.zeros((1, length), dtype=np.int64)
        tokens[0, : len(ids)] = ids
        return cast(NDArray[np.float32], self._session.run(None, {"tokens": tokens})[0][0])

    def ids(self, text: str) -> list[int]:
        """The token ids of a text, with the marks of start and end; see `encode` for what is raised."""
        most = self._manifest.context_length - 2
        if len(text) > MAX_CHARACTERS:
            raise InvalidRequest(
                f"found {len(text)} characters; at most {MAX_CHARACTERS} are read, and the model "
                f"{self._name} takes at most {most} tokens (about as many words); shorten it."
            )
        ids = self._tokenizer.ids(text)
        count = len(ids) - 2
        if not count:
            raise InvalidRequest("found no words, only white space or characters that are not printed.")
        if count > most:
            raise InvalidRequest(
                f"found {count} tokens (words and parts of words), and the model {self._name} takes at most "
                f"{most}; shorten it."
            )
        if {self._tokenizer.start, self._tokenizer.end} & set(ids[1:-1]):
            raise InvalidRequest(f"{START} and {END} are marks of the model's own; leave them out.")
        return ids
