"""What is installed: hashed in its lock and installed by that hash; and no secret passes `make check`."""

import json
import os
import re
import shlex
import subprocess
from itertools import pairwise
from pathlib import Path

import pytest

from supply_chain.audit import LOCKS, NPM_FOLDERS, PINNED, ROOT

BY_VERSION_ALONE = "supply_chain/torch.txt"
# For the benchmark alone: what we are compared with.
NOT_LOCKED = {f"bench/baseline/{name}.txt" for name in ("requirements", "infinity", "decoders", "imagededup")}
SCRIPTS = ("supply_chain/packages.sh", "supply_chain/model.sh")


@pytest.mark.parametrize("lock", [lock for lock in LOCKS if lock != BY_VERSION_ALONE])
def test_every_package_has_its_hash(lock: str) -> None:
    text = (ROOT / lock).read_text()
    entries = re.split(r"\n(?=[^\s#])", text.strip())
    assert len(entries) == len(PINNED.findall(text))
    assert all(re.search(r"--hash=sha256:[0-9a-f]{64}\b", entry) for entry in entries)


def test_torch_has_its_version() -> None:
    lines = [line for line in (ROOT / BY_VERSION_ALONE).read_text().splitlines() if not line.startswith("#")]
    assert [PINNED.fullmatch(line)[1] for line in lines] == ["torch", "torchvision"]  # type: ignore[index]


@pytest.mark.parametrize("folder", NPM_FOLDERS)
def test_every_npm_package_has_its_hash(folder: str) -> None:
    packages = json.loads((ROOT / folder / "package-lock.json").read_text())["packages"]
    installed = {name: entry for name, entry in packages.items() if name and not entry.get("inBundle")}
    assert installed
    assert all(entry["integrity"].startswith("sha512-") for entry in installed.values())


def printed_by_make(*arguments: str) -> str:
    """What make prints, and under -n would run."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))
    }
    return subprocess.run(
        ["make", *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    ).stdout


@pytest.fixture(scope="module")
def installing() -> list[list[str]]:
    """Commands that install from a file: of every target of make, as if nothing was there, and of builds."""
    targets = [line.split()[0] for line in printed_by_make("help").splitlines()]
    texts = [printed_by_make("-n", "-B", *targets), *((ROOT / script).read_text() for script in SCRIPTS)]
    lines = "\n".join(texts).replace("\\\n", " ").splitlines()
    commands = [part.split() for line in lines for part in re.split(r"[;|&]+", line)]
    return [
        command
        for command in commands
        if {"pip", "pip3"} & {Path(word).name for word in command}
        and ("sync" in command or {"install", "-r"} <= set(command))
    ]


def files_of(command: list[str]) -> set[str]:
    if "sync" in command:
        return {command[-1]}
    return {file.strip('"') for option, file in pairwise(command) if option == "-r"}


def test_locks_are_installed_by_their_hashes(installing: list[list[str]]) -> None:
    hashed = {file for each in installing if "--require-hashes" in each for file in files_of(each)}
    loose = {file for each in installing if "--require-hashes" not in each for file in files_of(each)}
    assert loose == {BY_VERSION_ALONE} | NOT_LOCKED
    by_image = {"$image/requirements.txt", "$lock", "$1"}  # variables of the shell
    assert by_image <= hashed
    assert hashed - by_image == set(LOCKS) - loose - {"lambda/requirements.txt", "sagemaker/requirements.txt"}


SECRETS = {
    "a key of AWS": "key = " + "AKIA" + "Q3EGRIDXMLVU5LT2",
    "a private key": "-----BEGIN " + "RSA PRIVATE KEY-----",
    "a token of GitHub": "ghp_" + "1234567890abcdefghijklmnopqrstuvwxyz"[:36],
    "a token of Slack": "xoxb-" + "1234567890-1234567890-abcdefghijklmnopqrstuvwx",
    "a password in a URL": "https://somebody:" + "hunter2@db.example/",
}


def finds(text: str, folder: Path) -> int:
    """The exit code of the scan in `make check` over one file."""
    line = next(line for line in printed_by_make("-n", "check").splitlines() if "detect-secrets-hook" in line)
    command = shlex.split(line.partition("xargs -0 ")[2])
    file = folder / "some.py"
    file.write_text(text + "\n")
    return subprocess.run([*command, str(file)], cwd=ROOT, capture_output=True, check=False).returncode


@pytest.mark.parametrize("kind", SECRETS)
def test_a_secret_in_the_tree_fails_the_check(kind: str, tmp_path: Path) -> None:
    assert finds(f"nothing = 1\n{SECRETS[kind]}", tmp_path) == 1


def test_a_file_without_secrets_passes(tmp_path: Path) -> None:
    assert finds("nothing = 1", tmp_path) == 0
