"""Decoding as the service needs it: in this process, or in separate processes that can be killed.

This module does not import NumPy: an adapter starts decoder processes before that, and never needs Pillow.
"""

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from image_similarity.inference.manifest import Preprocessing


class Decoder(Protocol):
    """Turns files into the encoder's input. Safe to call from many threads."""

    def decode(
        self, data: bytes, *, preprocessing: "Preprocessing", seconds: float | None = None
    ) -> "NDArray[np.uint8]":
        """Decode one file, see `inference.image.decode`.

        Args:
            data: the file.
            preprocessing: of the model.
            seconds: after which a decoder that can be stopped is, however much of its budget is left.

        Returns:
            uint8 [S, S, 3], RGB, upright, with S = preprocessing.size.

        Raises:
            InvalidImage: not an accepted format, broken, or too costly to decode.
            ImageTooLarge: the longest side is over the limit in pixels.
            Unavailable: decoding was interrupted from outside.
            Timeout: it was not over after so many seconds.
        """


class InProcess:
    """Decodes in the calling thread: for notebooks, the command line and systems without decoder processes.

    Time and memory are bounded only by what `inference.image` checks in the file itself.
    """

    def __init__(self) -> None:
        from image_similarity.inference import (
            image,
        )  # imported here, because an adapter's own process never needs Pillow

        self._image = image

    def decode(
        self, data: bytes, *, preprocessing: "Preprocessing", seconds: float | None = None
    ) -> "NDArray[np.uint8]":
        """See `Decoder.decode`; it can't be stopped."""
        return self._image.decode(data, preprocessing=preprocessing)
