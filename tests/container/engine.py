"""A container engine of the tests' own: its daemon, its data, and nothing left of it afterwards."""

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

START_SECONDS = 60
PACKAGES = ("docker.io", "mmdebstrap")


class EngineError(Exception):
    """No engine can be had here, or it did not do what was asked; the message says what is missing."""


def run(
    command: Sequence[str | Path], *, timeout: float = 600, environ: Mapping[str, str] | None = None
) -> str:
    """Run a command to its end and return what it printed; EngineError with its last lines if it fails."""
    done = subprocess.run(
        [str(part) for part in command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=timeout,
        env=environ,
    )
    if done.returncode:
        tail = "\n".join(done.stdout.splitlines()[-30:])
        raise EngineError(f"{' '.join(map(str, command[:4]))} ... ended with {done.returncode}:\n{tail}")
    return done.stdout


def install_missing() -> None:
    """Install Debian's packages with the daemon and the base maker, where they are missing and we may."""
    missing = [name for name in ("dockerd", "mmdebstrap") if shutil.which(name) is None]
    if not missing:
        return
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise EngineError(
            f"{' and '.join(missing)} missing: install {' '.join(PACKAGES)} and run this as root, or set "
            "DOCKER_HOST, LAMBDA_BASE and PYTHON_BASE to use an engine and bases of your own"
        )
    quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    run(["apt-get", "update", "-qq"], environ=quiet)
    run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", *PACKAGES], environ=quiet)


class Engine:
    """A running daemon and its command line."""

    def __init__(self, host: str) -> None:
        self._environ = os.environ | {"DOCKER_HOST": host, "DOCKER_CLI_HINTS": "false"}
        # Debian's client builds with BuildKit out of the box; another one may lack its plugin.
        debian = Path("/usr/bin/docker")
        self.client = str(debian) if debian.exists() else "docker"
        self._environ["DOCKER_BUILDKIT"] = "1"

    def docker(
        self, *arguments: str | Path, timeout: float = 600, environ: Mapping[str, str] | None = None
    ) -> str:
        """Run `docker ARGUMENTS`."""
        return run([self.client, *arguments], timeout=timeout, environ=self._environ | dict(environ or {}))

    def build(self, context: Path, tag: str, *options: str, environ: Mapping[str, str] | None = None) -> str:
        """Build an image without any network; returns the build's output."""
        command = ["build", "--network=none", "--progress=plain", "-t", tag, *options, str(context)]
        return self.docker(*command, environ=environ)

    @contextlib.contextmanager
    def container(self, *arguments: str | Path) -> Iterator[str]:
        """A container in the background, removed at the end."""
        name = self.docker("run", "--detach", *arguments).strip().splitlines()[-1]
        try:
            yield name
        finally:
            self.docker("rm", "--force", name)


@contextlib.contextmanager
def engine(root: Path) -> Iterator[Engine]:
    """The engine that DOCKER_HOST names, or a daemon of our own with all of its data under `root`."""
    if host := os.environ.get("DOCKER_HOST"):
        yield Engine(host)
        return
    install_missing()
    clear(root)
    root.mkdir(parents=True)
    try:
        with _daemon(root) as process:
            made = Engine(f"unix://{root}/docker.sock")
            _wait(made, process, root)
            yield made
    finally:
        clear(root)


@contextlib.contextmanager
def _daemon(root: Path) -> Iterator[subprocess.Popen[bytes]]:
    command = [
        # Should we be killed without a word, the daemon is told to end, and ends its containers.
        *("setpriv", "--pdeathsig", "TERM", "dockerd"),
        *("--data-root", root / "data", "--exec-root", root / "exec", "--pidfile", root / "dockerd.pid"),
        *("--host", f"unix://{root}/docker.sock"),
        *("--bridge=none", "--iptables=false", "--ip6tables=false"),
    ]
    with (root / "dockerd.log").open("wb") as log:
        process = subprocess.Popen(
            [str(part) for part in command], stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(made: Engine, process: subprocess.Popen[bytes], root: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            made.docker("info", timeout=10)
        except (EngineError, subprocess.TimeoutExpired) as error:
            if process.poll() is not None or time.monotonic() > deadline:
                log = (root / "dockerd.log").read_text(errors="replace").splitlines()
                raise EngineError("dockerd does not run here:\n" + "\n".join(log[-20:])) from error
            time.sleep(0.3)
        else:
            return


def clear(root: Path) -> None:
    """End a daemon that an earlier run left under `root`, and remove its mounts and files."""
    pidfile = root / "dockerd.pid"
    if pidfile.exists():
        pid = int(pidfile.read_text())
        with contextlib.suppress(ProcessLookupError, FileNotFoundError):
            # A pid is used again sooner or later: only a process that names our folder is ours.
            if str(root).encode() in Path(f"/proc/{pid}/cmdline").read_bytes():
                os.kill(pid, signal.SIGTERM)
                _wait_for_end(pid)
    for line in reversed(Path("/proc/mounts").read_text().splitlines()):
        mount = line.split()[1]
        if mount.startswith(f"{root}/"):
            run(["umount", "--lazy", mount])
    if root.exists():
        shutil.rmtree(root)


def _wait_for_end(pid: int) -> None:
    for _ in range(100):
        if not Path(f"/proc/{pid}").exists():
            return
        time.sleep(0.2)
    os.kill(pid, signal.SIGKILL)
