"""Looks for files that cost most of the processor for their size: python -m tests.fuzz.slow --time SECONDS.

Coverage says nothing of time, so this search has its own: files grow by what the dearest ones have in them,
again and again, and by stating the largest size. Each file is read in a process of its own. The dearest of
each reader is kept in .cache/fuzz/slow.
"""

import argparse
import os
import random
import resource
import struct
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from image_similarity.inference.errors import ApiError
from image_similarity.inference.image import decode
from image_similarity.inference.manifest import Preprocessing
from tests.fuzz.run import CORPUS, GROWN
from tests.fuzz.test_targets import mutated
from tests.support.table import Row, markdown

MAX_BYTES = 20 * 2**20
MEGABYTE = 2**20
SIDE = 4096
POOL = 24
TIME_OUT_SECONDS = 20
PREPROCESSING = Preprocessing(size=224, draft_factor=4)


@dataclass(frozen=True)
class Cost:
    """A file and what it costs: seconds of the processor, and memory that it takes at most."""

    data: bytes
    seconds: float
    megabytes: int

    @property
    def per_megabyte(self) -> float:
        """Seconds for each megabyte; smaller files count as one, or their stated size alone would count."""
        return self.seconds / max(1.0, len(self.data) / MEGABYTE)


def cost(data: bytes) -> Cost:
    """Read the file in a process of its own."""
    child = os.fork()
    if not child:
        resource.setrlimit(resource.RLIMIT_CPU, (TIME_OUT_SECONDS, TIME_OUT_SECONDS))
        try:
            decode(data, preprocessing=PREPROCESSING)
        except ApiError:
            os._exit(0)
        except BaseException:
            os._exit(1)
        os._exit(0)
    _, status, used = os.wait4(child, 0)
    assert os.waitstatus_to_exitcode(status) in {0, -9}, "a file that ends in no answer"
    return Cost(data, used.ru_utime + used.ru_stime, used.ru_maxrss // 1024)


def large_jpeg(data: bytes) -> bytes:
    """The frame states the largest size."""
    at = max(data.find(bytes([0xFF, marker])) for marker in (0xC0, 0xC1, 0xC2))
    return data if at < 0 else data[: at + 5] + struct.pack(">HH", SIDE, SIDE) + data[at + 9 :]


def sound_png(data: bytes, side: int = 0) -> bytes:
    """Lengths and checksums put right; the header states `side`, unless 0."""
    parts, position = [data[:8]], 8
    while position + 12 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, position)
        content = data[position + 8 : position + 8 + length]
        if kind == b"IHDR" and side:
            content = struct.pack(">II", side, side) + content[8:]
        parts.append(struct.pack(">I", len(content)) + kind + content)
        parts.append(struct.pack(">I", zlib.crc32(kind + content)))
        position += 12 + length
    return b"".join(parts)


def large_png(data: bytes) -> bytes:
    """The header states the largest size."""
    return sound_png(data, SIDE)


def large_bmp(data: bytes) -> bytes:
    """The header states the largest size."""
    return data[:18] + struct.pack("<ii", SIDE, SIDE) + data[26:]


def sound_webp(data: bytes) -> bytes:
    """The file's length put right."""
    return data[:4] + struct.pack("<I", max(0, len(data) - 8)) + data[8:]


def large_webp(data: bytes) -> bytes:
    """The canvas and the coded picture state the largest size."""
    side = (SIDE - 1).to_bytes(3, "little")
    if (at := data.find(b"VP8X")) >= 0:
        data = data[: at + 12] + side + side + data[at + 18 :]
    if (at := data.find(b"\x9d\x01\x2a")) >= 0:
        data = data[: at + 3] + struct.pack("<HH", SIDE, SIDE) + data[at + 7 :]
    if (at := data.find(b"VP8L")) >= 0:
        bits = int.from_bytes(data[at + 9 : at + 13], "little") & ~0xFFFFFFF | SIDE - 1 | SIDE - 1 << 14
        data = data[: at + 9] + struct.pack("<I", bits) + data[at + 13 :]
    return sound_webp(data)


def unchanged(data: bytes) -> bytes:
    """As it is."""
    return data


# For each reader: what puts a changed file right, and what makes it state the largest size.
READERS: dict[str, tuple[Callable[[bytes], bytes], Callable[[bytes], bytes]]] = {
    "jpeg": (unchanged, large_jpeg),
    "png": (sound_png, large_png),
    "bmp": (unchanged, large_bmp),
    "webp": (sound_webp, large_webp),
}


def changed(data: bytes, chance: random.Random, large: Callable[[bytes], bytes]) -> bytes:
    """A piece of the file many times, another size, or a few bytes changed."""
    kind = chance.randrange(6)
    if kind == 0:
        return large(data)
    if kind < 3:
        return mutated(data, chance)
    start = chance.randrange(len(data))
    piece = data[start : start + chance.choice([1, 2, 4, 10, 20, 60, 200, len(data)])]
    # Mostly small files: they are read, copied and thrown away faster.
    most = chance.choice([2**14, 2**16, 2**16, MEGABYTE, MEGABYTE, MAX_BYTES])
    times = min(max(0, most - len(data)) // len(piece), 2 ** chance.randint(1, 22))
    return data[:start] + piece * times + data[start:]


def search(reader: str, seconds: float, chance: random.Random) -> tuple[int, Cost, Cost]:
    """Executions, the file that costs most, and the one that costs most for its size."""
    repair, large = READERS[reader]
    seeds = [file.read_bytes() for file in sorted((CORPUS / reader).iterdir())]
    pool = [cost(variant) for seed in seeds for variant in (seed, large(seed))]
    tried, end = 0, time.monotonic() + seconds
    dearest, densest = max(pool, key=lambda one: one.seconds), max(pool, key=lambda one: one.per_megabyte)
    while time.monotonic() < end:
        parent = chance.choice([*pool, dearest, densest])
        data = repair(changed(parent.data, chance, large))
        if not data or len(data) > MAX_BYTES:
            continue
        found, tried = cost(data), tried + 1
        pool = sorted([*pool, found], key=lambda one: one.per_megabyte, reverse=True)[:POOL]
        dearest = max(dearest, found, key=lambda one: one.seconds)
        densest = max(densest, found, key=lambda one: one.per_megabyte)
    return tried, dearest, densest


def row(reader: str, tried: int, dearest: Cost, densest: Cost) -> Row:
    """Its row of the table."""
    return {
        "reader": reader,
        "executions": tried,
        "most seconds": f"{dearest.seconds:.2f} ({len(dearest.data) / MEGABYTE:.2f} MB)",
        "most for each MB": f"{densest.per_megabyte:.2f} ({len(densest.data) / MEGABYTE:.2f} MB)",
        "memory of the process": f"{max(dearest.megabytes, densest.megabytes)} MB",
    }


def main() -> None:
    """Search each reader for the same time."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.slow", description=__doc__)
    parser.add_argument("--time", type=int, default=60, help="seconds for each reader")
    parser.add_argument("--reader", choices=READERS, help="this one alone")
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    folder, rows = Path(GROWN) / "slow", []
    folder.mkdir(parents=True, exist_ok=True)
    decode((CORPUS / "png" / "000").read_bytes(), preprocessing=PREPROCESSING)  # all is imported
    for reader in [chosen.reader] if chosen.reader else READERS:
        tried, dearest, densest = search(reader, chosen.time, random.Random(chosen.seed))
        (folder / f"{reader}-dearest").write_bytes(dearest.data)
        (folder / f"{reader}-densest").write_bytes(densest.data)
        rows.append(row(reader, tried, dearest, densest))
        print(rows[-1], flush=True)
    print(f"\n{markdown(rows)}")


if __name__ == "__main__":
    main()
