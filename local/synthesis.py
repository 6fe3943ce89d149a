"""Synthesizes the CDK app into .cache, again only when what decides the template has changed."""

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from local.template.images import ImageAsset, image_assets
from local.template.intrinsics import Json

# The rest of image_similarity/, and supply_chain/, are left out on purpose: they change an image asset's hash
# and nothing that is run from the template here.
SOURCES = (
    "app.py",
    "cdk.json",
    "package-lock.json",
    "requirements.txt",
    "cdk_app",
    "api_explorer",
    "examples",
    "image_similarity/calibrations.json",  # the Explorer's page has it
)
SOURCES_OF_IMAGES = ("lambda", "sagemaker")
SKIPPED = {"__pycache__", "node_modules"}


class SynthesisFailed(RuntimeError):
    """The CDK app stopped; its own message was printed."""


@dataclass(frozen=True)
class Assembly:
    """A synthesized cloud assembly with one stack."""

    folder: Path
    template: Mapping[str, Json]
    files: Mapping[str, Path]  # file assets by object key
    images: tuple[ImageAsset, ...] = ()

    @classmethod
    def load(cls, folder: Path) -> "Assembly":
        """Read cdk.out. Raises SynthesisFailed when it has not just one stack."""
        manifest = json.loads((folder / "manifest.json").read_text())
        stacks = [
            artifact["properties"]["templateFile"]
            for artifact in manifest["artifacts"].values()
            if artifact["type"] == "aws:cloudformation:stack"
        ]
        if len(stacks) != 1:
            raise SynthesisFailed(f"{folder} has {len(stacks)} stacks; one is expected.")
        assets = json.loads((folder / stacks[0].replace(".template.json", ".assets.json")).read_text())
        files = {
            destination["objectKey"]: folder / asset["source"]["path"]
            for asset in assets["files"].values()
            for destination in asset["destinations"].values()
        }
        template = json.loads((folder / stacks[0]).read_text())
        return cls(folder, template, files, tuple(image_assets(assets)))


def synthesize(root: Path, cache: Path, context: Mapping[str, str], say: Callable[[str], None]) -> Assembly:
    """Return the assembly for the app in `root` under some context. Raises SynthesisFailed."""
    target = cache / "synth" / _digest(root, context)
    target.parent.mkdir(parents=True, exist_ok=True)
    with (cache / "synth" / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # several runs (tests) may start at once
        if not (target / "manifest.json").exists():
            say("Synthesizing the CloudFormation template (half a minute the first time)")
            _run_app(root, target, context)
    return Assembly.load(target)


def _run_app(root: Path, target: Path, context: Mapping[str, str]) -> None:
    partial = target.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    defaults = json.loads((root / "cdk.json").read_text()).get("context", {})
    environment = {
        **os.environ,
        "CDK_OUTDIR": str(partial),
        "CDK_CONTEXT_JSON": json.dumps({**defaults, **context}),
        "PYTHONPATH": str(root),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
    }
    command = [sys.executable, str(root / "app.py")]
    done = subprocess.run(  # noqa: S603 - our own app, no shell
        command, cwd=root, env=environment, check=False, capture_output=True, text=True
    )
    if done.returncode or not (partial / "manifest.json").exists():
        raise SynthesisFailed(f"The CDK app can't be synthesized:\n{done.stdout}{done.stderr}")
    shutil.rmtree(target, ignore_errors=True)
    partial.rename(target)


def _digest(root: Path, context: Mapping[str, str]) -> str:
    digest = hashlib.sha256(json.dumps(context, sort_keys=True).encode())
    for path in _files(root):
        digest.update(f"{path.relative_to(root)}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _files(root: Path) -> Iterator[Path]:
    for name in (*SOURCES, *SOURCES_OF_IMAGES):
        path = root / name
        found = [path] if path.is_file() else sorted(path.rglob("*"))
        yield from (file for file in found if file.is_file() and not SKIPPED & set(file.parts))
