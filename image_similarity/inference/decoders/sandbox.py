"""What a decoder gives up before it sees a file: descriptors, environment, rights, memory.

Every step is the kernel's and can't be taken back. Where a system does not grant one, the others hold and
the service logs which is missing. AWS Lambda, for one, has been seen to forbid prctl(2), without which there
is no filter of system calls; limits (setrlimit) work everywhere, and a process that may have no further
descriptor opens no file and no socket.
"""

import ctypes
import itertools
import os
import resource
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

from image_similarity.inference.decoders import seccomp

NOBODY = 65534
PR_SET_PDEATHSIG, PR_SET_DUMPABLE = 1, 4  # linux/prctl.h
FIRST_TO_GO = "1000"  # proc(5), oom_score_adj: the kernel, short of memory, ends this process first
ENVIRONMENT_START, ENVIRONMENT_END = 50, 51  # fields of /proc/self/stat, counted from 1
_libc = ctypes.CDLL(None, use_errno=True)
_Step = tuple[str, Callable[[], None]]


def keep_only(*kept: int) -> None:
    """Close every descriptor but these, and let 0, 1 and 2 lead nowhere: C libraries write there."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in {0, 1, 2} - {*kept}:
        os.dup2(nowhere, standard)
    for descriptor in _descriptors() - {0, 1, 2, *kept}:
        try:
            os.close(descriptor)
        except OSError:  # the listing's own, which is closed already
            continue


def _descriptors() -> set[int]:
    try:
        return {int(name) for name in os.listdir("/proc/self/fd")}  # noqa: PTH208 - names are all we want
    except OSError:
        return set(range(min(resource.getrlimit(resource.RLIMIT_NOFILE)[0], 65536)))


def forget_environment() -> None:
    """Overwrite the environment (it holds credentials) in this process's memory, and drop it.

    There are three copies: the block that the kernel laid out at the start, strings that were set later, and
    Python's own.
    """
    for copy in os.environ._data.values():  # type: ignore[attr-defined]
        if len(copy) > 1:  # shorter ones are shared by the whole interpreter
            ctypes.memset(id(copy) + bytes.__basicsize__ - 1, 0, len(copy))
    os.environ._data.clear()  # type: ignore[attr-defined]
    strings = ctypes.POINTER(ctypes.c_void_p).in_dll(_libc, "environ")
    for index in itertools.count():
        if not strings or not (address := strings[index]):
            break
        ctypes.memset(address, 0, len(ctypes.string_at(address)))
    _libc.clearenv()
    fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()  # the name may hold anything
    start, end = (int(fields[field - 3]) for field in (ENVIRONMENT_START, ENVIRONMENT_END))
    if 0 < start < end:
        ctypes.memset(start, 0, end - start)


def confine(parent: int, memory_bytes: int) -> list[str]:
    """Give up everything that decoding does not need.

    Args:
        parent: the process that this one is not to outlive.
        memory_bytes: address space that may be taken above what is in use now.

    Returns:
        The protections that the system did not grant, each with its reason.
    """
    missing = []
    for name, step in _steps(parent, memory_bytes):
        try:
            step()
        except (OSError, ValueError) as error:
            missing.append(f"{name} ({getattr(error, 'strerror', None) or error})")
    return missing


def _steps(parent: int, memory_bytes: int) -> Iterator[_Step]:
    yield "oom_score_adj", lambda: _write("/proc/self/oom_score_adj", FIRST_TO_GO)
    if os.geteuid() == 0:
        yield "user", _become_nobody  # before the next two, which a change of user undoes
    yield "parent-death signal", lambda: die_with(parent)
    yield "dumpable", lambda: _prctl(PR_SET_DUMPABLE, 0)
    yield "memory limit", lambda: _limit(resource.RLIMIT_AS, _address_space() + memory_bytes)
    # No core file, no file's growth, no further descriptor, no further process.
    yield "core limit", lambda: _limit(resource.RLIMIT_CORE, 0)
    yield "file limit", lambda: _limit(resource.RLIMIT_FSIZE, 0)
    yield "descriptor limit", lambda: _limit(resource.RLIMIT_NOFILE, 0)
    yield "process limit", lambda: _limit(resource.RLIMIT_NPROC, 0)
    yield "system-call filter", lambda: seccomp.install(_libc.prctl)


def die_with(parent: int) -> None:
    """Let the kernel end this process when its parent ends.

    Raises:
        OSError: the system does not allow it; the end of the pipes ends the process all the same.
    """
    _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it ended before the line above
        os._exit(0)


def _become_nobody() -> None:
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)


def _prctl(option: int, value: int) -> None:
    if _libc.prctl(option, ctypes.c_ulong(value), 0, 0, 0):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _limit(kind: int, most: int) -> None:
    resource.setrlimit(kind, (most, most))


def _address_space() -> int:
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()


def _write(path: str, text: str) -> None:
    Path(path).write_text(text)
