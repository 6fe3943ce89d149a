"""One HTML file that shows groups of near-duplicates to the one who cleans them up."""

import os
import shlex
import string
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from pathlib import Path

from image_similarity.cli import choice, faces, pictures
from image_similarity.cli.faces import Face
from image_similarity.cli.text import printable
from image_similarity.folders.store import key_of
from image_similarity.version import __version__

PLAIN = frozenset(f"/._-+,=:@%{string.digits}{string.ascii_letters}".encode())
"""Bytes that a shell takes as they are."""
HEAD = Path(__file__).with_name("report.html")
Looks = Mapping[str, Face | str]
"""By name a picture's facts, or why there are none."""


@dataclass(frozen=True, slots=True)
class Group:
    """Names of pictures that are alike, and the lowest similarity of any two."""

    names: Sequence[str]
    weakest: float


@dataclass(frozen=True, slots=True)
class Report:
    """What a report says.

    Attributes:
        model: that made the vectors.
        threshold: the least similarity of any two of a group.
        source: where it comes from.
        pictures: that were compared.
        groups: the largest first.
    """

    model: str
    threshold: float
    source: str
    pictures: int
    groups: Sequence[Group]

    def write(self, file: Path, advance: Callable[[int], None]) -> None:
        """Write the file in one step: what stands there is whole, or as it was.

        Args:
            file: its path.
            advance: takes how many more groups are written.
        """
        beside = file.with_name(f".{file.name}.{os.getpid()}")
        try:
            with beside.open("w", encoding="utf-8") as page:
                for part in self._parts(advance):
                    page.write(part)
            beside.replace(file)
        except OSError as error:
            error.filename = str(file)  # not the one beside it, and not none where the disk is full
            raise
        finally:
            beside.unlink(missing_ok=True)

    def _parts(self, advance: Callable[[int], None]) -> Iterator[str]:
        members = sum(len(group.names) for group in self.groups)
        yield HEAD.read_text("utf-8")
        yield "<h1>Near-duplicates</h1>\n"
        yield (
            f"<p>{self.pictures:,} pictures, {len(self.groups):,} groups with {members:,} of them. Any two "
            f"of a group have a similarity of {self.threshold:g} or more "
            f"({escape(printable(self.source))}).</p>\n"
        )
        yield (
            f'<p class="quiet">{escape(printable(self.model))}, image-similarity {__version__}, '
            f"{datetime.now().astimezone():%Y-%m-%d %H:%M}. To keep, in this order: the largest, the "
            "sharpest, the oldest. Nothing was changed.</p>\n"
        )
        others: list[str] = []
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            for number, group in enumerate(self.groups, 1):
                looks = dict(zip(group.names, pool.map(_look, group.names), strict=True))
                seen = {name: look for name, look in looks.items() if isinstance(look, Face)}
                kept, why = choice.keep(seen) if len(seen) == len(looks) else ("", "")
                others += [name for name in group.names if name != kept] if kept else []
                yield _group(number, group, looks, kept, why)
                advance(1)
        yield _list(others)
        yield "</body>\n</html>\n"


def _look(name: str) -> Face | str:
    if pictures.is_url(name):
        return "it is not on this machine."
    try:
        return faces.look(name)
    except pictures.UnreadablePicture as error:
        return str(error)


def _group(number: int, group: Group, looks: Looks, kept: str, why: str) -> str:
    first = sorted(looks, key=lambda name: name != kept)
    cards = "".join(_card(name, looks[name], why if name == kept else "") for name in first)
    head = f"{number}. {len(group.names)} pictures, {group.weakest:.3f} or more"
    note = "" if kept else '<p class="quiet">Not all of them could be looked at: none is proposed.</p>\n'
    return f"<section>\n<h2>{head}</h2>\n{note}<ul>\n{cards}</ul>\n</section>\n"


def _card(name: str, look: Face | str, why: str) -> str:
    folder, base = (escape(printable(part)) for part in os.path.split(name))
    if isinstance(look, str):
        facts, image = escape(look), '<span class="none"></span>'
    else:
        day = datetime.fromtimestamp(look.modified, UTC)
        facts = f"{look.width} x {look.height}, {_bytes(look.size)}, {day:%Y-%m-%d}"
        image = f'<img src="{look.thumbnail}" alt="">'
    place = escape(key_of(os.path.abspath(name)), quote=True)  # noqa: PTH100 - a link's own name
    reason = f'<p class="why">keep: {why}</p>' if why else ""
    return (
        f'<li{" class=keep" if why else ""}><a href="{place}">{image}</a><div class="text">{reason}'
        f'<p class="name">{base}</p><p class="quiet">{facts}</p><p class="quiet">{folder}</p></div></li>\n'
    )


def _bytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{max(size, 1000) / 1e3:.0f} kB"


def _list(others: Sequence[str]) -> str:
    """The pictures that are not to be kept, for a shell that has them moved away."""
    if not others:
        return ""
    names = " \\\n".join(f"  {quoted(os.path.abspath(name))}" for name in others)  # noqa: PTH100 - as above
    script = f'mkdir -p ~/duplicates\nfor file in \\\n{names}\ndo mv -n -- "$file" ~/duplicates/; done'
    return (
        f"<section>\n<h2>The {len(others):,} others</h2>\n<p>Their names, quoted for bash. These lines move "
        f"them to one folder, where they can be looked at before they are deleted:</p>\n"
        f"<pre>{escape(script)}</pre>\n</section>\n"
    )


def quoted(name: str) -> str:
    r"""A name for bash; what does not show as itself as \x.., of its bytes."""
    if name == printable(name):
        return shlex.quote(name)
    return "$'" + "".join(chr(one) if one in PLAIN else f"\\x{one:02x}" for one in os.fsencode(name)) + "'"
