"""What is said of the images before they are built: pins, and the builder of this machine."""

import json
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from cdk_app import advice, builder, preflight
from cdk_app.app import build
from cdk_app.build_rows import SAGEMAKER_OUTPUTS
from cdk_app.config import ConfigError, DeploymentConfig
from supply_chain import pins as pins_module
from supply_chain.pins import LAMBDA_BASE, PYTHON_BASE, Pins, Weights

DIGEST = "sha256:" + "0" * 64
PINNED = Weights("laion/x", "f", "c" * 40, "0" * 64)
ALL = Pins({LAMBDA_BASE: DIGEST, PYTHON_BASE: DIGEST}, {"ViT-B-32/laion2b_s34b_b79k": PINNED})
INT8 = Pins(ALL.bases, {"ViT-B-32/laion2b_s34b_b79k": replace(PINNED, int8="outliers")})
NONE = Pins({LAMBDA_BASE: None, PYTHON_BASE: None}, {"ViT-B-32/laion2b_s34b_b79k": Weights("laion/x")})


def config(**flags: str) -> DeploymentConfig:
    return DeploymentConfig.from_context({"builder": "buildkit", **flags})


@pytest.fixture
def pinned(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    monkeypatch.setattr(Pins, "load", lambda *_: request.param)


@pytest.mark.parametrize(
    ("pinned", "flags", "names"),
    [
        (ALL, {}, None),
        (NONE, {}, [PYTHON_BASE, LAMBDA_BASE, "the weights ViT-B-32/laion2b_s34b_b79k"]),
        (NONE, {"images": "sagemaker", "model": "embedded"}, [PYTHON_BASE]),
        (NONE, {"images": "lambda", "model": "embedded"}, [PYTHON_BASE, LAMBDA_BASE]),
        (ALL, {"pretrained": "openai"}, ["the weights ViT-B-32/openai"]),
        (ALL, {"precision": "int8"}, ["the int8 scheme of ViT-B-32/laion2b_s34b_b79k"]),
        (INT8, {"precision": "int8"}, None),
    ],
    indirect=["pinned"],
)
@pytest.mark.usefixtures("pinned")
def test_what_is_not_pinned_is_named_and_refused_where_it_must_be(
    flags: dict[str, str], names: list[str] | None
) -> None:
    said = dict(advice.warnings(config(**flags)))
    if names is None:
        assert said == {}
        advice.require_pins(config(**flags, pins="required"))
        return
    assert said["pins"].startswith(f"Not pinned: {', '.join(names)}. Run 'make pin")
    advice.require_pins(config(**flags))
    with pytest.raises(ConfigError) as refused:
        advice.require_pins(config(**flags, pins="required"))
    assert str(refused.value).startswith(f"Not pinned: {', '.join(names)}. Run 'make pin")
    source = "'make pin WEIGHTS=ViT-B-32/openai=SOURCE'"
    assert (source in str(refused.value)) == (flags.get("pretrained") == "openai")


def test_required_pins_stop_synthesis_and_the_build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match="Not pinned"):
        build(outdir=str(tmp_path), context={"pins": "required"})
    monkeypatch.setattr(pins_module.Pins, "load", lambda *_: ALL)
    build(outdir=str(tmp_path), context={"pins": "required", "builder": "buildkit"}).synth()
    images = json.loads((tmp_path / "ImageSimilarity.assets.json").read_text())["dockerImages"].values()
    assert {image["source"]["dockerBuildArgs"]["PINS"] for image in images} == {"required"}


def engine(folder: Path, name: str, answers: str) -> str:
    """A command that answers `buildx version` so."""
    file = folder / name
    file.write_text(f'#!/bin/sh\ntest "$*" = "buildx version" || exit 3\n{answers}\n')
    file.chmod(file.stat().st_mode | stat.S_IXUSR)
    return str(file)


@pytest.mark.parametrize(
    ("name", "answers", "chosen"),
    [
        ("docker", "echo github.com/docker/buildx v0.29.1 a1b2c3", "buildkit"),
        ("docker", 'echo "docker: unknown command: docker buildx" >&2; exit 1', "other"),
        ("podman", "echo podman version 5.6.2", "other"),
        ("finch", "exit 1", "buildkit"),
        ("wrapper", "echo podman version 5.6.2", "other"),
    ],
)
def test_the_builder_is_what_the_engine_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, answers: str, chosen: str
) -> None:
    monkeypatch.setenv("CDK_DOCKER", engine(tmp_path, name, answers))
    monkeypatch.delenv("DOCKER_BUILDKIT", raising=False)
    assert builder.builder("auto") == chosen
    assert builder.builder("buildkit") == "buildkit"
    assert set(SAGEMAKER_OUTPUTS) == {builder.BUILDKIT, builder.OTHER}


@pytest.mark.parametrize(
    ("value", "chosen"),
    [
        *dict.fromkeys(("0", "f", "F", "false", "False", "FALSE"), "other").items(),
        *dict.fromkeys(("", "1", "true"), "buildkit").items(),
    ],
)
def test_the_classic_builder_by_docker_s_own_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str, chosen: str
) -> None:
    monkeypatch.setenv("CDK_DOCKER", engine(tmp_path, "docker", "echo github.com/docker/buildx v0.29.1"))
    monkeypatch.setenv("DOCKER_BUILDKIT", value)
    assert builder.builder("auto") == chosen


def test_where_nothing_can_build_the_usual_builder_is_assumed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DOCKER_BUILDKIT", raising=False)
    monkeypatch.setenv("CDK_DOCKER", str(tmp_path / "absent"))
    assert builder.builder("auto") == "buildkit"


def test_a_builder_that_decides_by_itself_is_warned_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BUILDAH_FORMAT", raising=False)
    text = dict(advice.warnings(config(builder="other")))["builder"]
    assert "BUILDAH_FORMAT=docker" in text
    assert "leave DOCKER_BUILDKIT unset" in text
    assert "builder" not in dict(advice.warnings(config(builder="other", images="lambda")))
    assert "builder" not in dict(advice.warnings(config()))
    monkeypatch.setenv("BUILDAH_FORMAT", "docker")
    assert "builder" not in dict(advice.warnings(config(builder="other")))


@pytest.mark.parametrize("words", [[], ["synth"], ["diff", "-c", "x=deploy"], ["destroy"], ["ls", "deploy"]])
def test_what_deploys_nothing_needs_nothing(words: list[str]) -> None:
    preflight.check(words, {"CDK_DOCKER": "/absent"})


@pytest.mark.parametrize("words", [["deploy"], ["--verbose", "publish-assets"], ["watch"]])
def test_what_deploys_needs_credentials(words: list[str]) -> None:
    with pytest.raises(preflight.NotReady, match="No AWS credentials that work: run 'aws configure sso'"):
        preflight.check(words, {})
