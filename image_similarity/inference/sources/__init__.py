"""The bytes of each image of a request: in line, from the web, from S3."""

import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext

from image_similarity.inference.errors import Unavailable
from image_similarity.inference.request import Source
from image_similarity.inference.sources import inline, s3, url
from image_similarity.inference.sources.deadline import Deadline
from image_similarity.inference.sources.policy import SourcePolicy

__all__ = ["SourcePolicy", "read_all"]

MAX_FETCHES = 128
"""Of this process at once, those included that nobody waits for any more: each has a thread and a connection.
Only looking up a name can outlive its request for longer than an attempt to reach S3."""
_fetches = threading.BoundedSemaphore(MAX_FETCHES)


def read_all(
    sources: Sequence[Source],
    policy: SourcePolicy,
    place: AbstractContextManager[object, bool | None] | None = None,
) -> list[bytes]:
    """Read every source, those that are fetched at the same time and within one deadline.

    What needs no fetching is read, and every URL judged, before anything is sent.

    Args:
        sources: in the order of their slots.
        policy: what may be fetched.
        place: held while something is fetched, and not where nothing is, so that an adapter can bound how
            many requests wait for others' servers; none: no bound.

    Returns:
        The files' bytes in the order of `sources`.

    Raises:
        InvalidImage: a value in line is not base64.
        PayloadTooLarge: a file has more than policy.max_bytes.
        SourceNotAllowed: a URL that the policy does not fetch from.
        SourceUnavailable: a URL that could not be fetched in policy.timeout_seconds.
        Unavailable: too many files are being fetched by this process already, or from one server, or `place`
            has none left.

    What is wrong before fetching goes before what fetching shows; of each, the first source with one is told.
    """
    found = [_checked(source, policy) for source in sources]
    files = [data for data in found if data is not None]
    if len(files) == len(found):
        return files
    with place or nullcontext():
        return _fetched(sources, found, policy)


def _fetched(sources: Sequence[Source], found: Sequence[bytes | None], policy: SourcePolicy) -> list[bytes]:
    """What was found, and the rest fetched."""
    deadline = Deadline(policy.timeout_seconds)
    fetches: dict[int, _Fetch] = {}
    try:
        for index, data in enumerate(found):
            if data is None:
                fetches[index] = _Fetch(sources[index], policy, deadline)
        return [fetches[index].result() if data is None else data for index, data in enumerate(found)]
    finally:
        deadline.cancel()


def _checked(source: Source, policy: SourcePolicy) -> bytes | None:
    """The bytes of a source in line; None for one to fetch, which may be fetched."""
    if not source.is_url:
        return inline.read(source, policy)
    if source.is_s3:
        s3.parse(source, policy)
    else:
        url.parse(source.value, field=source.field, policy=policy)
    return None


class _Fetch:
    """One fetch in a thread of its own, which the deadline leaves behind if it must.

    Looking up a name can't be interrupted: the thread then ends by itself when the resolver gives up, and
    finds the deadline over. It is a daemon so that it never delays the end of the process.
    """

    def __init__(self, source: Source, policy: SourcePolicy, deadline: Deadline) -> None:
        self._source, self._policy, self._deadline = source, policy, deadline
        self._data: bytes | None = None
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name=f"fetch-{source.field}", daemon=True)
        if not _fetches.acquire(blocking=False):
            raise Unavailable("Too many files are being fetched here already. Try again in a moment.")
        try:
            self._thread.start()
        except RuntimeError as error:  # the system has no thread left
            _fetches.release()
            raise Unavailable("No more files can be fetched here now. Try again in a moment.") from error

    def _run(self) -> None:
        try:
            read = _reader(self._source)
            self._data = read(self._source, self._policy, self._deadline)
        except BaseException as error:  # handed to the thread that waits in result()
            self._error = error
        finally:
            _fetches.release()
            # The error's traceback knows this frame, and the frame knew who has the error: where nobody asks
            # for it, all that was read would wait for the garbage collector.
            del self

    def result(self) -> bytes:
        """Wait for the bytes, at most until the deadline."""
        self._thread.join(self._deadline.left())
        error, self._error = self._error, None
        if error is not None:
            try:
                raise error
            finally:
                # Its traceback knows this frame, and the frame knew it: what it keeps would wait for the
                # garbage collector.
                del error
        if self._data is None:
            raise self._deadline.exceeded(self._source.field)
        return self._data


def _reader(source: Source) -> Callable[[Source, SourcePolicy, Deadline], bytes]:
    if source.is_s3:
        return s3.read
    from image_similarity.inference.sources import http  # HTTP and TLS are two fifths of the imports

    return http.read
