"""The list of an image's parts, over packages made here."""

import json
from pathlib import Path

import pytest
from cyclonedx.model import HashAlgorithm
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from supply_chain.sbom import SbomError, bill_of_materials, licenses, main

MODEL_SHA256 = "ab" * 32
PACKAGES = ("Classified_Part", "expressed", "worded")


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    for name, lines in {
        "expressed": "License-Expression: MIT OR Apache-2.0",
        "Classified_Part": "Classifier: License :: OSI Approved :: MIT License",
        "worded": "License: BSD-3-Clause",
    }.items():
        folder = tmp_path / f"{name}-1.0.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n{lines}\n")
    return tmp_path


@pytest.mark.slow
def test_every_part_stands_in_it_with_its_licence(packages: Path) -> None:
    bom = bill_of_materials(packages, "lambda")
    found = {part.name: licenses(part) for part in bom.components}
    model = next(name for name in found if name.startswith("embedded/"))
    assert found == {
        "expressed": "MIT OR Apache-2.0",
        "Classified_Part": "MIT License",
        "worded": "BSD-3-Clause",
        model: "Apache-2.0",
    }


def test_a_part_is_found_by_its_name_and_version_in_the_registry(packages: Path) -> None:
    """By the form that https://github.com/package-url/purl-spec gives names of PyPI."""
    parts = {part.name: part for part in bill_of_materials(packages, "lambda").components}
    assert {str(parts[name].purl) for name in PACKAGES} == {
        "pkg:pypi/classified-part@1.0",
        "pkg:pypi/expressed@1.0",
        "pkg:pypi/worded@1.0",
    }


def test_the_model_is_known_by_the_hash_of_its_manifest(packages: Path, tmp_path: Path) -> None:
    manifest = tmp_path / "manifest.json"
    manifest.write_text(json.dumps({"model": "a", "pretrained": "b", "sha256": MODEL_SHA256}))
    [model] = [part for part in bill_of_materials(packages, "lambda", manifest).components if not part.purl]
    assert model.name == "a/b"
    assert [(each.alg, each.content) for each in model.hashes] == [(HashAlgorithm.SHA_256, MODEL_SHA256)]


def test_a_package_without_a_licence_is_named(packages: Path) -> None:
    file = packages / "worded-1.0.dist-info" / "METADATA"
    file.write_text("Metadata-Version: 2.1\nName: worded\nVersion: 1.0\n")
    with pytest.raises(SbomError, match=r"worded 1\.0 names no licence"):
        bill_of_materials(packages, "lambda")


def test_the_file_is_valid_cyclonedx(packages: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(packages), "lambda", str(packages / "out")]) == 0
    text = (packages / "out" / "lambda.cdx.json").read_text()
    assert {part["name"] for part in json.loads(text)["components"]} >= set(PACKAGES)
    assert "4 parts" in capsys.readouterr().out
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
