"""Starting the zygote: a fork of this process, or an interpreter of its own."""

import gc
import importlib
import os
import signal
import socket
import sys
import traceback
from typing import Protocol

from image_similarity.inference.decoders import zygote
from image_similarity.inference.decoders.limits import Limits

ONE_THREAD = "OPENBLAS_NUM_THREADS"


class Process(Protocol):
    """What is needed of a subprocess.Popen."""

    pid: int

    def poll(self) -> int | None:
        """The exit code; None where it has not ended."""

    def kill(self) -> None:
        """End it, which can't be refused."""

    def wait(self) -> int | None:
        """Wait for its end; the exit code."""


class _Forked:
    """A forked zygote, as far as subprocess.Popen would be asked of one."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._code: int | None = None

    def poll(self) -> int | None:
        return self._collect(os.WNOHANG)

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)  # its id is its own until it is collected

    def wait(self) -> int | None:
        return self._collect(0)

    def _collect(self, options: int) -> int | None:
        if self._code is None:
            try:
                pid, status = os.waitpid(self.pid, options)
            except ChildProcessError:  # somebody else has, or SIGCHLD is ignored in this process
                self._code = 0
            else:
                self._code = os.waitstatus_to_exitcode(status) if pid else None
        return self._code


def fork(theirs: socket.socket, ours: socket.socket, limits: Limits) -> Process:
    """A zygote forked from this process, which must have one thread only.

    Args:
        theirs: the zygote's end of the control socket.
        ours: the service's, which the fork closes.
        limits: for its decoders.
    """
    parent = os.getpid()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, zygote.IGNORED)  # until the zygote ignores them
    gc.freeze()  # what the collector does not visit stays one copy for both
    pid = os.fork()
    if pid == 0:
        try:
            ours.close()
            zygote.run(theirs, limits, parent)
        except BaseException:  # nothing of this may go on as a second service
            traceback.print_exc()
        finally:
            os._exit(1)
    signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return _Forked(pid)


def spawn(theirs: socket.socket, limits: Limits) -> Process:
    """A zygote of its own making; it has no credentials in its environment, and imports for half a second."""
    import subprocess  # seldom needed, and not for nothing at a cold start

    environment = {ONE_THREAD: "1", "PYTHONPATH": os.pathsep.join(path or os.getcwd() for path in sys.path)}  # noqa: PTH109
    if libraries := os.environ.get("LD_LIBRARY_PATH"):
        environment["LD_LIBRARY_PATH"] = libraries
    command = [sys.executable, "-m", zygote.__name__, str(theirs.fileno()), limits.to_json()]
    return subprocess.Popen(  # noqa: S603 - our own command line, no shell
        command,
        env=environment,
        pass_fds=[theirs.fileno()],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )


def may_fork() -> bool:
    """Whether this process has one thread only, those of C libraries counted.

    NumPy is imported for the zygote and the service at once; its library for matrices, which neither uses,
    would start a thread for every core.
    """
    os.environ.setdefault(ONE_THREAD, "1")
    importlib.import_module("numpy")
    try:
        return len(os.listdir("/proc/self/task")) == 1  # noqa: PTH208 - only their number
    except OSError:
        return False  # nobody knows: better a new interpreter
