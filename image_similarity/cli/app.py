"""The command `image-similarity`: its commands, how it starts and how it ends."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup
from typer.exceptions import TyperException

from image_similarity import __version__
from image_similarity.cli import streams
from image_similarity.cli.commands import compare, embed
from image_similarity.cli.indexing import index
from image_similarity.cli.pairs import pairs
from image_similarity.cli.running import ExitCode
from image_similarity.cli.searching import search
from image_similarity.cli.text import printable, tell, write
from image_similarity.inference import runtime


class Commands(TyperGroup):
    """The commands. What they were called with may hold anything, so errors about it are made printable."""

    def make_context(self, *arguments: Any, **options: Any) -> Any:  # noqa: ANN401 - as Typer has it
        """See `TyperGroup.make_context`."""
        with printable_errors():
            return super().make_context(*arguments, **options)

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401 - as Typer has it
        """See `TyperGroup.invoke`."""
        with printable_errors():
            return super().invoke(ctx)


@contextmanager
def printable_errors() -> Iterator[None]:
    """Make the message of an error of use printable."""
    try:
        yield
    except TyperException as error:
        error.message = printable(error.message)
        raise


app = typer.Typer(
    cls=Commands,
    help=(
        "Vectors, similarities, near-duplicates and search for pictures (JPEG, PNG, BMP and WebP; files, "
        "folders or URLs). "
        "Without --stack, --url or --local everything is computed in this process. "
        "Exit codes: 0 all done, 1 a picture failed, 2 wrong usage or no answer, 130 stopped by Ctrl-C."
    ),
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
EXAMPLES: dict[Callable[..., None], tuple[str, ...]] = {
    embed: (
        "image-similarity embed ~/Pictures --output vectors.npy",
        "image-similarity embed cat.jpg https://example.com/dog.jpg > vectors.jsonl",
    ),
    compare: ("image-similarity compare cat.jpg other.jpg",),
    pairs: (
        "image-similarity pairs ~/Pictures --report duplicates.html",
        "image-similarity pairs ~/Pictures /media/disk --find edits --json",
        "find . -name '*.jpg' -mtime -7 -print0 | image-similarity pairs -",
    ),
    index: (
        "image-similarity index ~/Pictures",
        "image-similarity index",
        "image-similarity index --forget ~/Pictures/old",
    ),
    search: (
        "image-similarity search cat.jpg --limit 5",
        "image-similarity search cat.jpg --in ~/Pictures --find copies",
        "image-similarity search --text 'a red shirt'",
    ),
}
for command, lines in EXAMPLES.items():
    app.command(epilog="\n".join(("Examples:" if len(lines) > 1 else "Example:", *lines)))(command)


def show_version(wanted: bool) -> None:
    """Print the version and end, where that is wanted."""
    if wanted:
        write(f"image-similarity {__version__}")
        raise typer.Exit


@app.callback()
def every_command(
    version: Annotated[
        bool, typer.Option("--version", callback=show_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Take the options that come before a command."""


def main() -> None:
    """The entry point of the command `image-similarity`."""
    runtime.prepare()
    streams.prepare()
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # no shell told it to ignore Ctrl-C
        signal.signal(signal.SIGINT, interrupt)
    try:
        app(prog_name="image-similarity")
    except SystemExit as end:
        if end.code in (ExitCode.CANNOT_GO_ON, ExitCode.INTERRUPTED):
            leave(ExitCode(end.code))
        if not streams.written():
            leave(ExitCode.CANNOT_GO_ON)
        raise


def interrupt(number: int, frame: FrameType | None) -> NoReturn:
    """Ctrl-C: the first one lets what was begun be finished and kept, the second ends at once."""
    signal.signal(signal.SIGINT, leave_at_once)
    raise KeyboardInterrupt


def leave_at_once(number: int, frame: FrameType | None) -> NoReturn:
    """End while threads are still at work: what they would find closed is nobody's error."""
    with suppress(OSError):
        os.write(2, b"Stopped.\n")  # Python's own stderr may be in use at this moment
    os._exit(ExitCode.INTERRUPTED)


def leave(code: ExitCode) -> NoReturn:
    """End without waiting for the calls that are under way, as Python would for their threads."""
    if code == ExitCode.INTERRUPTED:
        tell("Stopped.")
    streams.written()
    os._exit(code)
