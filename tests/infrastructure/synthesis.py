"""Synthesizing in-process, and reading what came out."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cdk_app.app import build


@dataclass(frozen=True)
class Synthesized:
    """A cloud assembly."""

    folder: Path

    @property
    def template(self) -> dict[str, Any]:
        return json.loads((self.folder / "ImageSimilarity.template.json").read_text())

    @property
    def images(self) -> dict[str, dict[str, Any]]:
        """Backend folder -> the image's build: dockerBuildArgs, platform; `hash` is its tag."""
        assets = json.loads((self.folder / "ImageSimilarity.assets.json").read_text())["dockerImages"]
        return {
            asset["source"]["dockerFile"].split("/")[0]: {**asset["source"], "hash": tag}
            for tag, asset in assets.items()
        }


def synthesize(folder: Path, flags: Mapping[str, str]) -> Synthesized:
    partial = folder.with_suffix(".partial")
    build(outdir=str(partial), context={"builder": "buildkit", **flags}).synth()  # whatever is here
    partial.rename(folder)
    return Synthesized(folder)


def nodes(tree: object) -> Iterator[Any]:
    """The tree's every node, itself included."""
    yield tree
    if isinstance(tree, dict):
        for value in tree.values():
            yield from nodes(value)
    elif isinstance(tree, list):
        for value in tree:
            yield from nodes(value)


def functions(tree: object, name: str) -> list[Any]:
    """The arguments of every intrinsic function of that name in the tree."""
    return [node[name] for node in nodes(tree) if isinstance(node, dict) and set(node) == {name}]


def of_type(resources: Mapping[str, Any], kind: str) -> dict[str, Any]:
    return {name: resource for name, resource in resources.items() if resource["Type"] == kind}
