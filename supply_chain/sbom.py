"""`make sbom`: the parts of an image as a CycloneDX file, with their licences.

It lists what our build adds: the locked packages as they are installed, and the model. The parts of the base
image are in the base's own list.

Why not `cyclonedx-py`, whose library writes the file: it describes a running environment, while an image's
packages are in a folder and for another platform; and a requirements file would not give it any licence.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from importlib.metadata import Distribution, distributions
from pathlib import Path

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import LicenseExpression
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from supply_chain.pins import PINS_FILE

MODEL = PINS_FILE.parents[1] / "image_similarity" / "models" / "embedded" / "manifest.json"
MODEL_LICENSE = "Apache-2.0"
CLASSIFIER = "License :: OSI Approved :: "


class SbomError(Exception):
    """A part can't be described; the message names it."""


def license_text(distribution: Distribution) -> str:
    """A package's licence: its SPDX expression, or its classifier, or the first line of its free text.

    Raises:
        SbomError: the package names none.
    """
    expressions = _fields(distribution, "License-Expression")
    classified = [line.removeprefix(CLASSIFIER) for line in _fields(distribution, "Classifier")]
    named = sorted(line for line in classified if "License" in line and "::" not in line)
    words = _fields(distribution, "License")
    if expressions:
        return expressions[0]
    if named:
        return ", ".join(named)
    if words:
        return words[0].splitlines()[0]
    raise SbomError(f"{distribution.name} {distribution.version} names no licence")


def _fields(distribution: Distribution, name: str) -> list[str]:
    return [str(value) for value in distribution.metadata.get_all(name) or () if str(value).strip()]


def bill_of_materials(packages: Path, image: str, manifest: Path = MODEL) -> Bom:
    """The packages installed in a folder and the model, as parts of the image of that name."""
    factory = LicenseFactory()
    bom = Bom()
    whole = Component(name=f"image-similarity-{image}", type=ComponentType.CONTAINER)
    bom.metadata.component = whole
    for package in distributions(path=[str(packages)]):
        bom.components.add(
            Component(
                name=package.name,
                version=package.version,
                type=ComponentType.LIBRARY,
                purl=PackageURL("pypi", name=package.name.lower(), version=package.version),
                licenses=[factory.make_from_string(license_text(package))],
            )
        )
    model = json.loads(manifest.read_text(encoding="utf-8"))
    bom.components.add(
        Component(
            name=f"{model['model']}/{model['pretrained']}",
            type=ComponentType.MACHINE_LEARNING_MODEL,
            hashes=[HashType(alg=HashAlgorithm.SHA_256, content=model["sha256"])],
            licenses=[factory.make_from_string(MODEL_LICENSE)],
        )
    )
    bom.register_dependency(whole, bom.components)
    return bom


def licenses(part: Component) -> str:
    """A part's licences in one line."""
    names = (
        entry.value if isinstance(entry, LicenseExpression) else entry.id or entry.name
        for entry in part.licenses
    )
    return ", ".join(str(name) for name in names)


def main(arguments: Sequence[str]) -> int:
    """Writes IMAGE.cdx.json and prints the parts with their licences."""
    parser = argparse.ArgumentParser(prog="python -m supply_chain.sbom", description=__doc__)
    parser.add_argument("packages", type=Path, help="folder with the image's packages installed")
    parser.add_argument("image", help="lambda or sagemaker")
    parser.add_argument("output", type=Path, help="folder for the file")
    options = parser.parse_args(arguments)
    try:
        bom = bill_of_materials(options.packages, options.image)
    except (SbomError, OSError) as error:
        print(f"No list of parts: {error}", file=sys.stderr)
        return 1
    options.output.mkdir(parents=True, exist_ok=True)
    file = options.output / f"{options.image}.cdx.json"
    file.write_text(JsonV1Dot6(bom).output_as_string(indent=2) + "\n", encoding="utf-8")
    print(f"{file}: {len(bom.components)} parts")
    for part in sorted(bom.components, key=lambda part: part.name.lower()):
        print(f"  {part.name:36} {part.version or '':14} {licenses(part)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
