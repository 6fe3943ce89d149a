"""Which builder makes the images on this machine; it decides how the SageMaker image has to be built."""

import os
import subprocess
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from cdk_app.build_rows import AUTO

BUILDKIT, OTHER = "buildkit", "other"
# nerdctl, which Finch is made of, hands every build to BuildKit.
ON_BUILDKIT = {"finch", "nerdctl"}
# DOCKER_BUILDKIT that means off, as Go's strconv.ParseBool has it: docker/cli, cmd/docker/builder.go:57.
OFF = {"0", "f", "F", "false", "False", "FALSE"}
SECONDS = 20  # for a busy laptop; `docker buildx version` asks no daemon


def builder(flag: str) -> str:
    """`buildkit` or `other`: the flag's value, or what this machine has where it is auto."""
    if flag != AUTO:
        return flag
    return _probed(command(os.environ), os.environ.get("DOCKER_BUILDKIT", ""))


def command(environment: Mapping[str, str]) -> str:
    """The container engine's command, as the CDK chooses it."""
    return environment.get("CDK_DOCKER", "docker")


@cache
def _probed(engine: str, docker_buildkit: str) -> str:
    """BuildKit also if there is no engine, as on a machine that only synthesizes: it is the usual one."""
    if Path(engine).stem in ON_BUILDKIT:
        return BUILDKIT
    if docker_buildkit in OFF:
        return OTHER
    try:
        done = subprocess.run(  # noqa: S603 - the command that the CDK would build with
            [engine, "buildx", "version"], capture_output=True, text=True, timeout=SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return BUILDKIT
    # Podman knows the command too, and answers with its own name.
    return BUILDKIT if done.returncode == 0 and "docker/buildx" in done.stdout else OTHER
