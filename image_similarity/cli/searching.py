"""The command `search`: among pictures of this machine's folders, or of a stack's catalogue."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from image_similarity.cli.indexing import NOTHING_INDEXED, update
from image_similarity.cli.options import (
    IndexFile,
    Local,
    Region,
    Sign,
    Stack,
    Url,
    choose_catalogue,
    on_this_machine,
)
from image_similarity.cli.running import ExitCode, fail, sentences
from image_similarity.cli.text import tell
from image_similarity.cli.thresholds import Find, choose

if TYPE_CHECKING:
    from image_similarity.catalogue.index import Vector
    from image_similarity.cli.matches import Found
    from image_similarity.folders.index import FolderIndex

MOST = 1000
SCALE_OF_WORDS = "Similarities to words are far lower than between pictures: only their order counts."


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

    folders = on_this_machine(within)
    if file is not None and not folders and not file.exists():
        fail(f"--index {file}: there is no such file. {NOTHING_INDEXED}")
    with opened(file) as kept:
        vector = vector_of_words(kept.encoder.manifest, query) if by_words else None
        if not len(kept) and not kept.folders and not folders:
            fail(NOTHING_INDEXED)
        if vector is None:
            _check(query)  # before an update that may take long
        failed = 0 if as_it_is else update(kept, folders or None).failures
        if not len(kept):
            fail(NOTHING_INDEXED)
        if vector is None:
            vector = _vector(kept, query)
        prefixes = [prefix_of(_real(folder)) for folder in folders] or [""]
        away = kept.away
        matches = merged([kept.search(vector, limit, prefix, away) for prefix in prefixes], limit)
        hits = [
            Hit(path_of(one.entry.key), one.similarity, one.entry.size, one.entry.modified) for one in matches
        ]
        if failed:
            tell("Pictures that failed are not searched.")
        return Found(query, kept.encoder.name, hits), failed > 0


def _check(picture: str) -> None:
    from image_similarity.cli import pictures
    from image_similarity.cli.targets import naming
    from image_similarity.folders import files

    if not pictures.is_url(picture):
        with naming(picture):
            files.check_named(picture)


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
