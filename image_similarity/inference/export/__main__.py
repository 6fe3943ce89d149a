"""python -m image_similarity.inference.export --model M --pretrained P --output DIR: make an artifact."""

import argparse
import hashlib
import json
import logging
import sys
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import xxhash

from image_similarity.inference.encoder import OnnxEncoder
from image_similarity.inference.export import checkpoint, graph, parity, text
from image_similarity.inference.export.checkpoint import ExportError, Loaded
from image_similarity.inference.export.tower import ImageTower
from image_similarity.inference.manifest import (
    DIMENSIONS,
    MODEL_FILE,
    WEIGHTS_FILE,
    Manifest,
    ManifestError,
    Precision,
)

INT8_DRAFT_FACTOR = 3
"""Precision that is traded for speed is traded in decoding too, to a similar degree."""


def main() -> int:
    """Export as the command line says; returns 1, after a sentence, where that fails."""
    arguments = _arguments()
    logging.getLogger().setLevel(logging.ERROR)  # random weights, which are filled in later
    try:
        settings = json.loads(arguments.preprocessing.read_text()) if arguments.preprocessing else None
        loaded = checkpoint.load(arguments.model, arguments.pretrained, arguments.checkpoint, settings)
        manifest = export(loaded, arguments.output, "int8" if arguments.int8 else "fp16")
    except (ExportError, ManifestError, OSError, ValueError) as error:
        print(f"export: {error}", file=sys.stderr)
        return 1
    print(f"{arguments.output}: {manifest.name}, {manifest.precision}, parity {manifest.parity}")
    print(text.sentence(arguments.output, loaded))
    return 0


def export(loaded: Loaded, output: Path, precision: Precision) -> Manifest:
    """Build the artifact, measure it against open_clip, and write it only if it passes.

    Raises:
        ExportError: the vector of a bundled picture or text is too far from open_clip's.
    """
    if precision == "int8":
        loaded = replace(loaded, preprocessing=replace(loaded.preprocessing, draft_factor=INT8_DRAFT_FACTOR))
    tower = ImageTower(loaded.visual, loaded.preprocessing)
    files = graph.build(tower, loaded.preprocessing.size, precision)
    with TemporaryDirectory() as directory:
        first = _write(Path(directory), files, loaded, precision, {})
        result = parity.measure(loaded, OnnxEncoder(Path(directory), threads=1), parity.pictures())
    result.require(precision)
    words = text.build(loaded, first)
    output.mkdir(parents=True, exist_ok=True)
    text.write(words, output)
    return _write(output, files, loaded, first.precision, result.record())


def _write(
    directory: Path,
    files: tuple[bytes, bytes],
    loaded: Loaded,
    precision: Precision,
    record: dict[str, float],
) -> Manifest:
    model, weights = files
    manifest = Manifest(
        model=loaded.model,
        pretrained=loaded.pretrained,
        sha256=hashlib.sha256(model).hexdigest(),
        weights_sha256=hashlib.sha256(weights).hexdigest(),
        weights_xxh3=xxhash.xxh3_128_hexdigest(weights),
        dimensions=DIMENSIONS,
        preprocessing=loaded.preprocessing,
        opset=graph.OPSET,
        precision=precision,
        parity=record,
    )
    (directory / MODEL_FILE).write_bytes(model)
    (directory / WEIGHTS_FILE).write_bytes(weights)
    manifest.save(directory)
    return manifest


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m image_similarity.inference.export", description=__doc__)
    parser.add_argument("--model", required=True, help='an open_clip model of 512 dimensions, or "embedded"')
    parser.add_argument("--pretrained", help="its tag; with --checkpoint, the file's tag or your own label")
    parser.add_argument("--checkpoint", type=Path, help="a local file of weights, instead of a download")
    parser.add_argument("--preprocessing", type=Path, help="JSON: mean, std, interpolation, resize_mode")
    parser.add_argument("--output", type=Path, required=True, help="where model.onnx and manifest.json go")
    parser.add_argument("--int8", action="store_true", help="8-bit products: faster, smaller, less exact")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
