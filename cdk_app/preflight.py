"""What a deployment needs on this machine, reported early: nothing slow is imported here."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence

from cdk_app.builder import SECONDS, command

DEPLOYING = {"deploy", "publish-assets", "watch"}
OTHERS = {
    "diff",
    "destroy",
    "import",
    "list",
    "ls",
    "metadata",
    "rollback",
    "synth",
    "synthesize",
    "validate",
}


class NotReady(Exception):
    """A deployment can't work from here; the message says how to fix it."""


def check(words: Sequence[str], environment: Mapping[str, str] = os.environ) -> None:
    """Look for credentials and a container engine where a command of the CDK's deploys.

    A missing engine is only a warning: images that the account already has are not built again. A missing
    bootstrap is reported by the CDK itself before it builds anything.

    Args:
        words: the CDK's command line; empty where it is not known.
        environment: what the CDK passes to its app. It names the account once the credentials work.

    Raises:
        NotReady: there are no credentials that work.
    """
    command_given = next((word for word in words if word in DEPLOYING | OTHERS), "")
    if command_given not in DEPLOYING:
        return
    if "CDK_DEFAULT_ACCOUNT" not in environment:
        raise NotReady(
            "No AWS credentials that work: run 'aws configure sso' ('aws sso login', if they have expired), "
            "or name a profile that has some with --profile or AWS_PROFILE."
        )
    engine = command(environment)
    if problem := _problem(engine):
        print(
            f"No container engine answers ('{engine} version': {problem}), and images that the account does "
            "not have yet must be built. Start it ('sudo systemctl start docker', or Docker Desktop), or "
            "name another in CDK_DOCKER.",
            file=sys.stderr,
        )


def _problem(engine: str) -> str:
    """Why the engine does not answer, in its own words; empty where it does."""
    try:
        done = subprocess.run(  # noqa: S603 - the command that the CDK would build with
            [engine, "version"], capture_output=True, text=True, timeout=SECONDS, check=False
        )
    except FileNotFoundError:
        return "no such command"
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    lines = (done.stderr or done.stdout).strip().splitlines()
    return (lines[-1] if lines else f"exit code {done.returncode}") if done.returncode else ""
