"""The command `index`: pictures of this machine's folders, in a file that follows them."""

import json
from typing import TYPE_CHECKING, Annotated

import typer

from image_similarity.cli.options import IndexFile, on_this_machine
from image_similarity.cli.running import ExitCode, fail, sentences
from image_similarity.cli.text import counted, tell, write
from image_similarity.version import __version__

if TYPE_CHECKING:
    from image_similarity.cli.index_file import Update
    from image_similarity.folders.index import FolderIndex

NOTHING_INDEXED = "Nothing is indexed yet. Index your pictures first: image-similarity index DIR."


def index(
    sources: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[DIR|FILE...]",
            help="The pictures; - reads their names from stdin. Default: all that were ever given.",
        ),
    ] = None,
    forget: Annotated[bool, typer.Option("--forget", help="Remove these from the index.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="What was done, as a JSON object.")] = False,
    file: IndexFile = None,
) -> None:
    """Keep an index of pictures in one file: new and changed ones are read, deleted ones are removed.

    It may be stopped at any time; the next run continues from there.
    """
    if forget and not sources:
        fail("Name the folders or files to remove from the index: index --forget DIR.")
    with sentences():
        from image_similarity.cli.index_file import opened

        names = on_this_machine(sources) if sources else None
        with opened(file) as kept:
            if forget:
                _forget(kept, names or [], as_json=as_json)
                return
            done = update(kept, names)
            if as_json:
                write(json.dumps({**done.facts(), **_about(kept)}))
            else:
                write(done.sentence())
                write(f"The index has {counted(len(kept), 'picture')}: {kept.path}")
    if done.failures:
        raise typer.Exit(ExitCode.PICTURE_FAILED)


def _about(kept: "FolderIndex") -> dict[str, object]:
    return {
        "index": str(kept.path),
        "pictures": len(kept),
        "folders": kept.folders,
        "model": kept.encoder.name,
        "version": __version__,
    }


def _forget(kept: "FolderIndex", names: list[str], *, as_json: bool) -> None:
    from image_similarity.folders.looking import holder

    forgotten: dict[str, int] = {}
    for name in names:
        followed = holder(name, kept.folders)
        forgotten[name] = kept.forget(name)
        if not as_json:
            write(f"{name}: {counted(forgotten[name], 'picture')} removed from the index.")
        if not forgotten[name] and followed is None:
            tell(f"{name}: the index had nothing of it. Check the name.")
        if (outer := holder(name, kept.folders)) is not None:
            tell(f"{name}: it is in {outer}, which is followed: the next run reads it again.")
    if as_json:
        write(json.dumps({"forgotten": forgotten, **_about(kept)}))


def update(kept: "FolderIndex", sources: list[str] | None) -> "Update":
    """Bring the index up to date with these pictures; none: with all that were given before."""
    from image_similarity.cli.index_file import bring_up_to_date
    from image_similarity.cli.progress import progress

    if sources is None and not len(kept) and not kept.folders:
        fail(NOTHING_INDEXED)
    with progress("looking through folders"):
        inventory = kept.look_through_all() if sources is None else kept.look_through(sources)
    return bring_up_to_date(kept, inventory)
