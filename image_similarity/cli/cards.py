"""What a report shows of each group, as HTML; names are text in it, and in the lines for a shell."""

import os
import shlex
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from image_similarity.cli.faces import Face
from image_similarity.cli.text import counted, printable
from image_similarity.folders.store import key_of, time_of

PLAIN = frozenset(f"/._-+,=:@%{string.digits}{string.ascii_letters}".encode())
"""Bytes that a shell takes as they are."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A group as it is shown.

    Attributes:
        looks: by name a picture's facts, or why there are none.
        kept: the name of the one that is proposed; empty: none is.
        why: it is this one.
        weakest: the lowest similarity of any two.
        to_kept: by name the similarity to the one that is proposed.
    """

    looks: Mapping[str, Face | str]
    kept: str
    why: str
    weakest: float
    to_kept: Mapping[str, float]

    @property
    def others(self) -> list[str]:
        """The names of those that are not proposed, where one is."""
        return [name for name in self.looks if name != self.kept] if self.kept else []

    @property
    def spared(self) -> int:
        """The bytes of those."""
        faces = [self.looks[name] for name in self.others]
        return sum(face.size for face in faces if isinstance(face, Face))

    def html(self, number: int) -> str:
        """The group with its number."""
        first = sorted(self.looks, key=lambda name: name != self.kept)
        cards = "".join(self._card(name) for name in first)
        note = "" if self.kept else "<p>Not all of them could be read, so none is proposed.</p>\n"
        return (
            f'<section>\n<div class="head"><h2>{number}. {counted(len(self.looks), "picture")}</h2>'
            f'<p class="quiet">at least {self.weakest:.3f} similar</p>'
            '<p class="none">Nothing in this group is kept.</p>'
            f"<button type=button class=all hidden>Keep all</button></div>\n{note}"
            f"<ul>\n{cards}</ul>\n</section>\n"
        )

    def _card(self, name: str) -> str:
        look = self.looks[name]
        folder, base = os.path.split(name)
        base = escape(printable(base))
        path = os.path.abspath(name)  # noqa: PTH100 - a link's own name
        size = 0
        if isinstance(look, str):
            facts, image = escape(look), '<span class="empty"></span>'
        else:
            day = time_of(look.modified)
            parts = (f"{look.width} x {look.height}", amount(look.size), f"{day:%Y-%m-%d}")
            facts = ", ".join(f"<span>{part}</span>" for part in parts)
            image, size = f'<img src="{look.thumbnail}" alt="">', look.size
        keeps = not self.kept or name == self.kept
        reason = f'<p class="why">{self.why}</p>' if name == self.kept else ""
        if not reason and name in self.to_kept:
            reason = f'<p class="quiet">{self.to_kept[name]:.3f} similar to the one kept</p>'
        return (
            f"<li{' class=keep' if reason and name == self.kept else ''}>"
            f'<a href="{escape(key_of(path))}" target="_blank" rel="noreferrer" '
            f'aria-label="open {base} in a new tab">{image}</a>'
            f'<div class="text"><p class="name" dir="auto">{base}</p>'
            f'<p class="quiet facts">{facts}</p>{reason}'
            f'<p class="quiet folder">{_isolated(folder)}</p></div>'
            f'<label><input type="checkbox"{" checked" if keeps else ""} autocomplete="off" '
            f'aria-label="keep {base}" data-bytes="{size}" data-quoted="{escape(quoted(path))}">keep</label>'
            "</li>\n"
        )


def _isolated(folder: str) -> str:
    """A path as HTML: names that are written from right to left stay in their places."""
    return "/".join(f"<bdi>{escape(printable(part))}</bdi>" if part else "" for part in folder.split("/"))


def listed(others: Sequence[str]) -> str:
    """The pictures that are not to be kept, for a shell that has them moved away."""
    names = " \\\n".join(f"  {quoted(os.path.abspath(name))}" for name in others)  # noqa: PTH100 - as above
    script = f"for file in \\\n{names}\n{MOVE}"
    return (
        '<footer id="list">\n'
        f'<h2>The others: <span class="count">{len(others):,}</span></h2>\n'
        "<p>Commands for bash that move them into ~/duplicates, where each keeps its path, for you to check "
        "before you delete any. Files that are already there are not replaced.</p>\n"
        f'<pre tabindex=0 data-move="{escape(MOVE)}">{escape(script if others else NOTHING)}</pre>\n'
        "<button type=button class=copy hidden></button>\n</footer>\n"
    )


MOVE = """do to=~/duplicates"${file%/*}"; mkdir -p -- "$to" && mv -n -- "$file" "$to/"; done"""
NOTHING = "# Everything is kept."


def amount(size: int) -> str:
    """Bytes for people."""
    if size >= 1e9:
        return f"{size / 1e9:.1f} GB"
    return f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{max(size, 1000) / 1e3:.0f} kB"


def quoted(name: str) -> str:
    r"""A name for bash; what does not show as itself as \x.., of its bytes."""
    if name == printable(name):
        return shlex.quote(name)
    return "$'" + "".join(chr(one) if one in PLAIN else f"\\x{one:02x}" for one in os.fsencode(name)) + "'"
