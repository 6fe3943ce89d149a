"""Images built as the CDK builds them, by each builder of the engine, pushed and read back."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import aws_cdk as cdk
import pytest

from cdk_app import images as cdk_images
from cdk_app.build_rows import SAGEMAKER_OUTPUTS
from cdk_app.builder import BUILDKIT, OTHER, builder
from cdk_app.config import DeploymentConfig
from tests.container.conftest import Images
from tests.container.engine import EngineError
from tests.container.registry import DOCKER_MANIFEST, Registry, registry

BACKENDS = ("lambda", "sagemaker")
# Docker's own variable, as someone sets it for `cdk deploy`.
BUILDERS = {"classic": "0", "buildkit": "1"}


@dataclass(frozen=True)
class Asset:
    """What the CDK hands to `docker build` for an image: its folder, and the options in the CDK's order."""

    folder: Path
    options: list[str]
    outputs: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def running() -> Iterator[Registry]:
    with registry() as made:
        yield made


def asset(folder: Path, backend: str, flags: Mapping[str, str]) -> Asset:
    """A backend's image as synthesis describes it to the CDK's command line."""
    app = cdk.App(outdir=str(folder))
    config = DeploymentConfig.from_context({"model": "embedded", **flags})
    cdk_images.image(cdk.Stack(app, "Stack"), backend, config)
    app.synth()
    described = json.loads((folder / "Stack.assets.json").read_text())["dockerImages"].values()
    (source,) = (image["source"] for image in described)
    arguments = source["dockerBuildArgs"].items()
    options = [part for name, value in arguments for part in ("--build-arg", f"{name}={value}")]
    options += ["--file", f"{folder}/{source['directory']}/{source['dockerFile']}"]
    options += ["--platform", source["platform"]]
    return Asset(folder / source["directory"], options, source.get("dockerOutputs", []))


@pytest.fixture
def variable(images: Images, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> str:
    """DOCKER_BUILDKIT for the engine of these tests and for our probe of it."""
    value: str = request.param
    monkeypatch.setenv("CDK_DOCKER", images.engine.client)
    monkeypatch.setenv("DOCKER_BUILDKIT", value)
    return value


@pytest.mark.parametrize("variable", BUILDERS.values(), ids=BUILDERS, indirect=True)
@pytest.mark.parametrize("backend", BACKENDS)
def test_sagemaker_can_take_what_each_builder_pushes(
    images: Images, running: Registry, tmp_path: Path, variable: str, backend: str
) -> None:
    chosen = builder("auto")
    made = asset(tmp_path, backend, {"builder": chosen})
    name = f"{backend}-{variable}"
    tag = f"{running.address}/{name}:built"
    outputs = [f"--output={output}" for output in made.outputs]
    # The later of two equal build arguments counts: bases of this machine instead of a registry's.
    options = [*made.options, *images.arguments[backend], *outputs]
    images.engine.build(made.folder, tag, *options, environ={"DOCKER_BUILDKIT": variable})
    images.engine.docker("push", tag)
    assert running.media_type(name, "built") == DOCKER_MANIFEST


@pytest.mark.parametrize("variable", BUILDERS.values(), ids=BUILDERS, indirect=True)
def test_outputs_are_left_out_only_where_the_build_fails_with_them(
    images: Images, tmp_path: Path, variable: str
) -> None:
    if builder("auto") != OTHER:
        pytest.skip("this engine's client has buildx: its outputs are in the test above")
    (tmp_path / "Dockerfile").write_text("FROM localhost/standin-debian\n")
    outputs = [f"--output={output}" for output in SAGEMAKER_OUTPUTS[BUILDKIT] or []]
    with pytest.raises(EngineError, match=r"--output|exporter \"docker\" could not be found"):
        images.engine.build(tmp_path, "localhost/refused", *outputs, environ={"DOCKER_BUILDKIT": variable})
