"""The command line on folders: python -m bench.measure.catalogue.folders [--pictures N] [--vectors N].

How fast a folder is indexed compared with the encoder alone, what a second run costs, and how much memory
`pairs` needs for many vectors.
"""

import argparse
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from statistics import mean
from tempfile import TemporaryDirectory

import numpy as np
from PIL import ImageOps

from bench.measure import machine, scenes
from bench.measure.catalogue.results import Folders, Rates, Watching, save
from bench.measure.paths import CACHE, EMBEDDED, EXACT, ROOT
from image_similarity.inference.encoder import OnnxEncoder
from image_similarity.inference.image import decode
from image_similarity.inference.manifest import DIMENSIONS, Manifest

PICTURES, VECTORS = 1000, 40_000
PICTURES_OF_EXACT = 200
"""ViT-B/32 takes ten times as long."""
SIZE = (1024, 768)
BATCH, BATCHES = 16, 20
THRESHOLD = 0.91


def photographs(folder: Path, number: int) -> None:
    """So many JPEGs of SIZE, all different: parts of the benchmark's scenes."""
    sources, chance = list(scenes.pictures().values()), np.random.default_rng(0)
    for one in range(number):
        source = sources[one % len(sources)]
        part = chance.uniform(0.4, 1)
        width, height = int(source.width * part), int(source.height * part)
        left = int(chance.integers(0, source.width - width + 1))
        top = int(chance.integers(0, source.height - height + 1))
        picture = ImageOps.fit(source.crop((left, top, left + width, top + height)), SIZE)
        if one % 2:
            picture = ImageOps.mirror(picture)
        picture.save(folder / f"{one:05}.jpg", quality=88)


def encoder_rate(model: Path = EMBEDDED) -> float:
    """Pictures a second of a core that the encoder makes of decoded ones, in the quicker of two ways.

    One session with a thread for each core, and one of one thread that as many threads call.
    """
    cores = os.cpu_count() or 1
    together = _encoding(model, threads=cores, callers=1)
    return max(together, _encoding(model, threads=1, callers=cores)) / cores


def _encoding(model: Path, threads: int, callers: int) -> float:
    encoder = OnnxEncoder(model, threads=threads)
    side = encoder.manifest.preprocessing.size
    batch = np.random.default_rng(0).integers(0, 256, (BATCH, side, side, 3), dtype=np.uint8)
    with ThreadPoolExecutor(callers) as pool:
        list(pool.map(encoder.encode, [batch] * callers))
        start = time.perf_counter()
        list(pool.map(encoder.encode, [batch] * BATCHES))
    return BATCH * BATCHES / (time.perf_counter() - start)


def decoder_rate(folder: Path) -> float:
    """Pictures a second of a core that are decoded, all cores at work."""
    cores, preprocessing = os.cpu_count() or 1, Manifest.load(EMBEDDED).preprocessing
    files = [path.read_bytes() for path in folder.iterdir()]
    with ThreadPoolExecutor(cores) as pool:
        start = time.perf_counter()
        list(pool.map(partial(decode, preprocessing=preprocessing), files))
        return len(files) / (time.perf_counter() - start) / cores


def command(home: Path, *arguments: object, model: Path = EMBEDDED) -> float:
    """Seconds of one run of the command line."""
    start = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "image_similarity.cli", *map(str, arguments)],
        env={**os.environ, "XDG_DATA_HOME": str(home), "MODEL_DIR": str(model)},
        cwd=ROOT,
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return time.perf_counter() - start


def measure(pictures: int, vectors: int) -> Folders:
    """Everything."""
    watching = Watching()
    CACHE.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=CACHE) as made:
        folder, cores = Path(made, "photographs"), os.cpu_count() or 1
        folder.mkdir()
        photographs(folder, pictures)
        before, decoding = encoder_rate(), decoder_rate(folder)
        empty = command(Path(made, "none"), "--version")
        indexing = command(Path(made, "one"), "index", folder) - empty
        rate = mean((before, encoder_rate()))  # before and after: hosts change their pace
        exact = _of_exact(Path(made), folder, empty)
        first = command(Path(made, "two"), "pairs", folder)
        second = min(command(Path(made, "two"), "pairs", folder) for _ in range(3))
    seconds, peak = _pairs(vectors)
    return Folders(
        pictures=pictures,
        index_rate=round(pictures / indexing / cores, 1),
        encoder_rate=round(rate, 1),
        first_seconds=round(first, 2),
        second_seconds=round(second, 3),
        pairs_vectors=vectors,
        pairs_seconds=round(seconds, 1),
        pairs_peak_gb=round(peak, 3),
        circumstances=watching.circumstances(),
        decoder_rate=round(decoding, 1),
        exact=exact,
    )


def _of_exact(made: Path, folder: Path, empty: float) -> Rates | None:
    """Of the model that `make bench` has exported."""
    if not (EXACT / "manifest.json").exists():
        return None
    few = sorted(folder.iterdir())[:PICTURES_OF_EXACT]
    before, cores = encoder_rate(EXACT), os.cpu_count() or 1
    seconds = command(made / "exact", "index", *few, model=EXACT) - empty
    return Rates(round(len(few) / seconds / cores, 2), round(mean((before, encoder_rate(EXACT))), 2))


def _pairs(vectors: int) -> tuple[float, float]:
    """Seconds, and the peak in GB of 10^9 bytes above what a process has that compares two vectors."""
    runs = []
    for number in (2, vectors):
        done = subprocess.run(
            [sys.executable, "-m", "bench.measure.catalogue.folders", "--compare", str(number)],
            capture_output=True,
            text=True,
            check=True,
            cwd=ROOT,
        )
        runs.append([float(word) for word in done.stdout.split()])
    (_, least), (seconds, most) = runs
    return seconds, (most - least) / 1e9


def _compare(number: int) -> None:
    """Group vectors of which one in five has a near-duplicate; print the seconds, and the peak in bytes."""
    from image_similarity.alike import alike_groups

    chance = np.random.default_rng(0)
    rows = np.empty((number, DIMENSIONS), dtype=np.float32)
    for start in range(0, number, 1000):
        part = rows[start : start + 1000]
        part[:] = chance.normal(size=part.shape)
        part[1::5] = part[::5][: len(part[1::5])] + chance.normal(scale=0.3, size=part[1::5].shape)
    start_time = time.perf_counter()
    alike_groups(rows, THRESHOLD)
    peak = machine.peak_bytes()
    print(time.perf_counter() - start_time, peak)


def main() -> None:
    """Measure and record; with `--compare`, be the process that is measured."""
    parser = argparse.ArgumentParser(prog="python -m bench.measure.catalogue.folders", description=__doc__)
    parser.add_argument("--pictures", type=int, default=PICTURES)
    parser.add_argument("--vectors", type=int, default=VECTORS)
    parser.add_argument("--compare", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.compare:
        _compare(arguments.compare)
    else:
        save(measure(arguments.pictures, arguments.vectors))


if __name__ == "__main__":
    main()
