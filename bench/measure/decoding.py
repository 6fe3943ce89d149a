"""Other readers of JPEG beside Pillow's: how long they take, and whether they give the same pixels.

`make bench-decoding` runs it where the packages of bench/baseline/decoders.txt are.
Readers take turns on the same files, under the allocator's settings of a decoder of ours. Processor time is
counted, which other programs on the machine hardly change.
"""

import argparse
import importlib
import io
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from statistics import median

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bench.measure import machine
from bench.measure.inputs import cases
from bench.measure.paths import RESULTS
from bench.measure.results import LARGE, MAIN
from image_similarity.inference import allocator

Pixels = NDArray[np.uint8]
Read = Callable[[bytes], Pixels | Image.Image]
"""NumPy reads what it returns. The copy that this makes of Pillow's is not timed: the product makes none."""
PILLOW = "Pillow"
SCALED, WHOLE = f"{LARGE}, at half size", MAIN
"""What the product reads of these files: libjpeg scales the larger one while it decodes."""


@dataclass(frozen=True)
class Row:
    """One reader on one file.

    Attributes:
        reader: its name and version.
        picture: which file, and in which size it is wanted.
        cpu_ms: median milliseconds of processor time.
        of_pillow: its time as a share of Pillow's, the median of the pairs of each round.
        differing: the share of values that are not Pillow's.
        largest: the largest difference of a value, of 255.
    """

    reader: str
    picture: str
    cpu_ms: float
    of_pillow: float
    differing: float
    largest: int


def whole() -> dict[str, Read]:
    """Every reader that is installed, for a file in its own size."""
    return {
        f"{PILLOW} {version('pillow')}": pillow,
        **_of("simplejpeg", lambda m: m.decode_jpeg),
        **_of("imagecodecs", lambda m: m.jpeg8_decode),
        **_of("kornia-rs", lambda m: m.decode_image_jpeg, "kornia_rs.io", " (zune-jpeg)"),
        **_of(
            "kornia-rs",
            lambda m: lambda file: m.decode_image_jpegturbo(file, "rgb"),
            "kornia_rs.io",
            " (libjpeg-turbo)",
        ),
        **_of("ajpegli", lambda m: lambda file: np.asarray(m.decode(file))),
    }


def half() -> dict[str, Read]:
    """Those that can scale by 1/2 while they decode."""
    return {
        f"{PILLOW} {version('pillow')}": lambda file: pillow(file, draft=(2048, 1536)),
        **_of(
            "simplejpeg",
            lambda m: lambda file: m.decode_jpeg(file, min_height=1536, min_width=2048, min_factor=2),
        ),
    }


def pillow(file: bytes, draft: tuple[int, int] | None = None) -> Image.Image:
    """As the product reads: Pillow's libjpeg, scaled while it decodes where `draft` is given."""
    picture = Image.open(io.BytesIO(file))
    if draft:
        picture.draft(None, draft)
    picture.load()
    return picture


def measure(readers: Mapping[str, Read], file: bytes, picture: str, rounds: int) -> list[Row]:
    """All of them in turns; the first of the readers is what the others are compared with."""
    times: dict[str, list[float]] = {name: [] for name in readers}
    pixels: dict[str, Pixels] = {}
    for _ in range(rounds + 1):
        for name, read in readers.items():
            start = time.process_time()
            picture_read = read(file)
            times[name].append(1000 * (time.process_time() - start))
            pixels[name] = np.asarray(picture_read)
    ours = next(iter(readers))
    rows = []
    for name in readers:
        shares = [a / b for a, b in zip(times[name][1:], times[ours][1:], strict=True)]
        rows.append(
            Row(
                name,
                picture,
                median(times[name][1:]),
                median(shares),
                *difference(pixels[ours], pixels[name]),
            )
        )
    return rows


def difference(ours: Pixels, theirs: Pixels) -> tuple[float, int]:
    """The share of values [h, w, 3] that differ, and by how much at most.

    Raises:
        ValueError: the pictures have different sizes.
    """
    if ours.shape != theirs.shape:
        raise ValueError(f"{theirs.shape} pixels were read where Pillow reads {ours.shape}")
    distance = np.abs(ours.astype(np.int16) - theirs)
    return float((distance > 0).mean()), int(distance.max())


def markdown(rows: Sequence[Row]) -> str:
    """A table of all rows."""
    lines = [
        "| reader | picture | processor time, ms | of Pillow's | values that differ | by at most |",
        "| --- | --- | ---: | ---: | ---: | ---: |",
    ]
    lines += [
        f"| {r.reader} | {r.picture} | {r.cpu_ms:.1f} | {r.of_pillow:.2f} | {r.differing:.2%} | {r.largest} |"
        for r in rows
    ]
    return "\n".join(lines)


def _of(
    package: str, reader: Callable[..., Read], module: str | None = None, variant: str = ""
) -> dict[str, Read]:
    """That reader by its name; nothing where the package is not installed."""
    try:
        return {f"{package} {version(package)}{variant}": reader(importlib.import_module(module or package))}
    except ImportError:
        return {}


def main() -> None:
    """Print the table, and keep it in bench/results."""
    parser = argparse.ArgumentParser(prog="python -m bench.measure.decoding", description=__doc__)
    parser.add_argument("--rounds", type=int, default=31)
    options = parser.parse_args()
    files = {case.name: case.file for case in cases()}
    allocator.keep_for_pictures()
    watch = machine.Watch()
    watch.pause()
    rows = measure(whole(), files[MAIN], WHOLE, options.rounds)
    rows += measure(half(), files[LARGE], SCALED, options.rounds)
    watch.pause()
    against = machine.objections(watch.state())
    quoted = "".join(f"\n\n**Not to be quoted**: {reason}." for reason in against)
    text = f"# Readers of JPEG\n\n{machine.description()}.{quoted}\n\n{markdown(rows)}\n"
    name = f"decoding{'-busy' if against else ''}"
    (RESULTS / f"{name}.json").write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n")
    (RESULTS / f"{name}.md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
