"""python -m image_similarity.inference.export --model M --pretrained P --output DIR: make an artifact."""

import argparse
import hashlib
import json
import logging
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import onnx
import xxhash

from image_similarity.inference.encoder import OnnxEncoder
from image_similarity.inference.export import checkpoint, graph, halves, parity, text, torchscript
from image_similarity.inference.export.checkpoint import ExportError, Loaded
from image_similarity.inference.export.int8.schemes import SCHEMES, quantized
from image_similarity.inference.export.tower import ImageTower
from image_similarity.inference.manifest import (
    DIMENSIONS,
    HALVES,
    MODEL_FILE,
    WEIGHTS_FILE,
    Manifest,
    ManifestError,
    Precision,
)
from image_similarity.inference.sessions import has_cuda

FIRST = "first"
INT8_DRAFT_FACTOR = 3
"""Precision that is traded for speed is traded in decoding too, to a similar degree."""
UNEQUAL = "the model's halves give other vectors on this processor than the whole, so they are left out"


def main() -> int:
    """Export as the command line says; returns 1, after a sentence, where that fails."""
    arguments = _arguments()
    logging.getLogger().setLevel(logging.ERROR)  # random weights, which are filled in later
    try:
        settings = _settings(arguments.preprocessing) if arguments.preprocessing else None
        loaded = _load(arguments.model, arguments.pretrained, arguments.checkpoint, settings)
        scheme = None if arguments.int8 == FIRST else arguments.int8
        manifest = export(loaded, arguments.output, "int8" if arguments.int8 else "fp16", scheme)
    except (ExportError, ManifestError, OSError, ValueError) as error:
        print(f"export: {error}", file=sys.stderr)
        return 1
    print(f"{arguments.output}: {manifest.name}, {manifest.precision}, parity {manifest.parity}")
    if manifest.scheme:
        print(f"int8 by the scheme {manifest.scheme}; not exact enough: {manifest.tried or 'none before it'}")
    print(text.sentence(arguments.output, loaded))
    return 0


def _settings(file: Path) -> Any:  # noqa: ANN401
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ExportError(f"{file} is no JSON file of preprocessing: {error}") from error


def _load(
    model: str, pretrained: str | None, file: Path | None, settings: Mapping[str, Any] | None
) -> Loaded:
    """An encoder in TorchScript, or a model of open_clip; which one, the checkpoint's content says."""
    if model in torchscript.names() if file is None else torchscript.is_archive(file):
        return torchscript.load(model, pretrained, file, settings)
    return checkpoint.load(model, pretrained, file, settings)


def export(loaded: Loaded, output: Path, precision: Precision, scheme: str | None = None) -> Manifest:
    """Build the artifact, measure it against the original, and write it only if it passes.

    Args:
        loaded: the original.
        output: the artifact's folder.
        precision: what the artifact stores and computes.
        scheme: the one of int8; None for the first that passes.

    Raises:
        ExportError: the vector of a bundled picture or text is too far from the original's.
    """
    if precision == "int8":
        loaded = replace(loaded, preprocessing=replace(loaded.preprocessing, draft_factor=INT8_DRAFT_FACTOR))
    scripted = torchscript.is_script(loaded.visual)
    tower = torchscript.tower(loaded) if scripted else ImageTower(loaded.visual, loaded.preprocessing)
    model = graph.simplified(tower, loaded.preprocessing.size)
    tried: dict[str, float] = {}
    for name, version in _versions(model, loaded, precision, scheme):
        whole, weights = graph.finished(version, "image_tower")
        files = {MODEL_FILE: whole, WEIGHTS_FILE: weights}
        if not has_cuda():  # which loads the whole, so that nothing would be compared
            files |= dict(zip(HALVES, halves.split(whole) or (), strict=False))
        description = _describe(files, loaded, precision, {}, name, tried)
        with TemporaryDirectory() as directory:
            _write(Path(directory), files, description)
            encoder = OnnxEncoder(Path(directory), threads=1)
            torchscript.require_any_batch(encoder)
            result = parity.measure(loaded, encoder, parity.pictures())
            passes = result.passes(precision)
            if passes and not _halves_agree(description, encoder, Path(directory)):
                description = replace(description, halves={})
                files = {MODEL_FILE: whole, WEIGHTS_FILE: weights}
        result.require_distinct()
        if passes:
            words = text.build(loaded, description)
            output.mkdir(parents=True, exist_ok=True)
            text.write(words, output)
            _write(output, files, manifest := replace(description, parity=result.record()))
            return manifest
        tried[name or precision] = result.record()["cosine_min"]
    lowest = ", ".join(f"{name} {cosine:.6f}" for name, cosine in tried.items())
    raise ExportError(
        f"the {precision} artifact is not the original model: cosine {lowest} on the bundled picture that is "
        f"worst, at least {parity.LIMITS[precision]} is needed; nothing was written"
    )


def _halves_agree(manifest: Manifest, whole: OnnxEncoder, directory: Path) -> bool:
    """Whether the artifact in the directory loads as halves, if it has them, with the same vectors."""
    if not manifest.halves or parity.same(whole, OnnxEncoder(directory, threads=2)):
        return True
    print(f"export: {UNEQUAL}", file=sys.stderr)
    return False


def _versions(
    model: onnx.ModelProto, loaded: Loaded, precision: Precision, scheme: str | None
) -> Iterator[tuple[str | None, onnx.ModelProto]]:
    """The model as it is stored, by scheme where there are several, the best first."""
    if precision == "fp16":
        yield None, model
        return
    pictures = parity.decoded(loaded.preprocessing)
    for name in (scheme,) if scheme else SCHEMES:
        version = quantized(model, name, pictures)
        if version is not None:
            yield name, version
        elif scheme:
            raise ExportError(f"the scheme {scheme} finds nothing in {loaded.model} to change: pin another")


def _describe(
    files: Mapping[str, bytes],
    loaded: Loaded,
    precision: Precision,
    record: dict[str, float],
    scheme: str | None,
    tried: dict[str, float],
) -> Manifest:
    weights = files[WEIGHTS_FILE]
    return Manifest(
        model=loaded.model,
        pretrained=loaded.pretrained,
        sha256=hashlib.sha256(files[MODEL_FILE]).hexdigest(),
        weights_sha256=hashlib.sha256(weights).hexdigest(),
        weights_xxh3=xxhash.xxh3_128_hexdigest(weights),
        dimensions=DIMENSIONS,
        preprocessing=loaded.preprocessing,
        opset=graph.OPSET,
        precision=precision,
        parity=record,
        scheme=scheme,
        tried=dict(tried),
        halves={name: hashlib.sha256(files[name]).hexdigest() for name in HALVES if name in files},
    )


def _write(directory: Path, files: Mapping[str, bytes], manifest: Manifest) -> None:
    for name in HALVES:  # of an earlier export
        (directory / name).unlink(missing_ok=True)
    for name, content in files.items():
        (directory / name).write_bytes(content)
    manifest.save(directory)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m image_similarity.inference.export", description=__doc__)
    parser.add_argument(
        "--model",
        required=True,
        help='an open_clip model of 512 dimensions, "embedded", or a TorchScript one\'s name',
    )
    parser.add_argument("--pretrained", help="its tag; with --checkpoint, the file's tag or your own label")
    parser.add_argument("--checkpoint", type=Path, help="a local file of weights, instead of a download")
    parser.add_argument(
        "--preprocessing", type=Path, help="JSON: mean, std, interpolation, resize_mode; TorchScript: size"
    )
    parser.add_argument("--output", type=Path, required=True, help="where model.onnx and manifest.json go")
    parser.add_argument(
        "--int8",
        nargs="?",
        const=FIRST,
        choices=(FIRST, *SCHEMES),
        help="8 bits: faster, smaller, less exact; by this scheme, or by the first that is exact enough",
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
