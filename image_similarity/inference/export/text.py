"""An open_clip model's text tower as the files that the runtime reads, in a folder beside the image tower."""

import gzip
import hashlib
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import onnx
import torch
import xxhash
from open_clip.tokenizer import default_bpe

from image_similarity.inference.export import graph, text_parity
from image_similarity.inference.export.checkpoint import Loaded
from image_similarity.inference.export.text_tower import TextTower, obstacle
from image_similarity.inference.manifest import MODEL_FILE, WEIGHTS_FILE, Manifest
from image_similarity.inference.text import tower as runtime
from image_similarity.inference.text.manifest import MERGES_FILE, TextManifest
from image_similarity.inference.text.words import FOLDER

_MERGES = 48_894
"""How many lines of the list count, after its first one: 49,408 ids less those of 512 bytes and two marks."""
_EXAMPLE_TOKENS = 8


@dataclass(frozen=True)
class Artifact:
    """A text tower that has passed its gate: its manifest, and its other files by name."""

    manifest: TextManifest
    files: Mapping[str, bytes]

    def save(self, folder: Path) -> None:
        """Writes all files into the folder, which is made."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in self.files.items():
            (folder / name).write_bytes(content)
        self.manifest.save(folder)


def build(loaded: Loaded, images: Manifest) -> Artifact | None:
    """Build the text tower and measure it against open_clip; None where the model has none that can be used.

    Args:
        loaded: with the whole model.
        images: the manifest of its image tower's artifact.

    Raises:
        ExportError: the ids or the vectors of the bundled texts are not open_clip's.
    """
    if _obstacle(loaded) is not None:
        return None
    tower = TextTower(loaded.clip)
    model, weights = _graph(tower)
    merges = _merges()
    manifest = TextManifest(
        model=loaded.model,
        pretrained=loaded.pretrained,
        image_weights_sha256=images.weights_sha256,
        sha256=hashlib.sha256(model).hexdigest(),
        weights_sha256=hashlib.sha256(weights).hexdigest(),
        weights_xxh3=xxhash.xxh3_128_hexdigest(weights),
        merges_sha256=hashlib.sha256(merges).hexdigest(),
        context_length=tower.context_length,
        padded=not tower.causal,
        opset=graph.OPSET,
    )
    artifact = Artifact(manifest, {MODEL_FILE: model, WEIGHTS_FILE: weights, MERGES_FILE: merges})
    with TemporaryDirectory() as directory:
        artifact.save(Path(directory))
        made = runtime.TextTower(Path(directory), images, threads=1)
        result = text_parity.measure(loaded, made, text_parity.TEXTS)
    result.require()
    return replace(artifact, manifest=replace(manifest, parity=result.record()))


def write(artifact: Artifact | None, output: Path) -> None:
    """Put a text tower into the artifact's folder, in place of any that is there."""
    folder = output / FOLDER
    if folder.exists():
        shutil.rmtree(folder)  # of another model, perhaps
    if artifact is not None:
        artifact.save(folder)


def sentence(output: Path, loaded: Loaded) -> str:
    """What became of the text tower, for people."""
    why = _obstacle(loaded)
    if why is not None:
        return f"no text tower is exported: {why}"
    return f"{output / FOLDER}: text tower, parity {TextManifest.load(output / FOLDER).parity}"


def _obstacle(loaded: Loaded) -> str | None:
    return obstacle(loaded.model, loaded.clip) if loaded.clip is not None else "the model has none"


def _graph(tower: TextTower) -> tuple[bytes, bytes]:
    """The bytes of model.onnx and model.onnx.data: "tokens" int64 [1, t] to "embedding" [1, 512].

    Weights are stored as float16 whatever the precision of the image tower is: a text is encoded once for
    each search, and what a tower of 8 bits loses is more than what texts of one thing differ by.
    """
    places = _EXAMPLE_TOKENS if tower.causal else tower.context_length
    example = torch.ones(1, places, dtype=torch.int64)
    dynamic = {1: torch.export.Dim("t", min=2, max=tower.context_length)} if tower.causal else {}
    with TemporaryDirectory() as directory:
        plain = Path(directory) / "plain.onnx"
        graph.simplify(graph.traced(tower, example, "tokens", dynamic), plain)
        return graph.finished(onnx.load(str(plain)), "text_tower")


def _merges() -> bytes:
    """The merges of CLIP's tokenizer, a line each, from the file that open_clip ships."""
    lines = gzip.decompress(Path(default_bpe()).read_bytes()).decode().split("\n")
    return "".join(f"{line}\n" for line in lines[1 : _MERGES + 1]).encode()
