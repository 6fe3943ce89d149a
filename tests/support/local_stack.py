"""Starts `python -m local` as `make run` does and stops it as Ctrl-C does."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 200.0
STOP_SECONDS = 60.0
OURS = ("AWS_", "ALLOW_PRIVATE_SOURCES", "IMAGE_BUCKETS", "MODEL_DIR")


class LocalRun:
    """A run of the local stack; its output is kept line by line."""

    def __init__(self, *arguments: str, environment: Mapping[str, str] | None = None) -> None:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
        self.lines: list[str] = []
        self.process = subprocess.Popen(
            [sys.executable, "-m", "local", *arguments],
            cwd=ROOT,
            env={**inherited, "PYTHONPATH": str(ROOT), **(environment or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def output(self) -> str:
        return "\n".join(self.lines)

    @property
    def origin(self) -> str:
        """Wait until the run says that it is ready; returns http://127.0.0.1:PORT."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            ended = self.process.poll() is not None
            if "Ctrl-C stops it." in self.output:
                match = re.search(r"health\s+(http://\S+)/healthz", self.output)
                assert match, self.output
                return match[1]
            assert not ended, f"the local stack ended:\n{self.output}"
            time.sleep(0.02)
        raise TimeoutError(f"the local stack is not ready:\n{self.output}")

    def wait(self) -> int:
        """Wait for a run that ends by itself; returns its exit status."""
        status = self.process.wait(START_SECONDS)
        self._reader.join(STOP_SECONDS)
        return status

    def stop(self, number: int = signal.SIGINT) -> int:
        """Stop the run by a signal; returns its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            return self.process.wait(STOP_SECONDS)
        finally:
            self.process.kill()
            self._reader.join(STOP_SECONDS)

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as stream:
            for line in stream:
                self.lines.append(line.rstrip("\n"))


@contextmanager
def running_stack(parameters: str = "", environment: Mapping[str, str] | None = None) -> Iterator[LocalRun]:
    """A local stack on a free port, for as long as the block runs."""
    run = LocalRun("--port", "0", "--parameters", parameters, environment=environment)
    try:
        yield run
    finally:
        run.stop()
