"""A share of the processor as Lambda gives it: a CFS quota in a control group of its own (Linux, root)."""

import errno
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PERIOD_MS = 20
"""Of the quota: a function that used its share waits for the next period."""
REMOVAL_SECONDS = 10


class NoQuotaError(RuntimeError):
    """This machine lets us set no quota; the message says why."""


@contextmanager
def limited(cpus: float) -> Iterator[tuple[str, ...]]:
    """A control group that gets so many CPUs; yields what to write before a command to start it there.

    The group goes at the end, when its processes must be about to end.

    Raises:
        NoQuotaError: the kernel's controller is missing or not ours to use, or there are too few cores.
    """
    if cpus > len(os.sched_getaffinity(0)):
        raise NoQuotaError(f"{cpus:.2f} CPUs need more cores than the {os.cpu_count()} of this machine")
    root, version = controller(Path("/proc/self/mounts").read_text())
    try:
        group = Path(tempfile.mkdtemp(prefix="bench-", dir=root))
    except OSError as error:
        raise NoQuotaError(f"no control group can be made, which takes root: {error}") from error
    try:
        try:
            for name, value in settings(cpus, version).items():
                (group / name).write_text(value)
        except OSError as error:
            raise NoQuotaError(f"the quota can't be set: {error}") from error
        yield ("sh", "-c", 'echo $$ > "$0" && exec "$@"', str(group / "cgroup.procs"))
    finally:
        _remove(group)


def _remove(group: Path) -> None:
    """Waits for the last processes: what one of ours has started ends a moment after it."""
    deadline = time.monotonic() + REMOVAL_SECONDS
    while True:
        try:
            return group.rmdir()
        except OSError as error:
            if error.errno != errno.EBUSY or time.monotonic() > deadline:
                raise
        time.sleep(0.01)


def controller(mounts: str) -> tuple[Path, int]:
    """Where groups of the processor's controller are made, and the version of that interface.

    Args:
        mounts: the text of /proc/self/mounts.

    Raises:
        NoQuotaError: there is no such controller.
    """
    entries = [line.split() for line in mounts.splitlines()]
    for _, folder, kind, options, *_ in entries:
        if kind == "cgroup" and "cpu" in options.split(","):
            return Path(folder), 1
    for _, folder, kind, *_ in entries:
        if kind == "cgroup2" and "cpu" in _words(Path(folder, "cgroup.subtree_control")):
            return Path(folder), 2
    raise NoQuotaError("no controller of the processor is mounted (cgroup v1) or enabled (cgroup v2)")


def settings(cpus: float, version: int) -> dict[str, str]:
    """The files of a group and what to write into them.

    The greatest weight goes with the quota: a share is waited for at its end, not for other processes.
    """
    period = PERIOD_MS * 1000
    quota = round(cpus * period)
    if version == 2:
        return {"cpu.max": f"{quota} {period}", "cpu.weight": "10000"}
    return {"cpu.cfs_period_us": str(period), "cpu.cfs_quota_us": str(quota), "cpu.shares": "262144"}


def _words(file: Path) -> list[str]:
    return file.read_text().split() if file.exists() else []
