"""What turns files into vectors, shared by all requests of a process."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext

import numpy as np
from numpy.typing import NDArray

from image_similarity.inference.decoders import Decoder, InProcess
from image_similarity.inference.encoder import Encoder
from image_similarity.inference.errors import naming

GATE_SECONDS = 15.0
"""The longest wait at the gate. With ten seconds of fetching it stays below API Gateway's 29: nobody would
read what is computed later."""
Held = AbstractContextManager[object, bool | None]
Gate = Callable[[float], Held]
"""Given the longest wait in seconds; what it returns is held while a request computes."""
Holding = Callable[[int], Held]
"""Given a number of bytes; what it returns is held while they wait to be decoded."""


def unbounded(_: float) -> Held:
    """The gate that lets everybody in."""
    return nullcontext()


class Engine:
    """Decodes and encodes. Safe to call from many threads.

    Attributes:
        cores: how many images are decoded side by side for one request.
        gate: bounds how many requests compute at once.
        holding: bounds how many bytes of fetched files wait.
        threads: decode for requests of several images.
    """

    def __init__(
        self,
        encoder: Encoder,
        decoder: Decoder | None = None,
        gate: Gate = unbounded,
        holding: Holding = nullcontext,
    ) -> None:
        self._encoder = encoder
        self._decoder = decoder or InProcess()
        self.gate, self.holding = gate, holding
        self.cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        # As many requests may be at the gate as there are cores, and each decodes on all of them.
        self.threads = ThreadPoolExecutor(max_workers=self.cores**2, thread_name_prefix="decode")

    @property
    def name(self) -> str:
        """Model and weights, as in the X-Model header."""
        return self._encoder.name

    def decode(self, data: bytes, field: str) -> NDArray[np.uint8]:
        """One file as the encoder's input, uint8 [S, S, 3]; errors name the field, see `Decoder.decode`."""
        with naming(field):
            return self._decoder.decode(data, preprocessing=self._encoder.manifest.preprocessing)

    def encode(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Pictures uint8 [n, S, S, 3] to unit vectors float32 [n, 512]."""
        return self._encoder.encode(batch)
