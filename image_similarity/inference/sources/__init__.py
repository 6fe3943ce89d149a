"""The bytes of each image of a request: from the request itself, from the web, from S3."""

import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial

from image_similarity.inference.errors import Unavailable, naming
from image_similarity.inference.request import Kind, Source
from image_similarity.inference.sources import inline, s3, url
from image_similarity.inference.sources.deadline import Deadline
from image_similarity.inference.sources.policy import SourcePolicy

__all__ = ["SourcePolicy", "read_all"]

MAX_FETCHES = 128
"""At once in this process, abandoned ones included: each has a thread and a connection. Once its request is
answered, a fetch ends within seconds, unless it is looking up a name, which can't be interrupted."""
_fetches = threading.BoundedSemaphore(MAX_FETCHES)
Read = Callable[[Deadline], bytes]
"""Fetches one file, of which it has been judged that it may be fetched."""


def read_all(
    sources: Sequence[Source],
    policy: SourcePolicy,
    place: AbstractContextManager[object, bool | None] | None = None,
) -> list[bytes]:
    """Read every source; those that must be fetched are fetched side by side, under one deadline.

    Sources in the request are read, and every URL is judged, before anything is sent.

    Args:
        sources: in the order of their slots.
        policy: what may be fetched.
        place: held while something is fetched, so that an adapter can bound how many requests wait for other
            servers; not entered where nothing is fetched. None: no bound.

    Returns:
        The files' bytes in the order of `sources`.

    Raises:
        InvalidImage: a value is not base64.
        PayloadTooLarge: a file has more than policy.max_bytes.
        SourceNotAllowed: the policy forbids fetching from a URL.
        SourceUnavailable: a URL could not be fetched in policy.timeout_seconds.
        Unavailable: this process is fetching too many files already, in all or from one server, or `place`
            is full.

    An error that shows before fetching wins over one that shows while fetching; otherwise the first source's.
    """
    judged = [_judged(source, policy) for source in sources]
    files = [data for data in judged if isinstance(data, bytes)]
    if len(files) == len(judged):
        return files
    with place or nullcontext():
        return _fetched(sources, judged, policy)


def _fetched(sources: Sequence[Source], judged: Sequence[bytes | Read], policy: SourcePolicy) -> list[bytes]:
    """The files that are here already, and the others once they are fetched."""
    deadline = Deadline(policy.timeout_seconds)
    fetches: dict[int, _Fetch] = {}
    try:
        for index, item in enumerate(judged):
            if not isinstance(item, bytes):
                fetches[index] = _Fetch(sources[index].field, item, deadline)
        return [
            item if isinstance(item, bytes) else fetches[index].result() for index, item in enumerate(judged)
        ]
    finally:
        deadline.cancel()


def _judged(source: Source, policy: SourcePolicy) -> bytes | Read:
    """The bytes of a source in the request; how to fetch any other, once it is clear that it may be."""
    with naming(source.field):
        if source.kind is Kind.WEB:
            return partial(_from_web, url.parse(source.value, policy), policy)
        if source.kind is Kind.S3:
            return partial(s3.read, s3.parse(source.value, policy), policy)
        return inline.read(source, policy)


def _from_web(target: url.Target, policy: SourcePolicy, deadline: Deadline) -> bytes:
    from image_similarity.inference.sources import http  # HTTP and TLS are two fifths of the imports

    return http.read(target, policy, deadline)


class _Fetch:
    """One fetch in a thread of its own, which is left behind when the deadline is over.

    Looking up a name can't be interrupted: such a thread ends when the resolver gives up, and then sees that
    the deadline is over. It is a daemon, so that it never delays the end of the process.
    """

    def __init__(self, field: str, read: Read, deadline: Deadline) -> None:
        self._field, self._read, self._deadline = field, read, deadline
        self._data: bytes | None = None
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name=f"fetch-{field}", daemon=True)
        if not _fetches.acquire(blocking=False):
            raise Unavailable("Too many files are being fetched here already. Try again in a moment.")
        try:
            self._thread.start()
        except RuntimeError as error:  # the system has no thread left
            _fetches.release()
            raise Unavailable("No more files can be fetched here now. Try again in a moment.") from error

    def _run(self) -> None:
        try:
            self._data = self._read(self._deadline)
        except BaseException as error:  # raised again by result(), in the thread that waits there
            self._error = error
        finally:
            _fetches.release()
            # The error's traceback refers to this frame, and the frame through `self` to the error: left
            # alone, such a ring keeps all the bytes that were read until the garbage collector runs.
            del self

    def result(self) -> bytes:
        """Wait for the bytes, until the deadline at most."""
        self._thread.join(self._deadline.left())
        error, self._error = self._error, None
        with naming(self._field):
            if error is not None:
                try:
                    raise error
                finally:
                    del error  # the same ring, of this frame
            if self._data is None:
                raise self._deadline.exceeded()
            return self._data
