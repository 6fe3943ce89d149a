"""Child processes that never outlive this one, however it ends."""

import ctypes
import os
import secrets
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

PR_SET_PDEATHSIG = 1  # linux/prctl.h: the signal that the child gets when its parent dies
STOP_SECONDS = 5.0
TAIL_LINES = 15
FIRST_PORT, PORTS, TRIES = 12_000, 8_000, 100
"""Below the ports that systems give to whoever asks for any, who might get ours before its server listens."""

_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


class Process:
    """A command in a process group of its own, so that a Ctrl-C at the terminal reaches only us."""

    def __init__(
        self, command: Sequence[str], *, environment: Mapping[str, str], directory: Path, log: Path
    ) -> None:
        self.command = list(command)
        self.log = log
        parent = os.getpid()
        with log.open("ab") as output:
            self._popen = subprocess.Popen(  # noqa: S603 - our own command line, no shell
                self.command,
                env=dict(environment),
                cwd=directory,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=lambda: _die_with(parent),
            )

    @property
    def running(self) -> bool:
        """Whether the process has not ended."""
        return self._popen.poll() is None

    def tail(self) -> str:
        """Return the last lines that the process wrote, without the emulator's own ones."""
        lines = self.log.read_text("utf-8", "replace").splitlines()
        telling = [line for line in lines if "(rapid)" not in line][-TAIL_LINES:]
        return "\n".join(f"  | {line}" for line in [*telling, f"whole log: {self.log}"])

    def stop(self) -> None:
        """End the process and its group: politely first, for certain after a few seconds."""
        if self.running:
            self._popen.terminate()
            try:
                self._popen.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._popen.kill()
                self._popen.wait()
        try:
            os.killpg(self._popen.pid, signal.SIGKILL)  # what the process may have left behind
        except (ProcessLookupError, PermissionError):
            return


def free_port(preferred: int = 0) -> int:
    """Return a loopback port that nothing listens on now: the preferred one where it is one."""
    for port in (preferred, *(FIRST_PORT + secrets.randbelow(PORTS) for _ in range(TRIES))):
        with socket.socket() as probe, suppress(OSError, OverflowError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            if port:
                return port
    raise OSError("no port of this machine is free")


def listens(port: int) -> bool:
    """Whether something listens on a loopback port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _die_with(parent: int) -> None:
    if _libc is not None:
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died before the line above
            os.kill(os.getpid(), signal.SIGKILL)
