"""Decodes pictures whose owner is the caller: of any size that can be made small."""

import threading
from typing import TYPE_CHECKING

from image_similarity.inference.errors import ApiError, ImageTooLarge, InvalidImage

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from image_similarity.inference.manifest import Preprocessing


class LargeToo:
    """See `Decoder`. The limit on the longest side is the API's; one larger picture is decoded at a time."""

    def __init__(self) -> None:
        self._large = threading.Lock()

    def decode(
        self, data: bytes, *, preprocessing: "Preprocessing", seconds: float | None = None
    ) -> "NDArray[np.uint8]":
        """See `Decoder.decode`; it can't be stopped."""
        from image_similarity.inference.image import decode  # a run with nothing new needs no Pillow

        try:
            return decode(data, preprocessing=preprocessing)
        except ImageTooLarge:
            with self._large:
                return decode(data, preprocessing=preprocessing, max_side=None)


class Named(LargeToo):
    """Its messages stand after the name of a file: they begin with the error's code."""

    def decode(
        self, data: bytes, *, preprocessing: "Preprocessing", seconds: float | None = None
    ) -> "NDArray[np.uint8]":
        """See `Decoder.decode`; it can't be stopped."""
        try:
            return super().decode(data, preprocessing=preprocessing, seconds=seconds)
        except ApiError as error:
            raise InvalidImage(f"{error.code}: {error.message}") from error
