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
    """The part of subprocess.Popen that is used here."""

    pid: int

    def poll(self) -> int | None:
        """The exit code; None while it runs."""

    def kill(self) -> None:
        """End it by SIGKILL."""

    def wait(self) -> int | None:
        """Wait for its end and return the exit code."""


class _Forked:
    """A forked zygote, with the interface of subprocess.Popen."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._code: int | None = None

    def poll(self) -> int | None:
        return self._collect(os.WNOHANG)

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)  # until it is reaped, no other process gets its id

    def wait(self) -> int | None:
        return self._collect(0)

    def _collect(self, options: int) -> int | None:
        if self._code is None:
            try:
                pid, status = os.waitpid(self.pid, options)
            except ChildProcessError:  # somebody else reaped it, or this process ignores SIGCHLD
                self._code = 0
            else:
                self._code = os.waitstatus_to_exitcode(status) if pid else None
        return self._code


def fork(theirs: socket.socket, ours: socket.socket, limits: Limits) -> Process:
    """A zygote forked from this process, which must have one thread only.

    Args:
        theirs: the end of the control socket for the zygote.
        ours: the service's end, which the fork closes.
        limits: the budget of its decoders.
    """
    parent = os.getpid()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, zygote.IGNORED)  # until the zygote ignores them
    gc.freeze()  # pages that the collector does not touch stay shared
    pid = os.fork()
    if pid == 0:
        try:
            ours.close()
            zygote.run(theirs, limits, parent)
        except BaseException:  # the fork must never continue as a second service
            traceback.print_exc()
        finally:
            os._exit(1)
    signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return _Forked(pid)


def spawn(theirs: socket.socket, limits: Limits) -> Process:
    """A zygote in a new interpreter: it has no credentials in its environment, and takes half a second."""
    import subprocess  # rarely needed, and importing it slows a cold start

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
    """Whether this process has a single thread, C libraries' threads included.

    NumPy is imported once for the zygote and the service; its linear algebra library, which neither uses,
    would start a thread for each core.
    """
    os.environ.setdefault(ONE_THREAD, "1")
    gc.disable()  # of what an import makes, nothing is garbage: looking for it is a tenth of the time
    try:
        importlib.import_module("numpy")
    finally:
        gc.enable()
    try:
        return len(os.listdir("/proc/self/task")) == 1  # noqa: PTH208 - only their number
    except OSError:
        return False  # unknown, so a new interpreter is safer
