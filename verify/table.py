"""The table of a run: on the terminal, and saved as Markdown and JSON."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from verify.rows import Result

STYLES = {"pass": "green", "fail": "bold red", "skipped": "yellow"}
PASSED, FAILED, SKIPPED = 0, 1, 3


@dataclass(frozen=True)
class Report:
    """A run's results.

    Args:
        title: the stack, its region, and when it was verified.
        results: in their order.
        times: seconds of each update, by what it changed.
    """

    title: str
    results: Sequence[Result]
    times: Sequence[tuple[str, float]]

    @property
    def status(self) -> int:
        """The exit status: 0 where every row passed; skipped is never passed."""
        verdicts = {result.verdict for result in self.results}
        if "fail" in verdicts or not verdicts:
            return FAILED
        return SKIPPED if "skipped" in verdicts else PASSED

    @property
    def summary(self) -> str:
        """How many passed, failed and were skipped."""
        counted = Counter(result.verdict for result in self.results)
        return f"{counted['pass']} passed, {counted['fail']} failed, {counted['skipped']} skipped"

    def show(self, console: Console) -> None:
        """Print the table."""
        table = Table("row", "on", "what", "expected", "seen", "", title=self.title)
        for item in self.results:
            verdict = Text(item.verdict, STYLES[item.verdict])
            cells = (item.row.name, item.backend, item.row.what, item.row.expected, item.seen)
            table.add_row(*(Text(cell) for cell in cells), verdict)
        console.print(table)
        for title, seconds in self.times:
            console.print(f"{seconds:7.0f} s  {title}", markup=False)
        console.print(self.summary)

    def save(self, folder: Path, name: str) -> Path:
        """Write NAME.md and NAME.json into the folder; the path of the first."""
        folder.mkdir(parents=True, exist_ok=True)
        rows = [
            {
                "row": item.row.name,
                "backend": item.backend,
                "what": item.row.what,
                "expected": item.row.expected,
                "seen": item.seen,
                "verdict": item.verdict,
            }
            for item in self.results
        ]
        told = {"title": self.title, "summary": self.summary, "rows": rows, "updates": list(self.times)}
        (folder / f"{name}.json").write_text(json.dumps(told, indent=2) + "\n", "utf-8")
        page = folder / f"{name}.md"
        page.write_text(self._markdown(), "utf-8")
        return page

    def _markdown(self) -> str:
        lines = [f"# {self.title}", "", self.summary, ""]
        lines += ["| row | on | what | expected | seen | |", "| --- | --- | --- | --- | --- | --- |"]
        for item in self.results:
            cells = (item.row.name, item.backend, item.row.what, item.row.expected, item.seen, item.verdict)
            lines.append(f"| {' | '.join(cell.replace('|', '/').replace(chr(10), ' ') for cell in cells)} |")
        lines += ["", "| update | seconds |", "| --- | ---: |"]
        lines += [f"| {title} | {seconds:.0f} |" for title, seconds in self.times]
        return "\n".join([*lines, ""])
