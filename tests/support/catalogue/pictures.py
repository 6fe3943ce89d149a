"""Pictures of sixteen pixels and an encoder for them: a picture's vector is known from its bytes."""

import hashlib
import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from image_similarity.inference.manifest import DIMENSIONS, Manifest, Preprocessing

SIDE = 4
MANIFEST = Manifest(
    model="tiny",
    pretrained="none",
    sha256="0" * 64,
    weights_sha256="0" * 64,
    weights_xxh3="0" * 32,
    dimensions=DIMENSIONS,
    preprocessing=Preprocessing(size=SIDE),
    opset=20,
    precision="fp16",
)
DIRECTIONLESS = 7
"""Of pictures of this colour the encoder makes a vector that no index takes."""


def picture(content: int) -> bytes:
    """A PNG of one colour: `content` from 0 to 255."""
    file = io.BytesIO()
    Image.new("RGB", (SIDE, SIDE), (content, 255 - content, content // 2)).save(file, "PNG")
    return file.getvalue()


def vector_of(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Unit length, another one for every picture."""
    if pixels[0, 0, 0] == DIRECTIONLESS:
        return np.zeros(DIMENSIONS, dtype=np.float32)
    seed = int.from_bytes(hashlib.sha256(pixels.tobytes()).digest()[:8])
    vector = np.random.default_rng(seed).standard_normal(DIMENSIONS, dtype=np.float32)
    return vector / np.float32(np.linalg.norm(vector))


class TinyEncoder:
    """See `Encoder`."""

    manifest = MANIFEST
    name = MANIFEST.name

    def encode(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        return np.stack([vector_of(pixels) for pixels in batch])
