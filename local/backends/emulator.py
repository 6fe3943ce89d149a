"""AWS's Lambda Runtime Interface Emulator: fetched once, checked by hash, kept in .cache.

AWS publishes the binary inside the wheel of its SAM command line.
"""

import os
import platform
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

VERSION = "1.170.0"
WHEEL_SHA256 = "24ebaf5ecba38dc1758089968cb89ab61e124b84e92a344fc7a2771a47f4d0bf"
MACHINES = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}


class EmulatorUnavailable(RuntimeError):
    """The emulator can't be fetched; the message says what to do."""


def supported() -> bool:
    """Whether AWS ships the emulator for this machine: Linux on x86_64 or arm64."""
    return sys.platform == "linux" and platform.machine().lower() in MACHINES


def emulator(cache: Path, say: Callable[[str], None]) -> Path:
    """Return the emulator's binary, fetching it when it is not in the cache yet.

    Raises EmulatorUnavailable.
    """
    machine = MACHINES[platform.machine().lower()]
    target = cache / f"aws-lambda-rie-{VERSION}-{machine}"
    if target.exists():
        return target
    say(f"Fetching AWS's Lambda emulator (8 MB, aws-sam-cli {VERSION} from PyPI)")
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as folder:
        wheel = _download(Path(folder))
        with zipfile.ZipFile(wheel) as archive:
            data = archive.read(f"samcli/local/rapid/aws-lambda-rie-{machine}")
        partial = Path(folder) / "emulator"
        partial.write_bytes(data)
        partial.chmod(0o755)
        os.replace(partial, target)  # noqa: PTH105 - atomic: two runs may fetch at once
    return target


def _download(folder: Path) -> Path:
    requirements = folder / "requirements.txt"
    requirements.write_text(f"aws-sam-cli=={VERSION} --hash=sha256:{WHEEL_SHA256}\n")
    options = ["--no-deps", "--require-hashes", "--only-binary=:all:", "--disable-pip-version-check"]
    command = [sys.executable, "-m", "pip", "download", "-qq", *options, "-d", str(folder)]
    done = subprocess.run([*command, "-r", str(requirements)], check=False)  # noqa: S603 - no shell
    wheels = list(folder.glob("*.whl"))
    if done.returncode or not wheels:
        raise EmulatorUnavailable(
            "The Lambda emulator could not be fetched (see pip's message above). Run again with network, "
            "or with PARAMETERS=ImageSimilarity=yes-sagemaker, which needs none."
        )
    return wheels[0]


if __name__ == "__main__":  # set-up for the tests
    if supported():
        emulator(Path(__file__).resolve().parents[2] / ".cache", print)
