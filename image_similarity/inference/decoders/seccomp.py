"""The system calls that a decoder may make, as a filter in the kernel (seccomp, classic BPF).

https://docs.kernel.org/userspace-api/seccomp_filter.html
A decoder reads one pipe, writes another and takes memory. What would reach the world ends it, which the
service logs as a crash; everything else (opening files too) fails with EPERM, as a library may well ask for
what it does not need.
"""

import ctypes
import errno
import os
import platform
import struct
from collections.abc import Callable

PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2  # linux/prctl.h, linux/seccomp.h
KILL, REFUSE, ALLOW = 0x80000000, 0x00050000 | errno.EPERM, 0x7FFF0000
# linux/bpf_common.h: load a word of the call's data; jump if equal, at least, any bit set; return.
LOAD, EQUAL, AT_LEAST, ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
NUMBER, ARCHITECTURE, THIRD_ARGUMENT = 0, 4, 32  # offsets in struct seccomp_data, of little-endian words
PROT_EXEC = 4
X32 = 0x40000000  # x86_64's second table of calls


AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}  # linux/audit.h
# Numbers on x86_64 and aarch64 (asm/unistd.h); None where the processor has no such call.
Numbers = dict[str, tuple[int, int | None]]
ALLOWED: Numbers = {
    **{"read": (0, 63), "readv": (19, 65), "write": (1, 64), "writev": (20, 66), "close": (3, 57)},
    **{"brk": (12, 214), "munmap": (11, 215), "mremap": (25, 216), "madvise": (28, 233)},
    **{"futex": (202, 98), "sched_yield": (24, 124), "getpid": (39, 172), "gettid": (186, 178)},
    **{"clock_gettime": (228, 113), "gettimeofday": (96, 169), "getrandom": (318, 278)},
    **{"setitimer": (38, 103), "rt_sigreturn": (15, 139), "restart_syscall": (219, 128)},
    **{"exit": (60, 93), "exit_group": (231, 94)},
}
ALLOWED_WITHOUT_CODE: Numbers = {"mmap": (9, 222), "mprotect": (10, 226)}
"""Only where the third argument has no PROT_EXEC."""
DEADLY: Numbers = {
    **{"socket": (41, 198), "socketpair": (53, 199), "connect": (42, 203), "bind": (49, 200)},
    **{"listen": (50, 201), "accept": (43, 202), "sendto": (44, 206), "sendmsg": (46, 211)},
    **{"fork": (57, None), "vfork": (58, None), "clone": (56, 220), "clone3": (435, 435)},
    **{"execve": (59, 221), "execveat": (322, 281), "ptrace": (101, 117), "kill": (62, 129)},
    **{"process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "tkill": (200, 130)},
    **{"pidfd_open": (434, 434), "pidfd_getfd": (438, 438), "memfd_create": (319, 279), "bpf": (321, 280)},
    **{"mount": (165, 40), "unshare": (272, 97), "setns": (308, 268), "setuid": (105, 146)},
    **{"io_uring_setup": (425, 425), "init_module": (175, 105)},
}


def program(machine: str) -> bytes:
    """The filter for a processor of AUDIT, as an array of struct sock_filter."""
    lines = [
        _line(LOAD, ARCHITECTURE),
        _line(EQUAL, AUDIT[machine], 1, 0),
        _line(RETURN, KILL),
        _line(LOAD, NUMBER),
        _line(AT_LEAST, X32, 0, 1),
        _line(RETURN, KILL),
    ]
    for number in _numbers(ALLOWED, machine):
        lines += [_line(EQUAL, number, 0, 1), _line(RETURN, ALLOW)]
    for number in _numbers(ALLOWED_WITHOUT_CODE, machine):
        lines += [_line(EQUAL, number, 0, 4), _line(LOAD, THIRD_ARGUMENT)]
        lines += [_line(ANY_BIT, PROT_EXEC, 0, 1), _line(RETURN, REFUSE), _line(RETURN, ALLOW)]
    for number in _numbers(DEADLY, machine):
        lines += [_line(EQUAL, number, 0, 1), _line(RETURN, KILL)]
    return b"".join([*lines, _line(RETURN, REFUSE)])


def _numbers(calls: Numbers, machine: str) -> list[int]:
    column = list(AUDIT).index(machine)
    return [number for both in calls.values() if (number := both[column]) is not None]


def _line(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, value)


def install(prctl: Callable[..., int]) -> None:
    """Filter the calls of this thread and of all that it would start, for good.

    Args:
        prctl: the C library's, with errno kept by ctypes.

    Raises:
        OSError: the system has no such filters, or does not allow them here.
    """
    if platform.machine() not in AUDIT:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    code = program(platform.machine())
    instructions = ctypes.create_string_buffer(code, len(code))
    # struct sock_fprog: a count, and a pointer at the place of its alignment.
    header = ctypes.create_string_buffer(struct.pack("@HP", len(code) // 8, ctypes.addressof(instructions)))
    for arguments in (
        (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0),
        (PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.addressof(header), 0, 0),
    ):
        if prctl(*map(ctypes.c_ulong, arguments)):
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
