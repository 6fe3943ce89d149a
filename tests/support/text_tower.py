"""A text tower of a few words: each stands for a vector that a test gives it."""

import hashlib
import shutil
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
import xxhash
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from image_similarity.inference.manifest import DIMENSIONS, Manifest
from image_similarity.inference.text.manifest import TextManifest
from image_similarity.inference.text.tokenizer import Tokenizer

EMBEDDED = Path(__file__).resolve().parents[2] / "image_similarity" / "models" / "embedded"
CONTEXT = 8
FAINT = 1e-3
"""The length of the vectors of all other tokens, which have directions of their own."""


def model_with_words(folder: Path, words: Mapping[str, NDArray[np.float32]]) -> Path:
    """A copy of the bundled model with a text tower beside it; a text is the sum of its words."""
    shutil.copytree(EMBEDDED, folder)
    write(folder / "text", Manifest.load(folder), words)
    return folder


def write(folder: Path, images: Manifest, words: Mapping[str, NDArray[np.float32]]) -> None:
    folder.mkdir()
    merges = [merge for word in words for merge in merges_of(word)]
    (folder / "merges.txt").write_text("".join(f"{merge}\n" for merge in merges))
    tokenizer = Tokenizer(merges)
    table = np.random.default_rng(0).standard_normal((tokenizer.end + 1, DIMENSIONS), dtype=np.float32)
    table *= FAINT / np.linalg.norm(table, axis=1, keepdims=True)
    table[[tokenizer.start, tokenizer.end]] = 0
    for word, vector in words.items():
        [token] = tokenizer.ids(word)[1:-1]
        table[token] = vector
    weights = table.tobytes()
    (folder / "model.onnx.data").write_bytes(weights)
    (folder / "model.onnx").write_bytes(graph(table))
    TextManifest(
        model=images.model,
        pretrained=images.pretrained,
        image_weights_sha256=images.weights_sha256,
        sha256=hashlib.sha256((folder / "model.onnx").read_bytes()).hexdigest(),
        weights_sha256=hashlib.sha256(weights).hexdigest(),
        weights_xxh3=xxhash.xxh3_128_hexdigest(weights),
        merges_sha256=hashlib.sha256((folder / "merges.txt").read_bytes()).hexdigest(),
        context_length=CONTEXT,
        padded=False,
        opset=20,
    ).save(folder)


def merges_of(word: str) -> list[str]:
    """What joins the letters of a word, from its beginning on, into one token."""
    letters = [*word[:-1], f"{word[-1]}</w>"]
    return [f"{''.join(letters[:place])} {letters[place]}" for place in range(1, len(letters))]


def graph(table: NDArray[np.float32]) -> bytes:
    """The sum of the tokens' rows of a table, divided by its length."""
    rows = numpy_helper.from_array(table, "table")
    place = {"location": "model.onnx.data", "offset": "0", "length": str(len(rows.raw_data))}
    rows.ClearField("raw_data")
    rows.data_location = TensorProto.EXTERNAL
    for key, value in place.items():
        rows.external_data.add(key=key, value=value)
    axes = numpy_helper.from_array(np.array([1], dtype=np.int64), "axes")
    nodes = [
        helper.make_node("Gather", ["table", "tokens"], ["rows"]),
        helper.make_node("ReduceSum", ["rows", "axes"], ["sum"], keepdims=0),
        helper.make_node("ReduceL2", ["sum", "axes"], ["length"], keepdims=1),
        helper.make_node("Div", ["sum", "length"], ["embedding"]),
    ]
    tokens = helper.make_tensor_value_info("tokens", TensorProto.INT64, [1, "t"])
    embedding = helper.make_tensor_value_info("embedding", TensorProto.FLOAT, [1, DIMENSIONS])
    content = helper.make_graph(nodes, "words", [tokens], [embedding], [rows, axes])
    opsets = [helper.make_opsetid("", 20)]
    model: bytes = onnx.helper.make_model(content, opset_imports=opsets, ir_version=10).SerializeToString()
    return model
