"""What a search found."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from image_similarity.cli.text import counted, tell, write
from image_similarity.thresholds import Threshold
from image_similarity.version import __version__

if TYPE_CHECKING:
    from image_similarity.catalogue.index import Match

DECIMALS = 6


@dataclass(frozen=True, slots=True)
class Hit:
    """A picture that was found: its path or `s3://` name, its similarity, 0 to 1, bytes and time."""

    name: str
    similarity: float
    size: int
    modified: str


@dataclass(frozen=True, slots=True)
class Found:
    """The answer to a search.

    Attributes:
        query: the picture or the words that were looked for.
        model: that made all vectors.
        hits: the best first.
        complete: whether the index holds all that its buckets or folders do.
    """

    query: str
    model: str
    hits: Sequence[Hit]
    complete: bool = True

    def show(self, least: Threshold | None, *, as_json: bool) -> None:
        """Print the hits that are alike enough, for people or (`as_json`) for programs."""
        hits = [hit for hit in self.hits if least is None or hit.similarity >= least.value]
        if as_json:
            write(json.dumps(self._facts(least, hits)))
            return
        for hit in hits:
            write(f"{hit.similarity:.{DECIMALS}f}  {hit.name}")
        if least is not None:
            count = counted(len(hits), "picture")
            tell(f"{count} with a similarity of {least.value:g} or more ({least.source}).")
        if not self.complete:
            tell("The catalogue is not complete: pictures may be missing. A sync completes it.")

    def _facts(self, least: Threshold | None, hits: Sequence[Hit]) -> dict[str, object]:
        return {
            "query": self.query,
            "model": self.model,
            "version": __version__,
            "threshold": least.value if least else None,
            "complete": self.complete,
            "matches": [
                {
                    "source": hit.name,
                    "similarity": hit.similarity,
                    "size": hit.size,
                    "modified": hit.modified,
                }
                for hit in hits
            ],
        }


def merged(lists: Iterable[Sequence["Match"]], limit: int) -> list["Match"]:
    """The best of several searches, each key once."""
    from image_similarity.catalogue.index import best

    return best({match.entry.key: match for matches in lists for match in matches}.values(), limit)
