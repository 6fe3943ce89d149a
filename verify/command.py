"""The command: what is to be run, asking before anything changes, the table at the end."""

import argparse
import json
import re
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import NoReturn

from rich.console import Console

from verify.checks.all import LAST, ROWS
from verify.cloud import Cloud
from verify.facts import CloudFailed
from verify.rows import Row
from verify.run import Choice, Run, plan
from verify.subject import Pictures
from verify.table import FAILED, Report

ROOT = Path(__file__).resolve().parent.parent
PICTURE = "https://www.python.org/static/img/python-logo.png"
RESULTS = "verify-results"
INTERRUPTED = 130


class Unusable(ValueError):
    """An argument that can't be used; the message says what to write."""


def parser(prog: str) -> argparse.ArgumentParser:
    """The options that every cloud has."""
    made = argparse.ArgumentParser(prog=prog, description="Verify a deployed stack: docs/first-deployment.md")
    made.add_argument("--quick", action="store_true", help="what takes ten minutes, on the backend as it is")
    made.add_argument("--only", default="", help="names of rows, separated by commas")
    made.add_argument(
        "--with", dest="supplied", default="", help="what rows need: NAME=VALUE, separated by spaces"
    )
    made.add_argument(
        "--picture", default=PICTURE, help="URL of a JPEG, PNG, BMP or WebP that everyone may fetch"
    )
    made.add_argument(
        "--delete", action="store_true", help="at the end, delete the stack and look what is left"
    )
    made.add_argument("--yes", action="store_true", help="do not ask before parameters are changed")
    made.add_argument("--out", type=Path, default=Path(RESULTS), help=f"folder for the table ({RESULTS})")
    return made


def choice(options: argparse.Namespace) -> Choice:
    """What the options choose. Raises Unusable."""
    names = [name for name in options.only.split(",") if name]
    unknown = sorted(set(names) - {row.name for row in ROWS})
    if unknown:
        raise Unusable(
            f"No row is called {', '.join(unknown)}; there are {', '.join(row.name for row in ROWS)}."
        )
    rows = [row for row in ROWS if _chosen(row, names, quick=options.quick)]
    data = json.loads((ROOT / "examples" / "data" / "pair.json").read_text())
    return Choice(
        rows,
        LAST,
        Pictures(data["img_1"], data["img_2"], options.picture),
        _supplied(options.supplied),
        quick=options.quick,
        delete=options.delete,
    )


def _chosen(row: Row, names: Sequence[str], *, quick: bool) -> bool:
    return row.name in names if names else row.quick or not quick


def _supplied(text: str) -> Mapping[str, str]:
    known = {name for row in ROWS for name in row.needs}
    values: dict[str, str] = {}
    for word in text.split():
        name, separator, value = word.partition("=")
        if not separator or name not in known:
            raise Unusable(f"{word!r}: write NAME=VALUE, of {', '.join(sorted(known))}.")
        values[name] = value
    return values


def execute(options: argparse.Namespace, cloud: Callable[[], Cloud], console: Console) -> int:
    """Verify; the exit status: 0 all passed, 1 something failed, 3 something was skipped, 130 interrupted."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        chosen, verified = choice(options), cloud()
        if not _agreed(options, verified, chosen, console):
            return FAILED
        return _run(options, verified, chosen, console)
    except (CloudFailed, Unusable) as error:
        print(f"\n{error}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED


def _run(options: argparse.Namespace, cloud: Cloud, chosen: Choice, console: Console) -> int:
    stack = cloud.stack()
    name, moment = stack.id.split("/")[1], datetime.now(UTC)
    run = Run(cloud, chosen, lambda text: console.print(text, markup=False, highlight=False))
    try:
        run.start()
    finally:  # an interrupted run too has something to show
        title = f"{name} in {cloud.region}, {moment:%Y-%m-%d %H:%M} UTC"
        report = Report(title, tuple(run.results), run.times)
        report.show(console)
        saved = report.save(options.out, f"{re.sub(r'[^A-Za-z0-9-]', '-', name)}-{moment:%Y%m%d-%H%M%S}")
        console.print(f"Saved: {saved}", markup=False)
    return report.status


def _agreed(options: argparse.Namespace, cloud: Cloud, chosen: Choice, console: Console) -> bool:
    """Whether the owner lets parameters be changed and, where that was chosen, the stack be deleted."""
    groups = plan(cloud, chosen)
    changed = sorted({name for _, rows in groups for row in rows for name in row.changed})
    if len(groups) > 1:
        changed = ["ImageSimilarity", *changed]
    name = cloud.stack().id.split("/")[1]
    if not changed and not options.delete:
        return True
    if changed:
        console.print(f"Of the stack {name} these parameters are changed, and put back: {', '.join(changed)}")
    if options.delete:
        console.print(f"At the end the stack {name} is DELETED.")
    if options.yes:
        return True
    if not sys.stdin.isatty():
        raise Unusable("Nobody can be asked here: add YES=1 (--yes).")
    return input("Write the stack's name to go on: ").strip() == name


def _interrupt(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt
