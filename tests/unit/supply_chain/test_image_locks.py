"""The images' locks: the versions that all tests run with, hashed, and everything that our code imports."""

import ast
import importlib.metadata
import re
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[3]
LOCKS = ("lambda/requirements.txt", "sagemaker/requirements.txt", "sagemaker/requirements-gpu.txt")
IMAGE_PYTHON = {"python_version": "3.12", "python_full_version": "3.12.0"}
LEFT_OUT = {"lambda": {"export"}, "sagemaker": {"export", "text"}}
"""Parts of image_similarity/inference that an image does without: its Dockerfile removes them."""
GPU_ONLY = re.compile(r"nvidia-|onnxruntime-gpu|coloredlogs|humanfriendly|mpmath|sympy")


def locked(file: str) -> dict[str, str]:
    """Versions by name, of what is installed on the images' Python."""
    found = {}
    for entry in re.split(r"\n(?=\S)", (ROOT / file).read_text()):
        requirement = Requirement(entry.split("\\")[0].split(" #")[0].strip())
        if requirement.marker is None or requirement.marker.evaluate(IMAGE_PYTHON):
            found[requirement.name] = str(requirement.specifier)
            assert "--hash=sha256:" in entry, requirement.name
    return found


@pytest.mark.parametrize("file", LOCKS)
def test_images_run_the_versions_that_the_tests_run_with(file: str) -> None:
    tested = locked("requirements.txt")
    packages = locked(file)
    shared = {name: version for name, version in packages.items() if not GPU_ONLY.match(name)}
    assert shared == {name: tested.get(name) for name in shared}


@pytest.mark.slow
@pytest.mark.parametrize("image", LEFT_OUT)
def test_everything_that_an_image_imports_is_asked_for(image: str) -> None:
    distributions = importlib.metadata.packages_distributions()
    file = f"{image}/requirements.txt"
    asked = named(file) | {"botocore", "urllib3"}  # boto3's own, in the versions that it allows
    for name in imported(("image_similarity/inference", image), LEFT_OUT[image]):
        assert {owner.lower() for owner in distributions[name]} & asked, f"{name} is missing in {file}"


def named(file: str) -> set[str]:
    """The packages that a lock has because pyproject.toml names them."""
    entries = re.split(r"\n(?=\S)", (ROOT / file).read_text())
    return {
        Requirement(entry.split("\\")[0].strip()).name for entry in entries if "(pyproject.toml)" in entry
    }


@pytest.mark.slow
@pytest.mark.parametrize("file", LOCKS)
def test_an_image_has_nothing_that_only_the_command_line_needs(file: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    dependencies = {Requirement(line).name for line in project["dependencies"]}
    distributions = importlib.metadata.packages_distributions()
    shared = imported(("image_similarity/inference",), LEFT_OUT[file.partition("/")[0]])
    others = dependencies - {owner.lower() for name in shared for owner in distributions[name]}
    assert others
    assert others & locked(file).keys() == set(), "add them to NOT_IN_IMAGES of the Makefile"


@pytest.mark.parametrize("image", LEFT_OUT)
def test_an_image_removes_what_it_does_without(image: str) -> None:
    dockerfile = (ROOT / image / "Dockerfile").read_text()
    removed = re.findall(r"/code/image_similarity/inference/(\w+)", dockerfile)
    assert set(removed) == LEFT_OUT[image]


def imported(folders: tuple[str, ...], left_out: set[str]) -> set[str]:
    names = set()
    for folder in folders:
        for file in (ROOT / folder).rglob("*.py"):
            if left_out & set(file.relative_to(ROOT).parts):
                continue
            for node in ast.walk(ast.parse(file.read_text())):
                if isinstance(node, ast.Import):
                    names |= {alias.name.split(".")[0] for alias in node.names}
                elif isinstance(node, ast.ImportFrom) and node.module:
                    names.add(node.module.split(".")[0])
    types_only = {"_typeshed", "mypy_boto3_s3"}
    return names - set(sys.stdlib_module_names) - types_only - {"image_similarity", "sagemaker"}
