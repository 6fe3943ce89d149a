"""Processes as /proc shows them."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

PROC = Path("/proc")


class Process(NamedTuple):
    pid: int
    parent: int
    state: str


def processes() -> list[Process]:
    found = []
    for folder in PROC.iterdir():
        if not folder.name.isdigit():
            continue
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:  # it has just ended
            continue
        found.append(Process(int(folder.name), int(fields[1]), fields[0]))
    return found


def children(pid: int) -> list[Process]:
    """Those that this process has not taken leave of, zombies too."""
    return [process for process in processes() if process.parent == pid]


def descendants(pid: int) -> list[int]:
    below = [process.pid for process in children(pid)]
    return below + [each for process in below for each in descendants(process)]


def running(pid: int) -> bool:
    """Read once: a process that is reaped between two looks has ended, whatever the first one saw."""
    return any(process.pid == pid and process.state != "Z" for process in processes())


def wait_until(condition: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.01)
