"""The images' build contexts: what an edit rebuilds, and what it does not."""

import json
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import aws_cdk as cdk
import pytest

from cdk_app import images
from cdk_app.config import DeploymentConfig

ROOT = Path(__file__).resolve().parents[2]
COPIED = (
    "image_similarity/__init__.py",
    "image_similarity/inference",
    "image_similarity/cli",
    "lambda",
    "sagemaker",
    "supply_chain",
    "image_similarity/models/embedded/manifest.json",
    ".dockerignore",
    "README.md",
    "docs",
    "app.py",
)
# file to edit -> the images that are built anew
EDITS = {
    "README.md": set(),
    "docs/deploy.md": set(),
    "app.py": set(),
    "image_similarity/cli/app.py": set(),
    "image_similarity/cli/new.py": set(),
    "image_similarity/py.typed": set(),
    "tests/new_test.py": set(),
    "image_similarity/inference/service.py": {"lambda", "sagemaker"},
    "image_similarity/models/embedded/manifest.json": {"lambda", "sagemaker"},
    "supply_chain/model.sh": {"lambda", "sagemaker"},
    "supply_chain/audit.py": set(),
    "supply_chain/pins.json": {"lambda", "sagemaker"},
    "supply_chain/requirements-export.txt": {"lambda", "sagemaker"},
    "image_similarity/__init__.py": {"lambda", "sagemaker"},
    "image_similarity/inference/sources/http.py": {"lambda", "sagemaker"},
    "image_similarity/api.py": set(),
    "checkpoints/mine.safetensors": {"lambda", "sagemaker"},
    ".dockerignore": set(),
    "lambda/handler.py": {"lambda"},
    "lambda/catalogue.py": {"lambda"},
    "image_similarity/catalogue/search.py": {"lambda"},
    "lambda/requirements.txt": {"lambda"},
    "sagemaker/server.py": {"sagemaker"},
    "image_similarity/inference/__pycache__/service.cpython-312.pyc": set(),
    "lambda/__pycache__/handler.cpython-312.pyc": set(),
    "image_similarity/inference/.mypy_cache/3.12/x.json": set(),
}


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of what matters, which a test may edit."""
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", ".*_cache"))
        elif source.exists():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, tmp_path / name)
    monkeypatch.setattr(images, "ROOT", tmp_path)
    return tmp_path


def hashes() -> dict[str, str]:
    stack = cdk.Stack(cdk.App(), "Stack")
    made = {}
    for backend in ("lambda", "sagemaker"):
        scope = cdk.Stack(stack, backend)
        made[backend] = images.image(scope, backend, DeploymentConfig()).asset_hash
    return made


@pytest.mark.parametrize("edited", EDITS)
def test_an_edit_rebuilds_only_what_it_changes(checkout: Path, edited: str) -> None:
    before = hashes()
    file = checkout / edited
    file.parent.mkdir(parents=True, exist_ok=True)
    edit = b"\n" if file.suffix == ".json" else b"\n# edited\n"
    file.write_bytes((file.read_bytes() if file.exists() else b"") + edit)
    after = hashes()
    assert {backend for backend in before if before[backend] != after[backend]} == EDITS[edited]


def test_the_context_has_all_that_the_dockerfile_copies(tmp_path: Path) -> None:
    for backend in ("lambda", "sagemaker"):
        app = cdk.App(outdir=str(tmp_path / backend))
        asset = images.image(cdk.Stack(app, "Stack"), backend, DeploymentConfig())
        staged = tmp_path / backend / f"asset.{asset.asset_hash}"
        for line in (ROOT / backend / "Dockerfile").read_text().replace("\\\n", " ").splitlines():
            if line.startswith("COPY ") and "--from" not in line:
                *sources, _ = line.split()[1:]
                missing = [
                    source for source in sources if "[" not in source and not (staged / source).exists()
                ]
                assert missing == [], (backend, line)
        assert not list(staged.rglob("cli")), backend


def test_every_module_of_the_serving_process_is_in_its_image() -> None:
    copied = (ROOT / "sagemaker" / "Dockerfile").read_text().split()
    modules = {f"sagemaker/{path.name}" for path in (ROOT / "sagemaker").glob("*.py")}
    assert modules <= set(copied), "the image's server would end at its start"


def stage(backend: str, name: str) -> str:
    """A stage of a Dockerfile without the arguments before the first one."""
    text = (ROOT / backend / "Dockerfile").read_text()
    return text[text.index(f" AS {name}\n") :].partition("\nFROM ")[0]


def test_the_model_is_exported_once_for_both_images(tmp_path: Path) -> None:
    """Equal instructions, arguments and files: what a builder's cache goes by."""
    assert stage("lambda", "model").rpartition("\n#")[0] == stage("sagemaker", "model").rpartition("\n#")[0]
    app = cdk.App(outdir=str(tmp_path))
    config = DeploymentConfig.from_context({"model": "ViT-B-32", "pretrained": "openai"})
    copied, arguments = [], []
    for backend in ("lambda", "sagemaker"):
        stack = cdk.Stack(app, backend)
        asset = images.image(stack, backend, config)
        folder = tmp_path / f"asset.{asset.asset_hash}"
        files = (path for path in sorted(folder.rglob("*")) if path.is_file())
        content = {str(path.relative_to(folder)): path.read_bytes() for path in files}
        own = (backend, "image_similarity/catalogue")  # in no stage that makes the model
        copied.append({name: data for name, data in content.items() if not name.startswith(own)})
        build = images.build_arguments(backend, config)
        declared = re.findall(r"^ARG (\w+)", stage(backend, "model"), re.MULTILINE)
        arguments.append({name: build.get(name) for name in declared})
    assert copied[0] == copied[1]
    assert arguments[0] == arguments[1]
    assert arguments[0]["MODEL"] == "ViT-B-32"


def test_bases_are_build_arguments_with_their_digests(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    pins = checkout / "supply_chain" / "pins.json"
    content = json.loads(pins.read_text())
    content["bases"] = dict.fromkeys(content["bases"], "sha256:" + "0" * 64)
    pins.write_text(json.dumps(content))
    outdir = tmp_path_factory.mktemp("pinned")
    app = cdk.App(outdir=str(outdir))
    images.image(cdk.Stack(app, "Stack"), "lambda", DeploymentConfig())
    app.synth()
    (build,) = json.loads((outdir / "Stack.assets.json").read_text())["dockerImages"].values()
    arguments = build["source"]["dockerBuildArgs"]
    assert arguments["BASE"] == "public.ecr.aws/lambda/python:3.12@sha256:" + "0" * 64
    assert arguments["EXPORT_BASE"].endswith("-bookworm@sha256:" + "0" * 64)


@pytest.mark.parametrize("umask", ["022", "027", "077"])
def test_the_explorers_zip_can_be_read_whatever_the_umask(tmp_path: Path, umask: str) -> None:
    """A zip keeps modes, and Lambda's user is another one: modes of 640 are a function that can't start."""
    made = tmp_path / "out"
    app = f"umask {umask} && CDK_OUTDIR={made} {sys.executable} app.py"
    subprocess.run(["sh", "-c", app], cwd=ROOT, check=True, capture_output=True)
    [asset] = [folder for folder in made.glob("asset.*") if (folder / "handler.py").exists()]
    modes = {stat.S_IMODE(path.stat().st_mode) for path in asset.rglob("*") if path.is_file()}
    assert modes == {0o644}
