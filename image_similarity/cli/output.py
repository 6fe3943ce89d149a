"""What the commands write: JSON lines, arrays, groups."""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from image_similarity import __version__, alike
from image_similarity.cli.targets import Answer, Unreachable
from image_similarity.cli.text import write
from image_similarity.inference.manifest import DIMENSIONS
from image_similarity.inference.rounding import DECIMALS, rounded


class Vectors:
    """The vectors of many pictures, in 2 kB each."""

    def __init__(self, most: int) -> None:
        """Make room for so many pictures; the system gives it when it is used."""
        self._rows = np.empty((most, DIMENSIONS), dtype=np.float32)
        self.names: list[str] = []
        self.model = ""

    @classmethod
    def of(cls, names: list[str], rows: NDArray[np.float32], model: str) -> "Vectors":
        """Those of an index: float32 [n, 512] in the order of the names."""
        vectors = cls(0)
        vectors.names, vectors._rows, vectors.model = names, rows, model
        return vectors

    def add(self, name: str, answer: Answer) -> None:
        """Keep one more.

        Raises:
            Unreachable: it was made by another model than the ones before, so they can't be compared.
        """
        if self.names and answer.model != self.model:
            raise Unreachable(
                f"The model changed from {self.model} to {answer.model} on the way, and vectors of different "
                "models can't be compared. Start again."
            )
        self.model = answer.model
        self._rows[len(self.names)] = answer.vector
        self.names.append(name)

    @property
    def array(self) -> NDArray[np.float32]:
        """float32 [n, 512], in the order of `names`."""
        return self._rows[: len(self.names)]

    def save(self, file: Path) -> None:
        """Write the array, and names and model to the .json file beside it."""
        np.save(file, self.array)
        index = {"model": self.model, "sources": self.names}
        file.with_suffix(".json").write_text(json.dumps(index, indent=2) + "\n", "utf-8")


def line(name: str, answer: Answer) -> str:
    """One picture's JSON line."""
    result = rounded(np.asarray(answer.vector))
    return json.dumps({"source": name, "model": answer.model, "result": result})


@dataclass(frozen=True, slots=True)
class GroupWriter:
    """Prints groups of near-duplicates, for people or (`as_json`) for programs."""

    vectors: Vectors
    threshold: float
    as_json: bool

    def show(self, group: Sequence[int]) -> None:
        """Print one group, which is given as rows of the vectors."""
        weakest = alike.weakest(self.vectors.array, group)
        names = [self.vectors.names[row] for row in group]
        if self.as_json:
            self._show_json(weakest, names, group)
        else:
            write(f"{weakest:.{DECIMALS}f}")
            for name in names:
                write(f"  {name}")

    def _show_json(self, weakest: float, names: Sequence[str], group: Sequence[int]) -> None:
        """One line, written piece by piece: a large group has very many pairs."""
        head = {
            "similarity": round(weakest, DECIMALS),
            "sources": names,
            "model": self.vectors.model,
            "version": __version__,
            "threshold": self.threshold,
        }
        sys.stdout.write(json.dumps(head)[:-1] + ', "pairs": [')
        separator = ""
        for position, scores in alike.scores_within(self.vectors.array, group):
            for other, score in enumerate(scores.tolist(), position + 1):
                pair = {"sources": [names[position], names[other]], "similarity": round(score, DECIMALS)}
                sys.stdout.write(separator + json.dumps(pair))
                separator = ", "
        sys.stdout.write("]}\n")
