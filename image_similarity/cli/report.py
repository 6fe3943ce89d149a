"""One HTML file that shows groups of near-duplicates to the one who cleans them up."""

import base64
import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from html import escape
from pathlib import Path
from string import Template

import numpy as np
from numpy.typing import NDArray

from image_similarity.cli import cards, choice, faces, pictures
from image_similarity.cli.cards import Shown, amount
from image_similarity.cli.faces import Face, Thumbnails
from image_similarity.cli.text import counted, printable
from image_similarity.inference import similarity
from image_similarity.version import __version__

HEAD, SCRIPT = (Path(__file__).with_name(f"report.{kind}") for kind in ("html", "js"))


@dataclass(frozen=True, slots=True)
class Group:
    """Pictures that are alike.

    Attributes:
        names: of the pictures.
        rows: of their vectors.
        weakest: the lowest similarity of any two.
    """

    names: Sequence[str]
    rows: Sequence[int]
    weakest: float


@dataclass(frozen=True, slots=True)
class Report:
    """What a report says.

    Attributes:
        model: that made the vectors.
        threshold: the least similarity of any two of a group.
        source: where it comes from.
        vectors: float32 [n, 512], of all pictures that were compared.
        groups: the largest first.
    """

    model: str
    threshold: float
    source: str
    vectors: NDArray[np.float32]
    groups: Sequence[Group]

    def write(self, file: Path, advance: Callable[[int], None]) -> None:
        """Write the file in one step: what stands there is whole, or as it was.

        Args:
            file: its path.
            advance: takes how many more groups are written.
        """
        beside = file.with_name(f".{file.name}.{os.getpid()}")
        groups = beside.with_name(f"{beside.name}.groups")
        try:
            with groups.open("w+", encoding="utf-8") as body, beside.open("w", encoding="utf-8") as page:
                others, spared, digest = self._write_groups(body.write, advance)
                page.write(self._head(len(others), spared, digest))
                body.seek(0)
                page.writelines(body)
                page.write(self._tail(others))
            beside.replace(file)
        except OSError as error:
            error.filename = str(file)  # not the one beside it, and not none where the disk is full
            raise
        finally:
            beside.unlink(missing_ok=True)
            groups.unlink(missing_ok=True)

    def _write_groups(
        self, write: Callable[[str], object], advance: Callable[[int], None]
    ) -> tuple[list[str], int, str]:
        """Write each group; the names of the pictures that are not proposed, their bytes, and a digest."""
        others: list[str] = []
        spared, digest = 0, hashlib.sha256()
        for number, shown in enumerate(self._shown(), 1):
            html = shown.html(number)
            write(html)
            digest.update(html.encode())
            others += shown.others
            spared += shown.spared
            advance(1)
        return others, spared, digest.hexdigest()[:16]

    def _shown(self) -> Iterator[Shown]:
        thumbnails = Thumbnails.of(sum(len(group.names) for group in self.groups))
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            for group in self.groups:
                found = pool.map(lambda name: _look(name, thumbnails), group.names)
                looks = dict(zip(group.names, found, strict=True))
                seen = {name: look for name, look in looks.items() if isinstance(look, Face)}
                kept, why = choice.keep(seen) if len(seen) == len(looks) else ("", "")
                yield Shown(looks, kept, why, group.weakest, self._scores(group, kept))

    def _scores(self, group: Group, kept: str) -> dict[str, float]:
        if not kept:
            return {}
        to = self.vectors[group.rows[list(group.names).index(kept)]]
        others = ((name, row) for name, row in zip(group.names, group.rows, strict=True) if name != kept)
        return {name: similarity.score(self.vectors[row], to) for name, row in others}

    def _head(self, others: int, spared: int, report: str) -> str:
        script = base64.b64encode(hashlib.sha256(_script().encode()).digest()).decode()
        members = sum(len(group.names) for group in self.groups)
        facts = {
            "pictures" if len(self.vectors) != 1 else "picture": f"{len(self.vectors):,}",
            "groups" if len(self.groups) != 1 else "group": f"{len(self.groups):,}",
            "in groups": f"{members:,}",
            "not kept": f'<span class="count">{others:,}</span>',
            "to free": f'<span class="bytes">{amount(spared) if others else "nothing"}</span>',
        }
        numbers = "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in facts.items())
        how = (
            "The one to keep in each group is ticked: the largest, then the sharpest, then the least "
            "compressed, then the oldest. Tick others as you like: the numbers and the list at the end "
            "follow, and the browser remembers your ticks. Nothing was changed or moved."
            if self.groups
            else f"No near-duplicates among {counted(len(self.vectors), 'picture')} at this threshold."
        )
        bar = (
            '<nav aria-label="What is not kept"><p><span><b class="count">'
            f'{others:,}</b> not kept, <b class="bytes">{amount(spared) if others else "nothing"}</b></span>'
            '<a href="#list">to the list</a></p></nav>\n'
        )
        return (
            Template(HEAD.read_text("utf-8")).substitute(hash=f"sha256-{script}", report=report)
            + f'<header>\n<h1>Near-duplicates</h1>\n<dl>{numbers}</dl>\n<p class="how">{how}</p>\n'
            + f'<p class="quiet">Any two in a group have a similarity of {self.threshold:g} or more '
            + f"({escape(printable(self.source))}).<br>{escape(printable(self.model))}, image-similarity "
            + f"{__version__}, {datetime.now().astimezone():%Y-%m-%d %H:%M}.</p>\n</header>\n"
            + (bar if self.groups else "")
            + "<main>\n"
        )

    def _tail(self, others: Sequence[str]) -> str:
        if not self.groups:
            return "</main>\n</body>\n</html>\n"
        return f"{cards.listed(others)}</main>\n<script>{_script()}</script>\n</body>\n</html>\n"


def _script() -> str:
    return SCRIPT.read_text("utf-8")


def _look(name: str, thumbnails: Thumbnails) -> Face | str:
    if pictures.is_url(name):
        return "it is not on this machine."
    try:
        return faces.look(name, thumbnails)
    except pictures.UnreadablePicture as error:
        return str(error)
