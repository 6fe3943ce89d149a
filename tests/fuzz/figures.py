"""What a fuzzing process tells in its log, as a table."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from tests.support.table import Row, markdown


@dataclass(frozen=True)
class Figures:
    """One target's run.

    Attributes:
        target: its name.
        seconds: how long it ran.
        status: the exit status of its process.
        log: what libFuzzer printed.
        interrupted: whether it was told to stop.
    """

    target: str
    seconds: float
    status: int
    log: str
    interrupted: bool = False

    @property
    def executions(self) -> int:
        """By the final statistics, else by the last line of progress."""
        final = re.findall(r"number_of_executed_units: +(\d+)", self.log)
        return int((final or re.findall(r"^#(\d+)\s", self.log, re.MULTILINE) or ["0"])[-1])

    @property
    def branches(self) -> int:
        """Branches of the code under test that were reached."""
        return int((re.findall(r" cov: (\d+) ", self.log) or ["0"])[-1])

    @property
    def megabytes(self) -> int:
        """Peak of resident memory."""
        final = re.findall(r"peak_rss_mb: +(\d+)", self.log)
        return int((final or re.findall(r" rss: (\d+)Mb", self.log) or ["0"])[-1])

    @property
    def findings(self) -> list[str]:
        """Files with an input that broke a promise, or was slow."""
        return re.findall(r"Test unit written to (\S+)", self.log)

    @property
    def is_clean(self) -> bool:
        """Whether it found nothing, to its end or until it was told to stop."""
        ran = self.interrupted or (self.status == 0 and self.executions > 0)
        return ran and not self.findings

    def line(self) -> str:
        """For those who wait."""
        told = "nothing found" if self.is_clean else f"NOT CLEAN, see .cache/fuzz/{self.target}.log"
        return f"{self.target}: {self.executions} executions in {self.seconds:.0f} s, {told}"

    def row(self) -> Row:
        """Its row of the table."""
        broken = "" if self.is_clean or self.findings else f" (status {self.status})"
        return {
            "target": self.target,
            "seconds": round(self.seconds),
            "executions": self.executions,
            "branches": self.branches,
            "peak MB": self.megabytes,
            "findings": f"{len(self.findings)}{broken}",
        }


def table(runs: Sequence[Figures]) -> str:
    """All targets, and their totals."""
    total: Row = {
        "target": "all",
        "seconds": round(sum(run.seconds for run in runs)),
        "executions": sum(run.executions for run in runs),
        "branches": "",
        "peak MB": max((run.megabytes for run in runs), default=0),
        "findings": sum(len(run.findings) for run in runs),
    }
    return markdown([*(run.row() for run in runs), total])
