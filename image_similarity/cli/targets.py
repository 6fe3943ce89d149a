"""Where pictures go: an API behind a URL, or the encoder in this process."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from image_similarity.cli.pictures import UnreadablePicture

if TYPE_CHECKING:  # --help and --version do without arrays
    import numpy as np
    from numpy.typing import NDArray


class Refused(Exception):
    """One picture, or pair, that has no answer; the message says why."""


class Unreachable(Exception):
    """Nothing usable answers at the target; there is no use in going on."""


@contextmanager
def naming(picture: str) -> Iterator[None]:
    """Put the picture's name before what is wrong with it."""
    try:
        yield
    except (Refused, UnreadablePicture) as error:
        raise type(error)(f"{picture}: {error}") from error


@dataclass(frozen=True, slots=True)
class Answer:
    """A picture's vector, float [512], and the model that made it."""

    vector: "NDArray[np.floating[Any]]"
    model: str


Outcome = Answer | Refused | UnreadablePicture


class Target(Protocol):
    """Something that makes vectors. Any number of threads may ask it."""

    group: int
    """How many pictures `embed_many` should be given at once."""
    url: str
    """Of the API; empty where there is none."""

    def embed(self, picture: str) -> Answer:
        """The vector of a file or URL.

        Raises:
            Refused: the picture has none.
            UnreadablePicture: the file can't be read, or is no picture.
            Unreachable: nothing usable answers.
        """
        ...

    def embed_many(self, pictures: Sequence[str]) -> list[Outcome]:
        """What comes of each file or URL, in order.

        Raises:
            Unreachable: nothing usable answers.
        """
        ...

    def compare(self, first: str, second: str) -> tuple[float, str]:
        """The similarity of two files or URLs, 0 to 1, and the model; see `embed` for what is raised."""
        ...
