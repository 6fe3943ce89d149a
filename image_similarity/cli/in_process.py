"""The encoder in this process: the bundled model, or the one that MODEL_DIR names."""

import os
from collections.abc import Sequence

import numpy as np

from image_similarity.cli import pictures
from image_similarity.cli.pictures import UnreadablePicture
from image_similarity.cli.targets import Answer, Outcome, Refused, Unreachable, naming
from image_similarity.folders.decoding import LargeToo
from image_similarity.inference import similarity, sources
from image_similarity.inference.encoder import Encoder
from image_similarity.inference.errors import ApiError, StartError
from image_similarity.inference.loading import load, model_dir
from image_similarity.inference.request import Source
from image_similarity.inference.sources import SourcePolicy


class InProcess:
    """Makes vectors without a server, of pictures that are larger than the API takes too."""

    group = 1
    url = ""

    def __init__(self, encoder: Encoder | None = None) -> None:
        """Load the model, unless one is given.

        Raises:
            Unreachable: there is none, or a damaged one.
        """
        self._encoder = encoder or _encoder()
        self._policy = SourcePolicy.from_environment(os.environ)
        self._decoder = LargeToo()

    def embed(self, picture: str) -> Answer:
        """See `Target.embed`."""
        try:
            preprocessing = self._encoder.manifest.preprocessing
            square = self._decoder.decode(self._read(picture), preprocessing=preprocessing)
        except ApiError as error:
            raise Refused(f"{error.code}: {error.message}") from error
        return Answer(self._encoder.encode(square[np.newaxis])[0], self._encoder.name)

    def embed_many(self, pictures: Sequence[str]) -> list[Outcome]:
        """See `Target.embed_many`."""
        outcomes: list[Outcome] = []
        for picture in pictures:
            try:
                outcomes.append(self.embed(picture))
            except (Refused, UnreadablePicture) as error:
                outcomes.append(error)
        return outcomes

    def compare(self, first: str, second: str) -> tuple[float, str]:
        """See `Target.compare`."""
        vectors = []
        for picture in (first, second):
            with naming(picture):
                vectors.append(self.embed(picture).vector)
        return similarity.score(*vectors), self._encoder.name

    def _read(self, picture: str) -> bytes:
        if pictures.is_url(picture):
            return sources.read_all([Source.by_url("url", picture)], self._policy)[0]
        return pictures.read(picture)


def _encoder() -> Encoder:
    try:
        return load(model_dir(os.environ), threads=os.cpu_count() or 1)
    except StartError as error:
        raise Unreachable(str(error)) from error
