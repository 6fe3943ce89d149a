"""What a long command does now: how much of it, how fast, and how long it still takes."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from image_similarity.cli.text import printable, stderr

LONGEST_NAME = 32


class Advance(Protocol):
    """Tells of progress."""

    def __call__(self, more: int, last: str = "") -> None:
        """So many more are done; `last` is the path of one of them."""


@contextmanager
def progress(doing: str, total: int | None = None) -> Iterator[Advance]:
    """Show a line on a terminal while the block runs; elsewhere nothing.

    Args:
        doing: what is done, in one or two words.
        total: pictures that there are to do; none: nobody knows, or it is one thing.

    Yields:
        A function that takes how many more are done.
    """
    if not stderr().is_terminal:
        yield lambda more, last="": None
        return
    from rich import progress as rich  # only where it is seen

    bar = rich.Progress(
        rich.TextColumn("{task.description}", markup=False),
        rich.BarColumn(),
        rich.TextColumn("{task.fields[count]}"),
        rich.TextColumn("{task.fields[rate]}"),
        rich.TimeRemainingColumn() if total else rich.TimeElapsedColumn(),
        rich.TextColumn("{task.fields[last]}", markup=False),
        console=stderr(),
        transient=True,
    )
    with bar:
        task = bar.add_task(doing, total=total, count=f"0 of {total:,}" if total else "", rate="", last="")
        done = 0

        def advance(more: int, last: str = "") -> None:
            nonlocal done
            done += more
            speed = bar.tasks[0].speed
            bar.update(
                task,
                advance=more,
                count=f"{done:,} of {total:,}" if total else f"{done:,}",
                rate=f"{speed:.1f} pictures/s" if speed else "",
                last=printable(Path(last).name)[-LONGEST_NAME:],
            )

        yield advance
