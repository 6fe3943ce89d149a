"""The bytes of each image of a request: in line, from the web, from S3."""

import threading
from collections.abc import Callable, Sequence

from inference.request import Source
from inference.sources import inline
from inference.sources.deadline import Deadline
from inference.sources.policy import SourcePolicy

__all__ = ["SourcePolicy", "read_all"]


def read_all(sources: Sequence[Source], policy: SourcePolicy) -> list[bytes]:
    """Read every source, those that are fetched at the same time and within one deadline.

    Returns:
        The files' bytes in the order of `sources`.

    Raises:
        InvalidImage: a value in line is not base64.
        PayloadTooLarge: a file has more than policy.max_bytes.
        SourceNotAllowed: a URL that the policy does not fetch from.
        SourceUnavailable: a URL that could not be fetched in policy.timeout_seconds.

    The error of the first source that has one is raised.
    """
    deadline = Deadline(policy.timeout_seconds)
    fetches = [_Fetch(source, policy, deadline) if source.is_url else None for source in sources]
    try:
        return [
            fetch.result() if fetch else inline.read(source, policy)
            for source, fetch in zip(sources, fetches, strict=True)
        ]
    finally:
        deadline.cancel()


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
        self._thread.start()

    def _run(self) -> None:
        try:
            read = _reader(self._source)
            self._data = read(self._source, self._policy, self._deadline)
        except BaseException as error:  # handed to the thread that waits in result()
            self._error = error

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
    """What reads the source, imported with the first one: HTTP and TLS are two fifths of the imports."""
    if source.is_s3:
        from inference.sources import s3

        return s3.read
    from inference.sources import http

    return http.read
