"""What else the machine does while we measure, by Linux's own figures; and whether a run may be quoted.

Between measurements, when nothing of ours runs, whatever keeps the cores busy is not ours: that is looked at
before each of them. The load average is recorded too, but no run is judged by it: it still counts our own
preparations of a minute ago.
"""

import os
import platform
import re
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np

from bench.measure.results import State

OTHERS_LIMIT = 0.05
"""Of all cores."""
STEAL_LIMIT = 0.01
"""Of the time of all cores, over the whole run."""
PAUSE_SECONDS = 1.0
SPIN_SECONDS, SPINS = 0.2, 5
"""On an idle machine some spins are half as fast as others: a pause's pace is their median."""
SIDE = 512
"""Of the matrices whose product is the fixed work that tells how fast a core is."""
PACE_LIMIT = 0.8
"""Of the median pause: hosts slow their guests down for one another without counting it as stolen time."""


@dataclass(frozen=True)
class Ticks:
    """Time of all cores since the machine started, in the kernel's ticks: all, spent on work, and stolen."""

    total: int
    busy: int
    steal: int

    @classmethod
    def parse(cls, stat: str) -> "Ticks":
        """From the text of /proc/stat.

        Raises:
            ValueError: its first line is not that of all cores.
        """
        name, *columns = stat.split("\n", 1)[0].split()
        if name != "cpu" or len(columns) < 8:
            raise ValueError(f"/proc/stat begins with {stat[:40]!r}, not with the times of all cores")
        # What guests use is in user and nice already, so the columns after the eighth would count twice.
        user, nice, system, idle, iowait, irq, softirq, steal = map(int, columns[:8])
        busy = user + nice + system + irq + softirq
        return cls(busy + idle + iowait + steal, busy, steal)

    @classmethod
    def now(cls) -> "Ticks":
        """Of this machine."""
        return cls.parse(Path("/proc/stat").read_text())

    def since(self, earlier: "Ticks") -> "Ticks":
        """What was added in between."""
        return Ticks(self.total - earlier.total, self.busy - earlier.busy, self.steal - earlier.steal)


class Watch:
    """Looks at the machine in the pauses of one run."""

    def __init__(self) -> None:
        self._begin = Ticks.now()
        self._others: list[float] = []
        self._mhz: list[float] = []
        self._paces: list[float] = []
        self._matrix = np.ones((SIDE, SIDE), np.float32)

    def pause(self) -> None:
        """Do nothing for a second and see what others do; then compute, and see how fast the machine is."""
        before = Ticks.now()
        time.sleep(PAUSE_SECONDS)
        spent = Ticks.now().since(before)
        if spent.total > 0:
            self._others.append((spent.busy + spent.steal) / spent.total)
        self._paces.append(median(self._spin() for _ in range(SPINS)))
        self._mhz += frequencies(Path("/"))

    def _spin(self) -> float:
        """Products a second."""
        begin, products = time.perf_counter(), 0
        while (took := time.perf_counter() - begin) < SPIN_SECONDS:
            self._matrix @ self._matrix
            products += 1
        return products / took

    def state(self) -> State:
        """Of the whole run until now."""
        spent = Ticks.now().since(self._begin)
        return State(
            others=max(self._others, default=None),
            steal=spent.steal / spent.total if spent.total > 0 else None,
            lowest_mhz=min(self._mhz, default=None),
            highest_mhz=max(self._mhz, default=None),
            slowest_pace=min(self._paces) / median(self._paces) if self._paces else None,
        )


def frequencies(root: Path) -> list[float]:
    """Of the fastest core now, in MHz: one figure, or none where the machine does not say.

    Args:
        root: the folder that has `sys` and `proc`.
    """
    governed = root.glob("sys/devices/system/cpu/cpu[0-9]*/cpufreq/scaling_cur_freq")
    cores = [int(file.read_text()) / 1000 for file in governed]
    if not cores:
        text = (root / "proc/cpuinfo").read_text()
        cores = [float(value) for value in re.findall(r"^cpu MHz\s*: ([\d.]+)$", text, re.MULTILINE)]
    return [max(cores)] if cores else []


def description() -> str:
    """The processor, and how many of its cores this process may use."""
    return f"{_processor()}, {len(os.sched_getaffinity(0))} cores"


def peak_bytes() -> int:
    """The most memory that this process has had, by Linux's own figure; what ran before it does not count."""
    found = re.search(r"^VmHWM:\s+(\d+) kB$", Path("/proc/self/status").read_text(), re.MULTILINE)
    if found is None:
        raise LookupError("/proc/self/status tells no VmHWM")
    return int(found[1]) * 1024


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def objections(state: State) -> list[str]:
    """Why figures of this run are not to be quoted; empty for a quiet machine."""
    if state.others is None or state.steal is None:
        return ["the machine does not say what else it does (/proc/stat)"]
    against = []
    if state.others > OTHERS_LIMIT:
        against.append(f"others kept {state.others:.1%} of the cores busy, {OTHERS_LIMIT:.0%} is the limit")
    if state.steal > STEAL_LIMIT:
        against.append(
            f"the host withheld {state.steal:.1%} of the cores' time, {STEAL_LIMIT:.0%} is the limit"
        )
    if state.slowest_pace is not None and state.slowest_pace < PACE_LIMIT:
        against.append(
            f"the same work went at {state.slowest_pace:.0%} of its usual pace at times, "
            f"{PACE_LIMIT:.0%} is the limit"
        )
    return against
