"""The bytes of each image of a request: from the request itself, from the web, from S3."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext

from image_similarity.inference.request import Source
from image_similarity.inference.sources.allowance import Allowance
from image_similarity.inference.sources.deadline import Deadline
from image_similarity.inference.sources.fetch import Fetch
from image_similarity.inference.sources.files import Files
from image_similarity.inference.sources.judge import Fetchable, judged
from image_similarity.inference.sources.policy import SourcePolicy

__all__ = ["Files", "Place", "SourcePolicy", "read_all"]

Place = Callable[[int], AbstractContextManager[object, bool | None]]
"""Given how many files are to be fetched at once; what it returns is held meanwhile."""


def read_all(
    sources: Sequence[Source], policy: SourcePolicy, place: Place = lambda _: nullcontext()
) -> list[bytes]:
    """Read every source; those that must be fetched are fetched side by side, under one deadline.

    Sources in the request are read, and every URL is judged, before anything is sent.

    Args:
        sources: in the order of their slots.
        policy: what may be fetched.
        place: held while something is fetched, so that an adapter can bound how many files are waited for;
            not called where nothing is fetched. Default: no bound.

    Returns:
        The files' bytes in the order of `sources`.

    Raises:
        InvalidImage: a value is not base64.
        PayloadTooLarge: a file has more than policy.max_bytes, or all of them have more than they may have.
        SourceNotAllowed: the policy forbids fetching from a URL.
        SourceUnavailable: a URL could not be fetched in policy.timeout_seconds.
        Unavailable: this process is fetching too many files already, in all or from one server, or `place`
            is full.

    An error that shows before fetching wins over one that shows while fetching; otherwise the first source's.
    """
    items = [judged(source, policy) for source in sources]
    files = [item for item in items if isinstance(item, bytes)]
    if len(files) == len(items):
        return files
    with place(len(items) - len(files)):
        return _fetched(sources, items, policy)


def _fetched(
    sources: Sequence[Source], items: Sequence[bytes | Fetchable], policy: SourcePolicy
) -> list[bytes]:
    """The files that are here already, and the others once they are fetched."""
    deadline, allowance = Deadline(policy.timeout_seconds), Allowance(policy.max_bytes_in_all)
    fetches: dict[int, Fetch] = {}
    try:
        for index, item in enumerate(items):
            if not isinstance(item, bytes):
                fetches[index] = Fetch(sources[index].field, item.read, deadline, allowance)
                fetches[index].begin()
        return [item if isinstance(item, bytes) else fetches[i].result() for i, item in enumerate(items)]
    finally:
        deadline.cancel()
