"""The process that makes decoders: small, with one thread, and never shown a file.

A process with ONNX Runtime's threads must not fork. This one is forked (or started anew) before or beside
them, has all that a decoder imports in its memory, and makes a decoder in a few milliseconds. It talks to
the service through one socket: a command, an answer; a new decoder's pipes go along as descriptors. It ends
when the socket does, and every decoder with it.
"""

import fcntl
import gc
import importlib
import os
import signal
import socket
import struct
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import NoReturn

from image_similarity.inference.decoders import sandbox
from image_similarity.inference.decoders.limits import Limits

COMMAND = struct.Struct("<cI")
STARTED = struct.Struct("<II")
ENDED = struct.Struct("<iB")
START, REAP, KILL = b"S", b"R", b"K"
SOCKET = 3
GRACE_SECONDS = 0.2
"""A decoder whose pipe has ended is about to be gone; its own end tells why, a kill of ours would not."""
REQUEST_PIPE_BYTES, ANSWER_PIPE_BYTES = 1024**2, 256 * 1024
IGNORED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""What a terminal or a container engine sends to all: we end with the service, once that has drained."""


class Zygote:
    """The loop of the process, and its decoders by their numbers."""

    def __init__(self, control: socket.socket, limits: Limits) -> None:
        from image_similarity.inference.decoders import worker  # and with it Pillow, in this process alone

        self._control = control
        self._limits = limits
        self._worker = worker
        self._decode = worker.load(limits.function)
        self._running: dict[int, int] = {}  # numbers by process
        self._ended: dict[int, int] = {}  # exit codes by number: processes' ids are used again
        self._numbers = 0
        gc.freeze()  # pages that the collector does not visit stay shared with every decoder
        signal.signal(signal.SIGCHLD, lambda *_: self._collect())

    def serve(self) -> None:
        """Obey until the service is gone."""
        with suppress(ConnectionError):
            while len(command := self._control.recv(COMMAND.size, socket.MSG_WAITALL)) == COMMAND.size:
                order, number = COMMAND.unpack(command)
                if order == START:
                    self._start()
                else:
                    self._end(number, GRACE_SECONDS if order == REAP else 0)
        with _uncollected():
            for pid in self._running:
                os.kill(pid, signal.SIGKILL)
        while self._running:
            time.sleep(0.0005)

    def _start(self) -> None:
        requests_out, requests_in = os.pipe()
        answers_out, answers_in = os.pipe()
        _enlarge(requests_in, REQUEST_PIPE_BYTES)
        _enlarge(answers_in, ANSWER_PIPE_BYTES)
        self._numbers += 1
        parent = os.getpid()
        with _uncollected():
            pid = os.fork()
            self._running[pid] = self._numbers
        if pid == 0:
            try:
                self._become_decoder(parent, requests_out, answers_in)
            finally:
                os._exit(1)
        os.close(requests_out)
        os.close(answers_in)
        socket.send_fds(self._control, [STARTED.pack(self._numbers, pid)], [requests_in, answers_out])
        os.close(requests_in)
        os.close(answers_out)

    def _become_decoder(self, parent: int, requests: int, answers: int) -> NoReturn:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        requests, answers = os.dup(requests), os.dup(answers)  # above the numbers that they are to have
        os.dup2(requests, self._worker.REQUESTS)
        os.dup2(answers, self._worker.ANSWERS)
        sandbox.keep_only(self._worker.REQUESTS, self._worker.ANSWERS)
        self._worker.run(self._decode, self._limits, parent)

    def _end(self, number: int, grace_seconds: float) -> None:
        killed, patience = False, time.monotonic() + grace_seconds
        while number not in self._ended:
            if not killed and time.monotonic() >= patience:
                killed = self._kill(number)
            time.sleep(0.0005)
        self._control.sendall(ENDED.pack(self._ended.pop(number), killed))

    def _kill(self, number: int) -> bool:
        with _uncollected():  # until it is, its id is nobody else's
            for pid in [pid for pid, its in self._running.items() if its == number]:
                os.kill(pid, signal.SIGKILL)
                return True
        return False

    def _collect(self) -> None:
        """Reap decoders that have ended, so that none stays as a zombie."""
        while self._running:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return  # the signal came while it was handled: the interrupted call notes the last one
            if pid == 0:
                return
            self._ended[self._running.pop(pid)] = os.waitstatus_to_exitcode(status)


@contextmanager
def _uncollected() -> Iterator[None]:
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})


def _enlarge(pipe: int, size: int) -> None:
    try:
        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, size)
    except OSError:  # over the system's limit: only slower
        return


def run(control: socket.socket, limits: Limits, parent: int | None) -> NoReturn:
    """Be the zygote and exit; the socket is the only thing that is kept of the process before.

    Args:
        control: the service is at its other end.
        limits: for decoders.
        parent: the process to end with, where the kernel is to see to it: only its main thread counts.
    """
    for number in IGNORED:
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, IGNORED)
    gc.freeze()  # objects of the process before are not collected here: they would close its descriptors
    if control.fileno() != SOCKET:
        os.dup2(control.detach(), SOCKET)
        control = socket.socket(fileno=SOCKET)
    sandbox.keep_only(2, SOCKET)  # a start that fails says why, on standard error
    importlib.import_module("numpy")  # under the environment that it was started with
    sandbox.forget_environment()
    if parent is not None:
        with suppress(OSError):  # where it is forbidden, the socket's end ends us
            sandbox.die_with(parent)
    Zygote(control, limits).serve()
    os._exit(0)


if __name__ == "__main__":
    run(socket.socket(fileno=int(sys.argv[1])), Limits.from_json(sys.argv[2]), None)
