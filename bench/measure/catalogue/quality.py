"""What a search finds of altered copies: python -m bench.measure.catalogue.quality --photographs FOLDER.

The folder has a few hundred photographs of one kind of thing, say products. Altered copies of 200 of them are
searched for. The rest of the index are the other photographs, and pictures that are cut out of and assembled
from these and the benchmark's own.
"""

import argparse
import io
import random
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageEnhance, ImageFont, ImageOps

from bench.measure import scenes
from bench.measure.altered import ALTERATIONS, Alteration, jpeg
from bench.measure.catalogue.results import Altered, Quality, Watching, save
from bench.measure.paths import EMBEDDED
from image_similarity import Encoder
from image_similarity.catalogue.embedded import EmbeddedIndex
from image_similarity.catalogue.index import Entry, Record, batches
from image_similarity.inference.similarity import score

ORIGINALS, OTHERS, TOP = 200, 20_000, 10
ORIGINAL, OTHER = "original", "other"
BATCH = 500
GREY = (128, 128, 128)


def text_over(picture: Image.Image) -> Image.Image:
    """A line of text over the lower third, as on posts and offers."""
    copy = picture.copy()
    font = ImageFont.load_default(size=max(12, picture.height // 9))
    where = (picture.width // 2, int(picture.height * 0.75))
    ImageDraw.Draw(copy).text(
        where, "SALE only today", "white", font, anchor="mm", stroke_width=3, stroke_fill="black"
    )
    return copy


def resaved(picture: Image.Image) -> Image.Image:
    """Through a JPEG of quality 30."""
    return Image.open(io.BytesIO(jpeg(picture, 30))).convert("RGB")


KINDS: dict[str, Alteration] = {
    "half size": ALTERATIONS["half size"],
    "200 pixels": ALTERATIONS["200 pixels"],
    "JPEG quality 30": resaved,
    "JPEG quality 20": ALTERATIONS["JPEG quality 20"],
    "40 % brighter": ALTERATIONS["40 % brighter"],
    "40 % darker": ALTERATIONS["40 % darker"],
    "half the contrast": lambda p: ImageEnhance.Contrast(p).enhance(0.5),
    "grey": ALTERATIONS["grey"],
    "blurred": ALTERATIONS["blurred"],
    "mirrored": ALTERATIONS["mirrored"],
    "text over it": text_over,
    "white border of a tenth": lambda p: ImageOps.expand(p, max(p.size) // 10, "white"),
    "turned 5 degrees": lambda p: p.rotate(5, Image.Resampling.BICUBIC, fillcolor=GREY),
    "turned 10 degrees": ALTERATIONS["turned 10 degrees"],
    "upside down": lambda p: p.transpose(Image.Transpose.ROTATE_180),
    "middle 80 %": ALTERATIONS["middle 80 %"],
    "middle 60 %": ALTERATIONS["middle 60 %"],
    "left upper two thirds": lambda p: p.crop((0, 0, p.width * 2 // 3, p.height * 2 // 3)),
    "small, grey and JPEG 30": lambda p: resaved(
        ImageOps.contain(ImageOps.grayscale(p).convert("RGB"), (200, 200))
    ),
}


def load(folder: Path) -> list[Image.Image]:
    """A folder's JPEGs, in the order of their names."""
    pictures = []
    for path in sorted(folder.rglob("*.jpg")):
        with Image.open(path) as source:
            pictures.append(ImageOps.exif_transpose(source).convert("RGB"))
    return pictures


def others(sources: list[Image.Image], number: int) -> Iterator[Image.Image]:
    """Pictures that are cut out of some, and put together from two of them, all of them different."""
    chance = random.Random(1)
    for _ in range(number):
        first = _cut(chance.choice(sources), chance)
        if chance.random() < 0.5:
            second = _cut(chance.choice(sources), chance)
            first = _together(first, second, chance)
        yield first


def _cut(picture: Image.Image, chance: random.Random) -> Image.Image:
    part = chance.uniform(0.3, 0.7)
    width, height = int(picture.width * part), int(picture.height * part)
    left, top = chance.randint(0, picture.width - width), chance.randint(0, picture.height - height)
    cut = picture.crop((left, top, left + width, top + height))
    if chance.random() < 0.5:
        cut = ImageOps.mirror(cut)
    cut = ImageEnhance.Color(cut).enhance(chance.uniform(0.2, 1.8))
    return ImageEnhance.Brightness(cut).enhance(chance.uniform(0.6, 1.4))


def _together(first: Image.Image, second: Image.Image, chance: random.Random) -> Image.Image:
    """Side by side, or one blended into the other."""
    second = ImageOps.fit(second, first.size)
    if chance.random() < 0.5:
        return Image.blend(first, second, chance.uniform(0.3, 0.7))
    wide = Image.new("RGB", (first.width * 2, first.height))
    wide.paste(first, (0, 0))
    wide.paste(second, (first.width, 0))
    return wide


def measure(photographs: Path, number: int) -> Quality:
    """Index, search and count.

    Raises:
        ValueError: the folder has too few photographs.
    """
    watching, encoder = Watching(), Encoder(EMBEDDED)
    pictures = list(load(photographs))
    if len(pictures) < ORIGINALS + 20:
        raise ValueError(
            f"{photographs} has {len(pictures)} photographs, at least {ORIGINALS + 20} are needed"
        )
    random.Random(0).shuffle(pictures)
    originals, rest = pictures[:ORIGINALS], pictures[ORIGINALS:]
    cut = [*rest, *scenes.pictures().values()]
    with TemporaryDirectory() as folder, EmbeddedIndex(Path(folder, "index"), "quality") as index:
        _fill(index, encoder, ORIGINAL, originals)
        _fill(index, encoder, OTHER, chain(rest, others(cut, number - len(rest))))
        rows = [_row(index, encoder, kind, originals) for kind in KINDS]
        best = [_best_other(index, number) for number in range(len(originals))]
    percentiles = [round(float(value), 4) for value in np.percentile(best, [50, 95, 100])]
    return Quality(
        encoder.name, len(originals), number, len(rest), rows, percentiles, watching.circumstances()
    )


def _fill(index: EmbeddedIndex, encoder: Encoder, name: str, pictures: Iterable[Image.Image]) -> None:
    for part, several in enumerate(batches(pictures, BATCH)):
        vectors = encoder.embed(several)
        index.put(
            [
                Record(Entry(f"{name}-{part * BATCH + place}", "1", 1, ""), vector)
                for place, vector in enumerate(vectors)
            ]
        )
        print(f"{name}: {part * BATCH + len(several)}", flush=True)


def _row(index: EmbeddedIndex, encoder: Encoder, kind: str, originals: list[Image.Image]) -> Altered:
    places: list[int | None] = []
    scores: list[float] = []
    for number, vector in enumerate(encoder.embed(KINDS[kind](picture) for picture in originals)):
        key = f"{ORIGINAL}-{number}"
        keys = [match.entry.key for match in index.query(vector, TOP)]
        places.append(keys.index(key) if key in keys else None)
        scores.append(score(vector, vector_of(index, key)))
    first = sum(place == 0 for place in places) / len(places)
    ten = sum(place is not None for place in places) / len(places)
    print(f"{kind}: {first:.1%} {ten:.1%}", flush=True)
    return Altered(kind, first, ten, median(scores))


def _best_other(index: EmbeddedIndex, number: int) -> float:
    key = f"{ORIGINAL}-{number}"
    matches = index.query(vector_of(index, key), 2)
    return next(match.similarity for match in matches if match.entry.key != key)


def vector_of(index: EmbeddedIndex, key: str) -> NDArray[np.float32]:
    """The vector of a key that is there; LookupError where it is not."""
    vector = index.vector(key)
    if vector is None:
        raise LookupError(key)
    return vector


def main() -> None:
    """Measure and record."""
    parser = argparse.ArgumentParser(prog="python -m bench.measure.catalogue.quality", description=__doc__)
    parser.add_argument("--photographs", type=Path, required=True, help="of one kind of thing, 220 or more")
    parser.add_argument("--others", type=int, default=OTHERS)
    arguments = parser.parse_args()
    save(measure(arguments.photographs, arguments.others))


if __name__ == "__main__":
    main()
