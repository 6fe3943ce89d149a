"""What turns files into vectors, shared by all requests of a process."""

import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext

import numpy as np
from numpy.typing import NDArray

from image_similarity.inference.decoders import Decoder, InProcess
from image_similarity.inference.encoder import Encoder
from image_similarity.inference.errors import Unavailable, naming
from image_similarity.inference.turns import NoTurnError, Turns

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
        batches: turns at the gate's line, for batches: see `batch_turn`.
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
        self.batches = Turns(self.cores)
        # As many requests may be at the gate as there are cores, and each decodes on all of them.
        self.threads = ThreadPoolExecutor(max_workers=self.cores**2, thread_name_prefix="decode")

    @contextmanager
    def batch_turn(self, seconds: float) -> Iterator[None]:
        """The gate, for a chunk of a batch; only as many batches as there are cores stand in its line.

        A turn of a batch takes as long as four other requests or more: they would wait for every batch that
        came before them, and some of them in vain.

        Raises:
            Unavailable: no turn came in so many seconds.
        """
        end = time.monotonic() + seconds
        with ExitStack() as held:
            try:
                held.enter_context(self.batches.turn(seconds))
            except NoTurnError as error:
                raise Unavailable("Too many batches wait here already. Try again in a moment.") from error
            held.enter_context(self.gate(max(0.0, end - time.monotonic())))
            yield

    @property
    def is_shared(self) -> bool:
        """Whether several requests may compute side by side or in turns; on Lambda, none ever does."""
        return self.gate is not unbounded

    @property
    def name(self) -> str:
        """Model and weights, as in the X-Model header."""
        return self._encoder.name

    def decode(self, data: bytes, field: str, seconds: float | None = None) -> NDArray[np.uint8]:
        """One file as the encoder's input, uint8 [S, S, 3]; errors name the field, see `Decoder.decode`."""
        preprocessing = self._encoder.manifest.preprocessing
        with naming(field):
            return self._decoder.decode(data, preprocessing=preprocessing, seconds=seconds)

    def encode(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Pictures uint8 [n, S, S, 3] to unit vectors float32 [n, 512]."""
        return self._encoder.encode(batch)
