"""The commands `index` and `search`: pictures of this machine's folders, or of a stack's catalogue."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from image_similarity.cli.options import IndexFile, Local, Region, Sign, Stack, Url, choose_catalogue, named
from image_similarity.cli.running import ExitCode, fail, sentences
from image_similarity.cli.text import counted, tell, write
from image_similarity.cli.thresholds import Find, choose
from image_similarity.version import __version__

if TYPE_CHECKING:
    from image_similarity.catalogue.index import Vector
    from image_similarity.cli.index_file import Update
    from image_similarity.cli.matches import Found
    from image_similarity.folders.index import FolderIndex

MOST = 1000
NOTHING_INDEXED = "Nothing is indexed yet. Index your pictures first: image-similarity index DIR."
SCALE_OF_WORDS = "Similarities to words are far lower than between pictures: only their order counts."


def index(
    sources: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[DIR|FILE...]",
            help="The pictures; - reads their names from stdin. Default: all that were ever given.",
        ),
    ] = None,
    file: IndexFile = None,
    forget: Annotated[bool, typer.Option("--forget", help="Remove these from the index.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="What was done, as a JSON object.")] = False,
) -> None:
    """Keep an index of pictures in one file: new and changed ones are read, deleted ones are removed.

    It may be stopped at any time; the next run continues from there.
    """
    with sentences():
        from image_similarity.cli.index_file import opened

        with opened(file) as kept:
            if forget:
                if not sources:
                    fail("Name the folders or files to remove from the index: index --forget DIR.")
                for source in named(sources or []):
                    gone = kept.forget(source)
                    write(f"{source}: {counted(gone, 'picture')} removed from the index.")
                return
            update = _update(kept, named(sources) if sources else None)
            if as_json:
                write(json.dumps({**update.facts(), **_about(kept)}))
            else:
                write(update.sentence())
                write(f"The index has {counted(len(kept), 'picture')}: {kept.path}")
    if update.failed:
        raise typer.Exit(ExitCode.PICTURE_FAILED)


def _about(kept: "FolderIndex") -> dict[str, object]:
    return {
        "index": str(kept.path),
        "pictures": len(kept),
        "folders": kept.folders,
        "model": kept.encoder.name,
        "version": __version__,
    }


def _update(kept: "FolderIndex", sources: list[str] | None) -> "Update":
    """Bring the index up to date with these pictures; none: with all that were given before."""
    from image_similarity.cli.index_file import bring_up_to_date
    from image_similarity.cli.progress import progress

    if sources is None and not len(kept) and not kept.folders:
        fail(NOTHING_INDEXED)
    with progress("looking through folders"):
        inventory = kept.look_through_all() if sources is None else kept.look_through(sources)
    return bring_up_to_date(kept, inventory)


def search(
    picture: Annotated[
        str | None, typer.Argument(metavar="[FILE|URL]", help="The picture to look for, unless by --text.")
    ] = None,
    text: Annotated[str | None, typer.Option(help="Words to look for; the model needs a text tower.")] = None,
    within: Annotated[
        list[str] | None,
        typer.Option("--in", metavar="DIR", help="Search only this folder; it is indexed if necessary."),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=MOST, help="The most matches (from a stack: 100).")] = 10,
    threshold: Annotated[
        float | None, typer.Option(min=0, max=1, help="The lowest similarity of a match.")
    ] = None,
    find: Annotated[
        Find | None, typer.Option(help="A threshold by name, from the model's calibration.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
    file: IndexFile = None,
    as_it_is: Annotated[
        bool, typer.Option("--as-it-is", help="Don't look for new, changed and deleted pictures first.")
    ] = False,
    stack: Stack = None,
    url: Url = None,
    local: Local = False,
    sign: Sign = False,
    region: Region = None,
) -> None:
    """Find the pictures that are most like one, or like words, indexed here or in a stack's catalogue.

    Each match is printed with its similarity, the best first: 1 is the same picture, 0.5 unrelated
    directions. Words have their own scale: 0.6 to 0.7 is high.
    """
    if threshold is not None and find is not None:
        fail("Give one of --threshold and --find.")
    query, by_words = (picture, False) if text is None else (text, True)
    if query is None or (by_words and picture is not None):
        fail("Give a picture, or words with --text.")
    if by_words and find is not None:
        fail("--find is for pictures: words have their own scale. Use --limit or --threshold.")
    with sentences():
        if stack is not None or url is not None or local:
            if within or file or as_it_is:
                fail("--in, --index and --as-it-is are for the index on this machine.")
            catalogue = choose_catalogue(stack, url, local, sign, region)
            ask = catalogue.search_text if by_words else catalogue.search
            found = ask(query, min(limit, 100))
            failed = False
        else:
            found, failed = _here(query, within or [], limit, file, by_words=by_words, as_it_is=as_it_is)
        least = choose(found.model, threshold, find) if threshold is not None or find is not None else None
        found.show(least, as_json=as_json)
        if by_words:
            tell(SCALE_OF_WORDS)
    if failed:
        raise typer.Exit(ExitCode.PICTURE_FAILED)


def _here(
    query: str, within: list[str], limit: int, file: Path | None, *, by_words: bool, as_it_is: bool
) -> tuple["Found", bool]:
    """Search this machine's index; whether a picture failed while it was brought up to date."""
    from image_similarity.cli.index_file import opened
    from image_similarity.cli.matches import Found, Hit, merged
    from image_similarity.cli.words import vector_of_words
    from image_similarity.folders.store import path_of, prefix_of

    with opened(file) as kept:
        vector = vector_of_words(kept.encoder.manifest, query) if by_words else None
        failed = False if as_it_is else _update(kept, within or None).failed > 0
        if not len(kept):
            fail(NOTHING_INDEXED)
        if vector is None:
            vector = _vector(kept, query)
        prefixes = [prefix_of(_real(folder)) for folder in within] or [""]
        away = [prefix_of(folder) for folder in kept.folders if not Path(folder).is_dir()]
        matches = merged([kept.search(vector, limit, prefix, away) for prefix in prefixes], limit)
        hits = [
            Hit(path_of(one.entry.key), one.similarity, one.entry.size, one.entry.modified) for one in matches
        ]
        if failed:
            tell("Pictures that failed are not searched.")
        return Found(query, kept.encoder.name, hits), failed


def _real(folder: str) -> str:
    return str(Path(folder).resolve())


def _vector(kept: "FolderIndex", picture: str) -> "Vector":
    """The picture's vector: of the index where it is its file, else computed."""
    from image_similarity.cli import pictures
    from image_similarity.cli.in_process import InProcess
    from image_similarity.cli.targets import naming
    from image_similarity.folders.store import key_of

    if not pictures.is_url(picture):
        known = kept.vector(key_of(_real(picture)))
        if known is not None:
            return known
    with naming(picture):
        return InProcess(kept.encoder).embed(picture).vector.astype("float32")
