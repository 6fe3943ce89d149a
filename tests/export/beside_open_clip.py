"""Run by the exporter's Python, where open_clip is: prints what was compared as JSON.

python -m tests.export.beside_open_clip ids COUNT SEED, gate MODEL, or obstacle MODEL
"""

import json
import sys
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from image_similarity.inference.errors import InvalidRequest
from image_similarity.inference.export import checkpoint, graph, text, text_parity, text_tower
from image_similarity.inference.manifest import DIMENSIONS, Manifest
from image_similarity.inference.text import tower as runtime
from image_similarity.inference.text.manifest import MERGES_FILE
from image_similarity.inference.text.tokenizer import Tokenizer
from tests.export.odd_texts import odd_texts

LONG = "a wide meadow, yellow flowers, a hut. " * 30


def ids(count: int, seed: int) -> dict[str, Any]:
    """Token ids of odd texts, ours and those of open_clip's tokenizer before it cuts."""
    from open_clip.tokenizer import SimpleTokenizer

    ours, theirs = Tokenizer(text._merges().decode().splitlines()), SimpleTokenizer()
    words = [theirs.decode([number]) for number in range(theirs.vocab_size)]
    different, lengths, kinds = [], [], set[int]()
    for one in odd_texts(count, seed, words):
        expected = [theirs.sot_token_id, *theirs.encode(one), theirs.eot_token_id]
        lengths.append(len(expected))
        kinds |= set(expected)
        if ours.ids(one) != expected:
            different.append(ascii(one))
    return {
        "texts": len(lengths),
        "different": different,
        "tokens": sum(lengths),
        "kinds": len(kinds),
        "over77": sum(length > 77 for length in lengths),
    }


class Swapping:
    """A text tower that reads one text with another token in its middle."""

    def __init__(self, inner: runtime.TextTower, victim: str) -> None:
        self._inner, self._victim = inner, inner.ids(victim)

    def ids(self, one: str) -> list[int]:
        return self._inner.ids(one)

    def encode_ids(self, numbers: list[int]) -> NDArray[np.float32]:
        swapped = numbers == self._victim
        return self._inner.encode_ids(text_parity.with_another_token(numbers) if swapped else numbers)


class Misreading(Swapping):
    """One whose tokenizer gives one text another token."""

    def ids(self, one: str) -> list[int]:
        numbers = self._inner.ids(one)
        return text_parity.with_another_token(numbers) if numbers == self._victim else numbers


def gate(model: str) -> dict[str, Any]:
    """The text tower of a model with seeded weights: how exact it is, and that a swapped token is refused."""
    torch.set_num_threads(2)
    loaded = checkpoint.load(model, checkpoint.RANDOM)
    images = Manifest(
        *(model, checkpoint.RANDOM, "0" * 64, "0" * 64, "0" * 32, DIMENSIONS, loaded.preprocessing),
        opset=graph.OPSET,
        precision="fp16",
    )
    artifact = text.build(loaded, images)
    assert artifact is not None
    with TemporaryDirectory() as directory:
        artifact.save(Path(directory))
        tower = runtime.TextTower(Path(directory), images, threads=2)
        result = text_parity.measure(loaded, tower, text_parity.TEXTS)
        measured_again = [_refusal(loaded, kind(tower, "a red shirt")) for kind in (Swapping, Misreading)]
        most = artifact.manifest.context_length
        longest = [*tower._tokenizer.ids(LONG)[: most - 1], tower._tokenizer.end]
        full = torch.tensor([longest])
        with torch.inference_mode():
            theirs = loaded.clip.encode_text(full, normalize=True)[0].numpy()
        try:
            tower.encode(LONG)
            refused = ""
        except InvalidRequest as error:
            refused = error.message
        at_most = float(tower.encode_ids(longest) @ theirs)
    return {
        "parity": artifact.manifest.parity,
        "context": most,
        "padded": artifact.manifest.padded,
        "bytes": {name: len(content) for name, content in artifact.files.items()},
        "full_length_cosine": at_most,
        "too_long": refused,
        "each_swapped": [_swapped(result, place) for place in range(len(text_parity.TEXTS))],
        "measured_again": measured_again,
        "merges": artifact.files[MERGES_FILE].count(b"\n"),
    }


def obstacle(model: str) -> dict[str, Any]:
    """Why a model's text tower is left out."""
    return {"obstacle": text_tower.obstacle(model, checkpoint.load(model, checkpoint.RANDOM).clip)}


def _refusal(loaded: checkpoint.Loaded, tower: text_parity.Tower) -> str:
    """What the gate says of a tower; nothing where it lets it pass."""
    try:
        text_parity.measure(loaded, tower, text_parity.TEXTS).require()
    except checkpoint.ExportError as error:
        return str(error)
    return ""


def _swapped(result: text_parity.TextParity, place: int) -> bool:
    """Whether the gate refuses a tower that swaps one token of the text at this place."""
    cosines = result.cosines.copy()
    cosines[place] = result.swapped[place]
    try:
        replace(result, cosines=cosines).require()
    except checkpoint.ExportError:
        return True
    return False


if __name__ == "__main__":
    command, *arguments = sys.argv[1:]
    if command == "ids":
        print(json.dumps(ids(*map(int, arguments))))
    else:
        print(json.dumps({"gate": gate, "obstacle": obstacle}[command](*arguments)))
