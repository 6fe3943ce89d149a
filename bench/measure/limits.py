"""What this machine can do at all, by NumPy's BLAS: the encoder's time is compared with it."""

import time
from collections.abc import Callable
from statistics import median

import numpy as np
from numpy.typing import NDArray

from bench.measure.results import Rates

GFLOP = 8.24
"""Of ViT-B/32 at 224 pixels, last block for the class token alone; multiplying and adding count 2."""
WEIGHTS_MB = 352
"""Of its weights as float32: each picture reads all of them once."""
SIDE = 2048
TOKENS, WIDTH, HIDDEN, LAYERS = 50, 768, 3072, 12


def measure(rounds: int) -> Rates:
    """GFLOP/s of a large square product and of the encoder's own, and GB/s of one core's reading."""
    return Rates(_square(rounds), _own(rounds), _read(rounds))


def encode_ms(gflop_per_second: float) -> float:
    """Milliseconds of one embedding at that rate."""
    return 1000 * GFLOP / gflop_per_second


def _square(rounds: int) -> float:
    a = _random(SIDE, SIDE)
    out = np.empty_like(a)
    return 2 * SIDE**3 / 1e9 / _seconds(lambda: np.matmul(a, a, out), rounds)


def _own(rounds: int) -> float:
    """The two products that have two thirds of the work, each layer with weights of its own."""
    up = [_random(WIDTH, HIDDEN) for _ in range(LAYERS)]
    down = [_random(HIDDEN, WIDTH) for _ in range(LAYERS)]
    x, hidden = _random(TOKENS, WIDTH), np.empty((TOKENS, HIDDEN), np.float32)
    out = np.empty_like(x)

    def forward() -> None:
        for a, b in zip(up, down, strict=True):
            np.matmul(x, a, hidden)
            np.matmul(hidden, b, out)

    return LAYERS * 2 * 2 * TOKENS * WIDTH * HIDDEN / 1e9 / _seconds(forward, rounds)


def _read(rounds: int) -> float:
    weights = np.ones(WEIGHTS_MB * 10**6 // 4, np.float32)
    return WEIGHTS_MB / 1000 / _seconds(weights.max, rounds)


def _random(rows: int, columns: int) -> NDArray[np.float32]:
    return np.random.default_rng(rows).random((rows, columns), np.float32)


def _seconds(step: Callable[[], object], rounds: int) -> float:
    times = []
    for _ in range(rounds + 1):
        start = time.perf_counter()
        step()
        times.append(time.perf_counter() - start)
    return median(times[1:])
