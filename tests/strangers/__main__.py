"""python -m tests.strangers FOLDER [--save FOLDER] [--show]: counts by cause, and the files behind them."""

import argparse
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from tests.soak.table import Row, markdown
from tests.strangers.judge import DEAR_MEGABYTES, MAX_BYTES, SLOW_SECONDS, Verdict, judge
from tests.strangers.readers import READERS

QUIET = {"the same", "hardly differs", "refused by all"}
EXAMPLES = 3


def files(folder: Path) -> list[Path]:
    """Every file below the folder that a request could bring; links are not followed."""
    return sorted(
        path
        for path in folder.rglob("*")
        if path.is_file() and not path.is_symlink() and path.stat().st_size <= MAX_BYTES
    )


def by_cause(verdicts: Sequence[Verdict], folder: Path) -> list[Row]:
    """A row for each kind and cause, the most frequent first, with some of the files."""
    causes: dict[tuple[str, str], list[Verdict]] = defaultdict(list)
    for verdict in verdicts:
        causes[verdict.kind, verdict.cause].append(verdict)
    return [
        {
            "outcome": kind,
            "cause": cause,
            "files": len(some),
            "for example": ", ".join(str(verdict.path.relative_to(folder)) for verdict in some[:EXAMPLES]),
        }
        for (kind, cause), some in sorted(causes.items(), key=lambda item: (item[0][0], -len(item[1])))
    ]


def costly(verdicts: Sequence[Verdict], folder: Path) -> list[Row]:
    """Files that take us long, or much memory, with what they take of others."""
    return [
        {
            "file": str(verdict.path.relative_to(folder)),
            **{
                name: f"{outcome.seconds:.2f} s, {outcome.megabytes} MB"
                for name, outcome in verdict.outcomes.items()
            },
        }
        for verdict in verdicts
        if verdict.outcomes["ours"].seconds > SLOW_SECONDS
        or verdict.outcomes["ours"].megabytes > DEAR_MEGABYTES
    ]


def save(verdict: Verdict, folder: Path, number: int) -> None:
    """The squares of all readers side by side, to be looked at."""
    squares = [outcome.square for outcome in verdict.outcomes.values() if outcome.square is not None]
    if squares:
        name = f"{number:04} {verdict.path.name}.png"
        Image.fromarray(np.hstack(squares)).save(folder / name, "PNG")


def main() -> int:
    """Read every file of the folder; status 1 where one of them shows a defect."""
    parser = argparse.ArgumentParser(prog="python -m tests.strangers", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--save", type=Path, help="folder for the squares of files that differ, side by side")
    parser.add_argument("--show", action="store_true", help="every file that is not the same everywhere")
    chosen = parser.parse_args()
    verdicts = []
    for number, path in enumerate(files(chosen.folder)):
        verdict = judge(path)
        verdicts.append(verdict)
        if verdict.kind not in QUIET and chosen.show:
            print(f"{path}: {verdict.kind}: {verdict.cause or verdict.outcomes['ours'].refusal}", flush=True)
        if verdict.kind not in QUIET and chosen.save:
            chosen.save.mkdir(parents=True, exist_ok=True)
            save(verdict, chosen.save, number)
    print(f"{len(verdicts)} files through {', '.join(READERS)}\n")
    print(markdown(by_cause(verdicts, chosen.folder)) if verdicts else "no files")
    if slow := costly(verdicts, chosen.folder):
        print(f"\nOver {SLOW_SECONDS:.0f} s of the processor, or {DEAR_MEGABYTES} MB:\n\n{markdown(slow)}")
    return Counter(verdict.kind for verdict in verdicts)["DEFECT"] > 0


if __name__ == "__main__":
    raise SystemExit(main())
