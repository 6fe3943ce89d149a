"""uvicorn's connections, closed so that callers can read their answer even while they are still sending.

A socket that is closed while bytes of a request are unread is reset, and a reset takes away the answer
that was sent before (RFC 9112 section 9.6). So the answer's end is told first, and what still comes is
dropped unparsed, for a bounded time.
"""

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

LINGER_SECONDS = 5.0
"""A caller on the same network sends the largest body in a tenth of a second; nobody else sends any."""
LINGER_BYTES = 32 * 1024**2
"""Of a request that was answered: more than SageMaker passes on."""

_dropped = bytearray(256 * 1024)
"""Dropped data is received here, for all connections: an event loop receives one at a time."""


class Connection(H11Protocol):
    """See `uvicorn.Config`: its `http`."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See `asyncio.Protocol`."""
        if not isinstance(transport, asyncio.Transport):
            raise TypeError(f"{transport!r} can't be written to")
        super().connection_made(transport)
        self.transport = _Lingering(transport, self)

    def send_400_response(self, msg: str) -> None:
        """End a connection whose bytes are not HTTP, with an answer if none was given yet.

        A body may break while its request waits for a place, or after a 404. The application is told that
        the caller has gone: what it answers would be a second answer, which h11 refuses as our defect.
        """
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            super().send_400_response(msg)
        else:
            self.transport.close()
        if self.cycle is not None:
            self.cycle.disconnected = True
            self.cycle.message_event.set()


class _Lingering(asyncio.Transport):
    """A transport as its protocol sees it: with a close that waits while something is unread."""

    def __init__(self, transport: asyncio.Transport, connection: Connection) -> None:
        super().__init__()
        self._transport, self._connection = transport, connection
        self._closing = False

    def close(self) -> None:
        if self._closing or self._transport.is_closing():
            return
        self._closing = True
        http = self._connection.conn
        behind, _ = http.trailing_data  # of requests sent without waiting for an answer: more may be unread
        if http.their_state not in (h11.SEND_BODY, h11.ERROR) and not behind:
            self._transport.close()
            return
        self._transport.set_protocol(_Drop(self._transport, self._connection))
        try:
            self._transport.write_eof()
        except OSError:  # the caller has gone
            self._transport.abort()
        self._transport.resume_reading()

    def is_closing(self) -> bool:
        return self._closing or self._transport.is_closing()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self._transport.write(data)

    def resume_reading(self) -> None:
        self._transport.resume_reading()

    def get_extra_info(self, name: str, default: Any = None) -> Any:  # noqa: ANN401 - as asyncio has it
        return self._transport.get_extra_info(name, default)


class _Drop(asyncio.BufferedProtocol):
    """Receives data that nobody reads, until the caller ends the connection or a limit is reached."""

    def __init__(self, transport: asyncio.Transport, connection: Connection) -> None:
        self._transport, self._connection = transport, connection
        self._left = LINGER_BYTES
        self._end = asyncio.get_running_loop().call_later(LINGER_SECONDS, transport.abort)

    def get_buffer(self, sizehint: int) -> bytearray:
        return _dropped

    def buffer_updated(self, nbytes: int) -> None:
        self._left -= nbytes
        if self._left < 0:
            self._transport.abort()

    def pause_writing(self) -> None:
        self._connection.pause_writing()

    def resume_writing(self) -> None:
        self._connection.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end.cancel()
        self._connection.connection_lost(exc)
