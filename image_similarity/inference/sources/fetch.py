"""One fetch in a thread of its own."""

import threading
from collections.abc import Callable

from image_similarity.inference.errors import Unavailable, naming
from image_similarity.inference.sources.allowance import Allowance
from image_similarity.inference.sources.deadline import Deadline

MAX_FETCHES = 128
"""At once in this process, abandoned ones included: each has a thread and a connection. Once its request is
answered, a fetch ends within seconds, unless it is looking up a name, which can't be interrupted."""
_fetches = threading.BoundedSemaphore(MAX_FETCHES)
Read = Callable[[Deadline, Allowance], bytes]
"""Fetches one file that has been allowed."""


class Fetch:
    """A fetch; it is left behind when the deadline is over.

    Looking up a name can't be interrupted: such a thread ends when the resolver gives up, and then sees that
    the deadline is over. It is a daemon, so that it never delays the end of the process.
    """

    def __init__(
        self,
        field: str,
        read: Read,
        deadline: Deadline,
        allowance: Allowance,
        ended: Callable[[], None] = lambda: None,
    ) -> None:
        """Make it; nothing is sent yet.

        Args:
            field: the request field, for messages.
            read: fetches the file.
            deadline: of the request.
            allowance: of the request.
            ended: called in the fetch's thread when it has ended.
        """
        self._field, self._read = field, read
        self._deadline, self._allowance, self._ended = deadline, allowance, ended
        self._data: bytes | None = None
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name=f"fetch-{field}", daemon=True)

    def begin(self) -> None:
        """Fetch.

        Raises:
            Unavailable: this process is fetching too many files already.
        """
        if not _fetches.acquire(blocking=False):
            raise Unavailable("Too many files are being fetched here already. Try again in a moment.")
        try:
            self._thread.start()
        except RuntimeError as error:  # the system has no thread left
            _fetches.release()
            raise Unavailable("No more files can be fetched here now. Try again in a moment.") from error

    def _run(self) -> None:
        ended = self._ended
        try:
            self._data = self._read(self._deadline, self._allowance)
        except BaseException as error:  # raised again by result(), in the thread that waits there
            self._error = error
        finally:
            _fetches.release()
            # The error's traceback refers to this frame, and the frame through `self` to the error: left
            # alone, such a ring keeps all the bytes that were read until the garbage collector runs.
            del self
            ended()

    def result(self) -> bytes:
        """Wait for the bytes, until the deadline at most."""
        self._thread.join(self._deadline.left())
        return self.outcome()

    def outcome(self) -> bytes:
        """The bytes of a fetch that has ended; of any other, the error of one that is late."""
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
