"""The service's side of the zygote: starts it, asks it for decoders, starts another when it is lost."""

import logging
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import traceback
from typing import NamedTuple, Protocol

from inference.decoders import zygote
from inference.decoders.child import Child
from inference.decoders.limits import Limits
from inference.decoders.patience import Patience

ZYGOTE_SECONDS = 20.0
"""For one answer of the zygote: milliseconds, or where it has just been started the time of its imports."""
logger = logging.getLogger(__name__)


class ZygoteLostError(Exception):
    """The zygote has ended, or does not answer."""


class End(NamedTuple):
    """How a decoder ended: its exit code, negative for a signal; None where nobody can tell any more."""

    code: int | None
    killed_by_us: bool


class Nursery:
    """Decoders on demand. Thread-safe."""

    def __init__(self, limits: Limits) -> None:
        """Start the zygote: a fork where this process has no other thread, else a new interpreter.

        The first decoder is asked for at once, and comes to be while the service loads its model.
        """
        self._limits = limits
        self._lock = threading.Lock()
        self._zygotes = 0
        self.forked = _threads() == 1
        self._process: _Process
        self._start(forking=self.forked)

    def child(self) -> Child:
        """A new decoder.

        Raises:
            ZygoteLostError: none can be made, by another zygote either.
        """
        with self._lock:
            try:
                return self._child()
            except ZygoteLostError:
                logger.exception("the process that makes decoders is lost; starting another")
            self._discard()
            self._start(forking=False)
            return self._child()

    def end(self, child: Child, *, kill: bool) -> End:
        """See a decoder off, by force or because it has closed a pipe."""
        child.close()
        with self._lock:
            if child.zygote == self._zygotes:
                try:
                    self._send(zygote.KILL if kill else zygote.REAP, child.number)
                    code, killed = zygote.ENDED.unpack(self._receive(zygote.ENDED.size)[0])
                    return End(code, bool(killed))
                except ZygoteLostError:
                    logger.warning("nobody can tell how decoder process %d ended", child.pid)
        _reap(child.pid)
        return End(None, kill)

    def close(self) -> None:
        """End the zygote, and with it every decoder."""
        with self._lock:
            self._discard()

    def _start(self, *, forking: bool) -> None:
        self._zygotes += 1
        self._control, theirs = socket.socketpair()
        self._control.setblocking(False)
        with theirs:
            self._process = (
                _fork(theirs, self._control, self._limits) if forking else _spawn(theirs, self._limits)
            )
        self._asked = False
        try:
            self._ask()
        except ZygoteLostError:
            return  # whoever needs a decoder will hear of it

    def _discard(self) -> None:
        self._control.close()
        self._process.kill()
        self._process.wait()

    def _ask(self) -> None:
        if not self._asked:
            self._send(zygote.START)
        self._asked = True

    def _child(self) -> Child:
        self._ask()
        answer, pipes = self._receive(zygote.STARTED.size, descriptors=2)
        self._asked = False
        number, pid = zygote.STARTED.unpack(answer)
        return Child(number, pid, self._zygotes, (pipes[0], pipes[1]), self._limits)

    def _send(self, order: bytes, number: int = 0) -> None:
        try:
            self._control.sendall(zygote.COMMAND.pack(order, number))
        except OSError as error:
            raise ZygoteLostError("it takes no command") from error

    def _receive(self, size: int, descriptors: int = 0) -> tuple[bytes, list[int]]:
        ready, patience = select.poll(), Patience(ZYGOTE_SECONDS)
        try:
            ready.register(self._control, select.POLLIN)
            while not patience.wait(ready):
                if patience.over:
                    raise ZygoteLostError("it does not answer")
            answer, passed, _, _ = socket.recv_fds(self._control, size, descriptors, socket.MSG_CMSG_CLOEXEC)
        except (OSError, ValueError) as error:
            raise ZygoteLostError("its socket is broken") from error
        if len(answer) != size or len(passed) != descriptors:
            for descriptor in passed:
                os.close(descriptor)
            raise ZygoteLostError("it has ended")
        return answer, passed


class _Process(Protocol):
    def kill(self) -> None: ...
    def wait(self) -> object: ...


class _Forked:
    """A forked zygote, as far as subprocess.Popen would be asked of one."""

    def __init__(self, pid: int) -> None:
        self._pid = pid

    def kill(self) -> None:
        os.kill(self._pid, signal.SIGKILL)  # its id is its own until `wait`

    def wait(self) -> None:
        try:
            os.waitpid(self._pid, 0)
        except ChildProcessError:  # SIGCHLD is ignored in this process: it has left no zombie
            return


def _fork(theirs: socket.socket, ours: socket.socket, limits: Limits) -> _Process:
    parent = os.getpid()
    signal.pthread_sigmask(signal.SIG_BLOCK, zygote.IGNORED)  # until the zygote ignores them
    pid = os.fork()
    if pid == 0:
        try:
            ours.close()
            zygote.run(theirs, limits, parent)
        except BaseException:  # nothing of this may go on as a second service
            traceback.print_exc()
        finally:
            os._exit(1)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, zygote.IGNORED)
    return _Forked(pid)


def _spawn(theirs: socket.socket, limits: Limits) -> _Process:
    """A zygote of its own making; it has no credentials in its environment, and imports for half a second."""
    environment = {"PYTHONPATH": os.pathsep.join(path or os.getcwd() for path in sys.path)}  # noqa: PTH109
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


def _threads() -> int:
    """Threads of this process, those of C libraries too."""
    try:
        return len(os.listdir("/proc/self/task"))  # noqa: PTH208 - only their number
    except OSError:
        return 2  # nobody knows: better a new interpreter


def _reap(pid: int) -> None:
    """Where this is process 1, a lost zygote's decoders are its to take leave of."""
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return
