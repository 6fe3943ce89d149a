"""The checkpoint of an image build: the pinned file of the model hub or of a URL, or your own."""

import argparse
import hashlib
import json
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from urllib.request import urlopen

from supply_chain.pins import PinError, Pins, Weights

CHECKPOINTS = Path("checkpoints")
TIMEOUT = 60  # seconds in which a server has to send something
ARTIFACT = {"model.onnx": "sha256", "model.onnx.data": "weights_sha256"}
"""Files of an exported model, and the fields of manifest.json that have their SHA-256."""
HALVES = {"model.first.onnx", "model.second.onnx"}
"""Those of a large model, whose SHA-256 are in the field `halves`."""
TEXT, MERGES = "text", {"merges.txt": "merges_sha256"}
"""The folder of its text tower, where it has one, and what that has besides."""

Download = Callable[[Weights], Path]


def download(weights: Weights) -> Path:
    """Fetches the pinned revision; the hub's address is HF_ENDPOINT's, as everywhere with this library."""
    if weights.url:
        return _from_url(weights.url, str(weights.file))
    from huggingface_hub import hf_hub_download

    path = hf_hub_download(str(weights.repository), str(weights.file), revision=weights.revision)
    return Path(path)


def _from_url(url: str, name: str) -> Path:
    """The file under checkpoints/, fetched unless it lies there, where a build without a network finds it."""
    path = CHECKPOINTS / name
    if path.is_file():
        return path
    CHECKPOINTS.mkdir(exist_ok=True)
    partial = path.with_name(f"{name}.partial")
    with urlopen(url, timeout=TIMEOUT) as response, partial.open("wb") as stream:  # noqa: S310 (it is pinned)
        shutil.copyfileobj(response, stream)
    return partial.replace(path)


def pinned(name: str, pins: Pins) -> Weights:
    """The pin of `model/tag`.

    Raises:
        PinError: there is none, or nothing is recorded yet.
    """
    weights = pins.weights.get(name)
    if weights is None:
        raise PinError(
            f"{name} is not in supply_chain/pins.json: run `make pin WEIGHTS={name}=SOURCE`, where SOURCE is "
            "its repository on the model hub, the https:// URL of a file or a file under checkpoints/"
        )
    if not weights.pinned:
        raise PinError(f"{name} is not pinned yet: run `make pin` where the model hub can be reached")
    if weights.own:
        local_file(weights)
    return weights


def by_name(name: str, pins: Pins) -> Path | None:
    """Weights that are not pinned: your own file or that of a URL, or None for a tag of open_clip.

    Raises:
        PinError: your own file does not exist.
    """
    weights = pins.weights.get(name)
    if weights is None or weights.repository is not None:
        return None
    return local_file(weights) if weights.own else download(weights)


def checkpoint(weights: Weights, fetch: Download = download) -> Path:
    """The pinned file.

    Raises:
        PinError: its SHA-256 is not the pinned one.
    """
    path = local_file(weights) if weights.own else fetch(weights)
    actual = file_sha256(path)
    if actual != weights.sha256:
        raise PinError(
            f"{path.name} has SHA-256 {actual}, but {weights.sha256} is pinned: these are other weights"
        )
    return path


def local_file(weights: Weights) -> Path:
    """The file under checkpoints/; PinError if it does not exist."""
    path = CHECKPOINTS / str(weights.file)
    if not path.is_file():
        raise PinError(f"there is no file {CHECKPOINTS.name}/{weights.file} in the repository's folder")
    return path


def file_sha256(path: Path) -> str:
    """A file's SHA-256 in lower-case hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def verify(folder: Path) -> None:
    """Compare an artifact with its manifest by SHA-256; a starting image compares weights by XXH3 only.

    Raises:
        PinError: a file differs.
    """
    _verify(folder, ARTIFACT)
    if (folder / TEXT).exists():
        _verify(folder / TEXT, ARTIFACT | MERGES)


def _verify(folder: Path, files: Mapping[str, str]) -> None:
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    halves = manifest.get("halves", {})
    if not isinstance(halves, dict) or (halves and set(halves) != HALVES):
        raise PinError(
            f"halves in manifest.json is {repr(halves)[:64]}, not a SHA-256 for each half of the model"
        )
    for name, recorded in ({name: manifest[key] for name, key in files.items()} | halves).items():
        actual = file_sha256(folder / name)
        if actual != recorded:
            raise PinError(f"{name} has SHA-256 {actual}, but manifest.json records {recorded}")


def int8_scheme(name: str, pins: Pins, *, by_name: bool) -> str:
    """The pinned scheme of int8; empty for the first that is exact enough, where that is allowed.

    A scheme is judged by its cosine, which differs a little by processor: without a pin, two machines could
    make different vectors under one name.

    Raises:
        PinError: none is pinned.
    """
    weights = pins.weights.get(name)
    if weights is not None and weights.int8:
        return weights.int8
    sentence = f"the int8 scheme of {name} is not pinned"
    if not by_name:
        raise PinError(f"{sentence}: export it once and run `make pin INT8=FOLDER` with its folder")
    print(f"WARNING: {sentence}: the first that is exact enough on this machine is used", file=sys.stderr)
    return ""


def _chosen(name: str, options: argparse.Namespace) -> str:
    """The checkpoint's path, empty when it only checks, or when a tag is taken by its name; or the scheme."""
    pins = Pins.load()
    if options.int8:
        return int8_scheme(name, pins, by_name=options.by_name)
    entry = pins.weights.get(name)
    if options.by_name and not (entry and entry.pinned):
        print(f"WARNING: {name} is not pinned: what its name stands for today is used", file=sys.stderr)
        file = by_name(name, pins)
        return "" if options.check or file is None else str(file)
    weights = pinned(name, pins)
    return "" if options.check else str(checkpoint(weights))


def main(arguments: Sequence[str]) -> int:
    """Print the checkpoint's path (nothing for a tag taken by name); 1 and a sentence if there is none."""
    parser = argparse.ArgumentParser(prog="python -m supply_chain.weights", description=__doc__)
    parser.add_argument("--model")
    parser.add_argument("--pretrained")
    parser.add_argument(
        "--check", action="store_true", help="fetch and hash nothing, say whether it is pinned"
    )
    parser.add_argument("--int8", action="store_true", help="print the pinned scheme of int8 instead")
    parser.add_argument("--by-name", action="store_true", help="take what is not pinned too, and warn of it")
    parser.add_argument(
        "--verify", type=Path, metavar="DIR", help="compare an exported model and its manifest"
    )
    options = parser.parse_args(arguments)
    if not options.verify and None in (options.model, options.pretrained):
        parser.error("--model and --pretrained are required, or --verify DIR")
    try:
        if options.verify:
            verify(options.verify)
            return 0
        print(_chosen(f"{options.model}/{options.pretrained}", options))
    except (PinError, OSError) as error:
        print(f"No weights: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
