"""What the similarity of words and pictures means for one model, as Markdown.

python -m bench.report.words --model DIR --captions FILE.tsv: each line of the file is a picture's path, from
the file's folder on, a tab, and what the picture shows. The tables go to standard output.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.report.tables import table
from image_similarity import Encoder

LEAST = 10
STEP = 0.01
Scores = NDArray[np.float64]


@dataclass(frozen=True)
class Words:
    """Similarities (1 + cosine) / 2 of texts and pictures.

    own: of each text and its picture [texts]. others: of each text and every other picture [pairs].
    ranks: how many pictures are more similar to a text than its own [texts].
    """

    model: str
    pictures: int
    own: Scores
    others: Scores
    ranks: NDArray[np.int64]


def measure(encoder: Encoder, captions: Sequence[tuple[Path, str]]) -> Words:
    """Compare each text with each picture; a picture may have several texts."""
    pictures = list(dict.fromkeys(path for path, _ in captions))
    images = encoder.embed(pictures).astype(np.float64)
    texts = np.stack([encoder.embed_text(text) for _, text in captions]).astype(np.float64)
    scores = (1 + texts @ images.T) / 2
    places = np.array([pictures.index(path) for path, _ in captions])
    own = scores[np.arange(len(captions)), places]
    is_other = np.ones(scores.shape, dtype=bool)
    is_other[np.arange(len(captions)), places] = False
    ranks = (scores > own[:, np.newaxis]).sum(axis=1)
    return Words(encoder.name, len(pictures), own, scores[is_other], ranks)


def markdown(words: Words) -> str:
    """Scores by kind, how often a text finds its picture, and what each threshold lets through."""
    kinds = {"a text and its picture": words.own, "a text and another picture": words.others}
    rows = []
    for kind, values in kinds.items():
        percentiles = np.percentile(values, [5, 50, 95])
        rows.append([kind, str(len(values)), *(f"{value:.3f}" for value in percentiles)])
    first, ten = (float(np.mean(words.ranks < most)) for most in (1, 10))
    return "\n\n".join(
        [
            f"`{words.model}`, {len(words.own)} texts, {words.pictures} pictures.",
            table(["pair", "number", "5 % are below", "median", "5 % are above"], rows),
            f"Of the texts, {first:.1%} have their picture first, {ten:.1%} among the first ten.",
            _thresholds(words),
        ]
    )


def _thresholds(words: Words) -> str:
    """From where nearly all other pictures pass to where nearly no own one does."""
    lowest, highest = np.percentile(words.others, 50), np.percentile(words.own, 95)
    steps = np.arange(np.floor(lowest / STEP), np.ceil(highest / STEP) + 1) * STEP
    rows = [
        [f"{step:.2f}", f"{np.mean(words.own >= step):.1%}", f"{np.mean(words.others >= step):.1%}"]
        for step in steps
    ]
    return table(["threshold", "own pictures found", "other pictures passed"], rows, first="---:")


def read(file: Path) -> list[tuple[Path, str]]:
    """The pictures and their texts; ValueError for a line of another shape, or too few pictures."""
    captions = []
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        path, tab, text = line.partition("\t")
        if not (path and tab and text.strip()):
            raise ValueError(f"{file}, line {number}: expected a picture's path, a tab and what it shows")
        captions.append((file.parent / path, text))
    pictures = len({path for path, _ in captions})
    if pictures < LEAST:
        raise ValueError(f"{file}: {pictures} pictures found, at least {LEAST} are needed")
    return captions


def main(arguments: Sequence[str]) -> int:
    """Measures and prints; 1 and a sentence where that can't be done."""
    parser = argparse.ArgumentParser(prog="python -m bench.report.words", description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="an exported model with a text tower")
    parser.add_argument("--captions", type=Path, required=True, help="lines of: path, tab, words")
    options = parser.parse_args(arguments)
    try:
        print(markdown(measure(Encoder(options.model), read(options.captions))))
    except (OSError, ValueError) as error:
        print(f"calibrate: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
