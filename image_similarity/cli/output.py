"""What the commands write: JSON lines, arrays, groups."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import typer
from numpy.typing import NDArray

from image_similarity.cli.targets import Answer


def line(name: str, answer: Answer) -> str:
    """One picture's JSON line."""
    return json.dumps({"source": name, "model": answer.model, "result": answer.content["result"]})


def matrix(answers: Sequence[Answer]) -> NDArray[np.float64]:
    """The vectors [n, 512], in order."""
    return np.array([answer.content["result"] for answer in answers], dtype=np.float64)


def save_array(file: Path, answers: dict[str, Answer]) -> None:
    """Write the vectors as float32 [n, 512], and names and model to the .json file beside them."""
    np.save(file, matrix(list(answers.values())).astype(np.float32))
    index = {"model": next(iter(answers.values())).model, "sources": list(answers)}
    file.with_suffix(".json").write_text(json.dumps(index, indent=2) + "\n", "utf-8")


def show_group(similarity: float, members: list[str], *, as_json: bool) -> None:
    """Print one group of near-duplicates with its lowest similarity."""
    if as_json:
        typer.echo(json.dumps({"similarity": round(similarity, 6), "sources": members}))
    else:
        typer.echo("\n".join([f"{similarity:.6f}", *(f"  {name}" for name in members)]))
