"""`make release TAG=v1.2.3`: what must agree before a tag becomes a release, and the release's notes.

The version stands in `image_similarity/version.py` alone. It is read as text: the supply chain imports
nothing of what it builds.
"""

import argparse
import ast
import re
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VERSION_FILE = Path("image_similarity") / "version.py"
CHANGELOG = "CHANGELOG.md"


class ReleaseError(Exception):
    """The tag can't be released; the message says what to change."""


def version(root: Path = ROOT) -> str:
    """The value of `__version__` in version.py.

    Raises:
        ReleaseError: it is not assigned there, or not a text.
    """
    for node in ast.parse((root / VERSION_FILE).read_text("utf-8")).body:
        match node:
            case ast.Assign(targets=[ast.Name(id="__version__")], value=ast.Constant(value=str(text))):
                return text
    raise ReleaseError(f"{VERSION_FILE} assigns no text to __version__.")


def notes(changelog: str, wanted: str) -> str:
    """The changelog's section of a version, without its heading.

    Args:
        changelog: the whole text, in the form of https://keepachangelog.com/en/1.1.0/.
        wanted: the version, without the tag's v.

    Raises:
        ReleaseError: the version has no section with a date, or an empty one.
    """
    heading = rf"^## \[{re.escape(wanted)}\] - \d{{4}}-\d\d-\d\d$\n"
    parts = re.split(heading, changelog, maxsplit=1, flags=re.MULTILINE)
    if len(parts) == 1:
        raise ReleaseError(f"{CHANGELOG} has no '## [{wanted}] - YYYY-MM-DD': rename [Unreleased] to it.")
    section = re.split(r"^## |^\[", parts[1], maxsplit=1, flags=re.MULTILINE)[0].strip()
    if not section:
        raise ReleaseError(f"The section of {wanted} in {CHANGELOG} is empty: say what changed.")
    return section + "\n"


def release(tag: str, root: Path = ROOT) -> str:
    """The notes of a release whose tag, version and changelog agree.

    Raises:
        ReleaseError: they don't; the message names both.
    """
    current = version(root)
    if tag != f"v{current}":
        raise ReleaseError(f"The tag is {tag or 'empty'} and {VERSION_FILE} says {current}: tag v{current}.")
    return notes((root / CHANGELOG).read_text("utf-8"), current)


def main(arguments: Sequence[str] | None = None) -> int:
    """Write `notes.md` into a folder; 1 and a sentence where the tag can't be released."""
    parser = argparse.ArgumentParser(prog="python -m supply_chain.release", description=__doc__)
    parser.add_argument("tag")
    parser.add_argument("output", type=Path)
    given = parser.parse_args(arguments)
    try:
        text = release(given.tag)
    except ReleaseError as error:
        print(error, file=sys.stderr)
        return 1
    given.output.mkdir(parents=True, exist_ok=True)
    (given.output / "notes.md").write_text(text, "utf-8")
    print(f"{given.tag}: {given.output / 'notes.md'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
