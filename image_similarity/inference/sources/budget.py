"""What one fetch may cost, counted as the bytes arrive: bytes on the wire, reads, processor time."""

import time

from image_similarity.inference.sources.deadline import Deadline

PROCESSOR_SECONDS = 1.0
"""Of this process, for one fetch with all its redirects. 20 MiB over TLS take a tenth of it."""
FREE_READS = 20_000
BYTES_A_READ = 256
"""On average, after the first FREE_READS. The smallest usual TCP segments and TLS records carry five times
as much; each read costs as much as thousands of bytes."""
SLACK_BYTES = 256 * 1024
"""For TLS around the data (certificates, tickets), on top of as many bytes again as the data has."""
GRACE_SECONDS = 2.0
BYTES_A_SECOND = 10_000
"""On average, from GRACE_SECONDS after a response's first byte: a server that drips occupies a place."""


class TooMuchReceivedError(Exception):
    """More bytes arrived over the connection than its limit."""


class TooCostlyError(Exception):
    """What arrived has more pieces, or took more processor time, than a file of its size may."""


class TooSlowError(Exception):
    """The server sends less than BYTES_A_SECOND."""


class Budget:
    """Shared by all connections of one fetch. For the thread that made it, whose processor time it counts.

    Args:
        deadline: of the request.
        max_bytes: the most data that one connection may bring.
    """

    def __init__(self, deadline: Deadline, max_bytes: int) -> None:
        self.deadline = deadline
        self.max_bytes = max_bytes
        self._processor_end = time.thread_time() + PROCESSOR_SECONDS
        self._pieces = self._piece_bytes = 0
        self._wire = self._data = 0
        self._greeting = False
        self._first_byte: float | None = None
        self._since_first = 0

    def new_connection(self) -> None:
        """Count bytes anew, but not reads and processor time. TLS shakes hands until `new_answer`."""
        self._wire = self._data = 0
        self._greeting, self._first_byte, self._since_first = True, None, 0

    def new_answer(self) -> None:
        """Expect a response: its first byte may take its time; the rate counts from there."""
        self._greeting, self._first_byte, self._since_first = False, None, 0

    def count_wire(self, received: int) -> None:
        """Count what a read of the socket brought, encrypted or not.

        Raises:
            TooCostlyError: too many small pieces, too much around the data, or too much processor time.
        """
        self._wire += received
        if self._greeting:
            self._count_pace(received)
        self._count_piece(received)
        if self._wire > SLACK_BYTES + 2 * self._data:
            raise TooCostlyError

    def count_data(self, received: int) -> None:
        """Count what a read of the response brought; on an encrypted connection that is one record.

        Raises:
            TooMuchReceivedError: more than max_bytes.
            TooCostlyError: as `count_wire`.
        """
        self._data += received
        self._count_pace(received)
        self._count_piece(received)
        if self._data > self.max_bytes:
            raise TooMuchReceivedError

    def check_processor(self) -> None:
        """Raise TooCostlyError when the processor time is used up."""
        if time.thread_time() > self._processor_end:
            raise TooCostlyError

    def patience(self) -> float:
        """Seconds that the next byte may take, above 0.

        Raises:
            DeadlineExceededError: the request's time is over.
            TooSlowError: the server has sent too little for the time since its first byte.
        """
        left = self.deadline.remaining()
        if self._first_byte is None:
            return left
        earned = self._first_byte + GRACE_SECONDS + self._since_first / BYTES_A_SECOND - time.monotonic()
        if earned <= 0:
            raise TooSlowError
        return min(left, earned)

    def _count_pace(self, received: int) -> None:
        if self._first_byte is None:
            self._first_byte = time.monotonic()
        self._since_first += received

    def _count_piece(self, received: int) -> None:
        self._pieces += 1
        self._piece_bytes += received
        if self._pieces > FREE_READS + self._piece_bytes // BYTES_A_READ:
            raise TooCostlyError
        self.check_processor()
