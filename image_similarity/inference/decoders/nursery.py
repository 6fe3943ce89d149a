"""The service's side of the zygote: starts it, asks it for decoders, starts another when it is lost."""

import logging
import os
import select
import socket
import threading
import time
from typing import NamedTuple

from image_similarity.inference.decoders import launch, zygote
from image_similarity.inference.decoders.child import Child
from image_similarity.inference.decoders.limits import Limits
from image_similarity.inference.decoders.patience import Patience

ZYGOTE_SECONDS = 20.0
"""For one answer of the zygote: milliseconds, or where it has just been started the time of its imports."""
CLOSE_SECONDS = 2.0
logger = logging.getLogger(__name__)


class ZygoteLostError(Exception):
    """The zygote has ended, or does not answer."""


class End(NamedTuple):
    """How a decoder ended: its exit code, negative for a signal; None if it is no longer known."""

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
        self._owner = os.getpid()
        self.forked = launch.may_fork()
        self._process: launch.Process
        self._start(forking=self.forked)

    @property
    def zygote_pid(self) -> int:
        """The process that makes decoders now."""
        return self._process.pid

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
        """End a decoder, by force or because it has closed a pipe."""
        child.close()
        with self._lock:
            if child.zygote == self._zygotes:
                try:
                    self._send(zygote.KILL if kill else zygote.REAP, child.number)
                    code, killed = zygote.ENDED.unpack(self._receive(zygote.ENDED.size)[0])
                    return End(code, bool(killed))
                except ZygoteLostError:
                    logger.warning("nobody can tell how decoder process %d ended", child.pid)
                    # A late answer would be taken for the next one, so this zygote is not used again.
                    self._control.close()
        _reap(child.pid)
        return End(None, kill)

    def close(self) -> None:
        """End the zygote, and with it every decoder; none of them is left to another process."""
        if os.getpid() != self._owner:
            return  # a fork of this process: they are not its own
        with self._lock:
            self._control.close()
            ended = time.monotonic() + CLOSE_SECONDS
            while self._process.poll() is None and time.monotonic() < ended:
                time.sleep(0.001)
            self._discard()

    def _start(self, *, forking: bool) -> None:
        self._zygotes += 1
        self._control, theirs = socket.socketpair()
        self._control.setblocking(False)
        with theirs:
            self._process = (
                launch.fork(theirs, self._control, self._limits)
                if forking
                else launch.spawn(theirs, self._limits)
            )
        self._asked = False
        try:
            self._ask()
        except ZygoteLostError:
            return  # whoever needs a decoder will hear of it

    def _discard(self) -> None:
        self._control.close()
        if self._process.poll() is None:
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


def _reap(pid: int) -> None:
    """If this is process 1, it has to reap the decoders of a lost zygote."""
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return
