"""An image registry on loopback, and what it holds."""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.container.bases import CACHE
from tests.container.engine import EngineError, run

DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
KNOWN = (
    DOCKER_MANIFEST,
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.oci.image.index.v1+json",
)
START_SECONDS = 30


@dataclass(frozen=True)
class Registry:
    """A running registry; `address` is host and port, the first part of its images' names."""

    address: str

    def media_type(self, name: str, tag: str) -> str:
        """The media type of an image's manifest, as the registry and the manifest itself name it."""
        url = f"http://{self.address}/v2/{name}/manifests/{tag}"
        request = urllib.request.Request(url, headers={"Accept": ", ".join(KNOWN)})
        with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310 - loopback
            said, manifest = str(response.headers["Content-Type"]), json.load(response)
        if manifest["mediaType"] != said:
            raise AssertionError(f"The registry says {said}, its manifest {manifest['mediaType']}")
        return said


@contextlib.contextmanager
def registry() -> Iterator[Registry]:
    """Debian's docker-registry on a free port of loopback, its data in a folder that is removed."""
    program = _program()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    with tempfile.TemporaryDirectory(prefix="registry-") as folder:
        configuration = {
            "version": "0.1",
            "log": {"level": "error"},
            "storage": {"filesystem": {"rootdirectory": f"{folder}/data"}},
            "http": {"addr": address},
        }
        file = Path(folder, "config.yml")
        file.write_text(json.dumps(configuration))  # JSON is YAML
        log = Path(folder, "log")
        with log.open("wb") as output:
            # Should we be killed without a word, it ends too.
            command = ["setpriv", "--pdeathsig", "TERM", program, "serve", str(file)]
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        try:
            _wait(address, process, log)
            yield Registry(address)
        finally:
            process.terminate()
            process.wait(timeout=30)


def _program() -> str:
    """The registry's program. Its package is unpacked, not installed: installed, it would start a service."""
    if found := shutil.which("docker-registry"):
        return found
    unpacked = CACHE / "registry"
    program = unpacked / "usr" / "bin" / "docker-registry"
    if not program.exists():
        if shutil.which("apt-get") is None:
            raise EngineError("docker-registry is missing: install it (Debian's package has this name)")
        with tempfile.TemporaryDirectory() as folder:
            if os.geteuid() == 0:
                run(["apt-get", "update", "-qq"])
            run(["sh", "-c", 'cd "$0" && apt-get download -qq docker-registry', folder])
            (package,) = Path(folder).glob("docker-registry_*.deb")
            run(["dpkg-deb", "--extract", package, unpacked])
    return str(program)


def _wait(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            with urllib.request.urlopen(f"http://{address}/v2/", timeout=5):
                return
        except OSError as error:
            if process.poll() is not None or time.monotonic() > deadline:
                raise EngineError(f"docker-registry does not run here:\n{log.read_text()}") from error
            time.sleep(0.1)
