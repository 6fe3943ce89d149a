"""`make pin`: asks the registries and the model hub what their names currently stand for, and records it.

Run it where they can be reached, review the change of supply_chain/pins.json, and commit it.
"""

import argparse
import hashlib
import json
import os
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import httpx

from supply_chain.pins import PinError, Pins, Weights
from supply_chain.weights import CHECKPOINTS, file_sha256, local_file

INDEX_TYPES = (
    "application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.list.v2+json"
)
HUB = "https://huggingface.co"
FILES = ("open_clip_model.safetensors", "open_clip_pytorch_model.bin")
"""What open_clip reads from a repository, the safer format first."""

T = TypeVar("T")


def base_digest(client: httpx.Client, name: str) -> str:
    """The digest of a tag's index, which covers all of its architectures (OCI distribution spec, section 3).

    Args:
        client: sends the requests.
        name: HOST/REPOSITORY:TAG.

    Returns:
        `sha256:` and the hash of the index as it arrived, not as a header claims.

    Raises:
        PinError: the registry gives no such answer.
    """
    host, _, rest = name.partition("/")
    repository, _, tag = rest.partition(":")
    # Registries on loopback speak plain HTTP: container engines assume that too.
    scheme = "http" if host.startswith("127.0.0.1:") else "https"
    url = f"{scheme}://{host}/v2/{repository}/manifests/{tag}"
    headers = {"Accept": INDEX_TYPES}
    response = client.get(url, headers=headers)
    if response.status_code == httpx.codes.UNAUTHORIZED:
        headers["Authorization"] = f"Bearer {_token(client, response.headers.get('WWW-Authenticate', ''))}"
        response = client.get(url, headers=headers)
    if response.status_code != httpx.codes.OK:
        raise PinError(f"{name}: the registry answered {response.status_code}")
    return f"sha256:{hashlib.sha256(response.content).hexdigest()}"


def _token(client: httpx.Client, challenge: str) -> str:
    """Fetch a pull token as the challenge says: `Bearer realm="...",service="...",scope="..."`."""
    fields = dict(re.findall(r'(\w+)="([^"]*)"', challenge))
    if "realm" not in fields:
        raise PinError(f"the registry wants a log-in of a kind that is not known here: {challenge!r}")
    response = client.get(fields.pop("realm"), params=fields).raise_for_status()
    token: str = response.json()["token"]
    return token


def weights_pin(client: httpx.Client, weights: Weights, hub: str = HUB) -> Weights:
    """The repository's file, with the commit and SHA-256 that the hub has now.

    Of a URL or a local file, the SHA-256 that it has now.

    Raises:
        PinError: the repository has no checkpoint that open_clip reads, or the local file is not there.
    """
    if weights.url:
        return replace(weights, sha256=_url_sha256(client, weights.url))
    if weights.repository is None:
        return replace(weights, sha256=file_sha256(local_file(weights)))
    url = f"{hub}/api/models/{weights.repository}/revision/main"
    answer: dict[str, Any] = client.get(url, params={"blobs": "true"}).raise_for_status().json()
    hashes = {entry["rfilename"]: entry.get("lfs", {}).get("sha256") for entry in answer["siblings"]}
    for file in FILES:
        if hashes.get(file):
            return replace(weights, file=file, revision=answer["sha"], sha256=hashes[file])
    raise PinError(f"{weights.repository} holds neither of {', '.join(FILES)}")


def _url_sha256(client: httpx.Client, url: str) -> str:
    digest = hashlib.sha256()
    with client.stream("GET", url) as response:
        for part in response.raise_for_status().iter_bytes():
            digest.update(part)
    return digest.hexdigest()


def pin(pins: Pins, client: httpx.Client, *, only_missing: bool, hub: str = HUB) -> tuple[Pins, list[str]]:
    """Renew all pins, or only the missing ones; a pin that can't be renewed stays as it was.

    Returns:
        The pins, and a sentence for each that could not be renewed.
    """
    failures: list[str] = []

    def renewed(name: str, look: Callable[[], T], before: T) -> T:
        try:
            current = look()
        except (PinError, httpx.HTTPError) as error:
            failures.append(f"{name} is not pinned: {error}")
            return before
        print(f"{name}: {current}")
        return current

    bases = dict(pins.bases)
    for name, digest in pins.bases.items():
        if digest is None or not only_missing:
            bases[name] = renewed(name, partial(base_digest, client, name), digest)
    weights = dict(pins.weights)
    for name, entry in pins.weights.items():
        if not (entry.pinned and only_missing):
            weights[name] = renewed(name, partial(weights_pin, client, entry, hub), entry)
    return Pins(bases, weights), failures


def pin_int8(pins: Pins, folder: Path) -> Pins:
    """Record the scheme that an exported int8 artifact was made with, for all builds of its weights.

    Raises:
        PinError: it is damaged or no int8 artifact, or its weights are not in the pins file.
    """
    file = folder / "manifest.json"
    try:
        manifest = json.loads(file.read_text(encoding="utf-8"))
        name, scheme = f"{manifest['model']}/{manifest['pretrained']}", manifest.get("scheme")
    except (ValueError, TypeError, KeyError) as error:
        raise PinError(f"{file} is no model manifest ({error}): export the model again") from error
    if scheme is None:
        raise PinError(f"{folder} holds no int8 artifact: export it with --int8")
    if name not in pins.weights:
        raise PinError(f"{name} is not in supply_chain/pins.json: run `make pin WEIGHTS={name}=SOURCE` first")
    return replace(pins, weights={**pins.weights, name: replace(pins.weights[name], int8=scheme)})


def _source(source: str) -> Weights:
    if source.startswith("https://"):
        return Weights(None, source.rpartition("/")[2], url=source)
    folder, _, file = source.partition("/")
    return Weights(None, file) if folder == CHECKPOINTS.name else Weights(source)


def main(arguments: Sequence[str]) -> int:
    """Pin; returns 1, after a sentence for each pin that could not be renewed."""
    parser = argparse.ArgumentParser(prog="python -m supply_chain.pin", description=__doc__)
    parser.add_argument("--only-missing", action="store_true", help="leave what is pinned already")
    parser.add_argument(
        "--add",
        metavar="MODEL/TAG=SOURCE",
        help="weights to pin too; SOURCE is a repository on the model hub, the https:// URL of a file, or a "
        "file checkpoints/...",
    )
    parser.add_argument(
        "--int8",
        type=Path,
        metavar="DIR",
        help="record the scheme of an exported int8 artifact, and nothing else",
    )
    options = parser.parse_args(arguments)
    pins = Pins.load()
    if options.int8:
        try:
            pin_int8(pins, options.int8).save()
        except (PinError, OSError) as error:
            print(f"The int8 scheme is not pinned: {error}", file=sys.stderr)
            return 1
        return 0
    if options.add:
        name, _, source = options.add.partition("=")
        pins = replace(pins, weights={**pins.weights, name: _source(source)})
    with httpx.Client(follow_redirects=True, timeout=30) as client:
        hub = os.environ.get("HF_ENDPOINT", HUB)
        renewed, failures = pin(pins, client, only_missing=options.only_missing, hub=hub)
    if renewed != Pins.load():
        renewed.save()
    for failure in failures:
        print(failure, file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
