"""SageMaker takes Docker's manifests alone: what the image's build asks for, and what happens where not."""

import copy
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from local.synthesis import Assembly
from local.template.images import DOCKER, OCI, ImageAsset, NotPushable
from tests.infrastructure.account import account
from tests.infrastructure.stack import assembled

SAGEMAKER = {"ImageSimilarity": "yes-sagemaker"}


def deployed(
    assembly: Assembly, parameters: Mapping[str, str], changed: Mapping[str, Any] | None = None
) -> str:
    """Why the deployment failed, nothing where it worked."""
    with account(assembly) as bootstrapped:
        return bootstrapped.engine.deploy(changed or assembly.template, parameters).reason


def built(outputs: tuple[str, ...]) -> Assembly:
    """The default assembly, its images built with other outputs."""
    assembly = assembled()
    return replace(assembly, images=tuple(replace(image, outputs=outputs) for image in assembly.images))


@pytest.mark.parametrize("backend", ["yes-lambda", "yes-sagemaker"])
def test_the_defaults_deploy_with_a_builder_of_today(backend: str) -> None:
    assert deployed(assembled(), {"ImageSimilarity": backend}) == ""


@pytest.mark.parametrize(
    "outputs", [(), ("type=docker",), ("type=image",), ("type=image,oci-mediatypes=true",)]
)
def test_sagemaker_refuses_an_oci_manifest_and_lambda_takes_it(outputs: tuple[str, ...]) -> None:
    reason = deployed(built(outputs), SAGEMAKER)
    assert reason.startswith(f"Unsupported manifest media type {OCI} for image ")
    assert deployed(built(outputs), {"ImageSimilarity": "yes-lambda"}) == ""


def test_an_image_that_was_not_pushed_is_refused() -> None:
    changed = copy.deepcopy(dict(assembled().template))
    container = changed["Resources"]["SageMakerModel"]["Properties"]["PrimaryContainer"]
    container["Image"] = {"Fn::Sub": container["Image"]["Fn::Sub"][:-1] + "x"}
    assert deployed(assembled(), SAGEMAKER, changed).endswith("x not found.")


def test_without_the_flags_outputs_the_builder_decides() -> None:
    assembly = assembled(builder="other")
    assert {image.outputs for image in assembly.images} == {()}
    assert "Unsupported manifest media type" in deployed(assembly, SAGEMAKER)


@pytest.mark.parametrize(
    ("outputs", "kind"),
    [
        ((), OCI),
        (("type=docker",), OCI),
        (("type=docker,oci-mediatypes=false",), DOCKER),
        (("oci-mediatypes=false,type=image",), DOCKER),
        (("type=docker,oci-mediatypes=false", "type=tar,dest=image.tar"), DOCKER),
        (("type=docker,oci-mediatypes=false", "type=docker"), OCI),
    ],
)
def test_the_media_type_that_outputs_give(outputs: tuple[str, ...], kind: str) -> None:
    assert ImageAsset("repository", "tag", outputs).manifest_type == kind


@pytest.mark.parametrize(
    "output", ["type=tar,dest=a.tar", "type=oci", "type=docker,dest=a.tar", "type=local"]
)
def test_an_output_that_leaves_nothing_to_push(output: str) -> None:
    with pytest.raises(NotPushable, match="docker push"):
        _ = ImageAsset("repository", "tag", (output,)).manifest_type
