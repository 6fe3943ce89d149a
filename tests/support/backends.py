"""The backends under soak, run as their platforms run them: a killed process is started again."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.support.adapters import wait_until_ready
from tests.support.local_stack import running_stack
from tests.support.ports import free_port

ROOT = Path(__file__).parents[2]
PAGE_KB = os.sysconf("SC_PAGE_SIZE") // 1024


@dataclass(frozen=True)
class Backend:
    """A running backend.

    Attributes:
        url: where requests go.
        workers: ids of the processes that may be killed.
    """

    url: str
    workers: Callable[[], list[int]]

    def memory_megabytes(self) -> float:
        """Resident memory of all workers."""
        return sum(_resident(pid) for pid in self.workers()) / 1024

    def kill_one(self, choose: Callable[[list[int]], int]) -> bool:
        """Kill a worker without warning."""
        pids = self.workers()
        if not pids:
            return False
        try:
            os.kill(choose(pids), signal.SIGKILL)
        except ProcessLookupError:
            return False
        return True


@contextmanager
def lambda_backend(environment: Mapping[str, str]) -> Iterator[Backend]:
    """The local gateway with the Lambda handler under emulators; runtimes get killed."""
    parameters = f"ImageSimilarity=yes-lambda APIExplorer=no ImageBuckets={environment['IMAGE_BUCKETS']}"
    with running_stack(parameters, environment) as run:
        origin, pid = run.origin, run.process.pid

        def workers() -> list[int]:
            return [child for child in _descendants(pid) if "awslambdaric" in _command(child)[:60]]

        yield Backend(f"{origin}/prod/image-similarity", workers)


@contextmanager
def sagemaker_backend(environment: Mapping[str, str]) -> Iterator[Backend]:
    """The serving process, started again when it ends, as SageMaker hosting does with a container."""
    port, ending, running = free_port(), threading.Event(), list[subprocess.Popen[bytes]]()
    inherited = {**os.environ, "PYTHONPATH": str(ROOT), "SAGEMAKER_BIND_TO_PORT": str(port), **environment}
    log = Path(".cache") / "soak-sagemaker.log"
    log.parent.mkdir(exist_ok=True)

    def keep() -> None:
        while not ending.is_set():
            with log.open("ab") as output:
                command = [sys.executable, "-m", "sagemaker.server"]
                running.append(subprocess.Popen(command, env=inherited, stdout=output, stderr=output))
            running[-1].wait()

    keeper = threading.Thread(target=keep, daemon=True)
    keeper.start()
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=60) as client:
            while not running:
                ending.wait(0.01)
            wait_until_ready(client, "/ping", running[0])
        yield Backend(f"http://127.0.0.1:{port}/invocations", lambda: [running[-1].pid])
    finally:
        ending.set()
        running[-1].terminate()
        keeper.join(30)
        running[-1].kill()


def _descendants(parent: int) -> list[int]:
    children = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            ours = int(stat.read_text().rpartition(")")[2].split()[1]) == parent
        except OSError:
            continue
        if ours:
            child = int(stat.parent.name)
            children += [child, *_descendants(child)]
    return children


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ").partition("python")[2]
    except OSError:
        return ""


def _resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE_KB
    except (OSError, IndexError):
        return 0
