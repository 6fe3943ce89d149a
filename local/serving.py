"""The gateway on its port: what happens once it listens, and when it ends."""

import asyncio
import logging
import socket
from collections.abc import Callable

import uvicorn

from local.pictures.filling import Filling
from local.pictures.progress import Say
from local.pictures.selection import Selection
from local.stack import LocalStack

Listening = Callable[[asyncio.AbstractEventLoop], None]


class _Server(uvicorn.Server):
    """uvicorn, saying when it listens and when it ends."""

    def __init__(self, config: uvicorn.Config, listening: Listening, ending: Callable[[], None]) -> None:
        super().__init__(config)
        self._listening, self._ending = listening, ending

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._listening(asyncio.get_running_loop())

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._ending()
        await super().shutdown(sockets)


def serve(
    local: LocalStack, listener: socket.socket, banner: str, selection: Selection | None, say: Say
) -> None:
    """Serve until a signal ends it; `selection` is uploaded and indexed first, which the banner waits for."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    logging.getLogger("local").setLevel(logging.INFO)
    fillings: list[Filling] = []
    ready = [selection is None]

    def end() -> None:
        ready[0] = True
        say(banner)

    def listening(loop: asyncio.AbstractEventLoop) -> None:
        local.follow(loop)
        if selection is None:
            say(banner)
        else:
            fillings.append(_filling(local, loop, selection, say))
            fillings[0].start(end)

    def ending() -> None:
        local.rest()
        for filling in fillings:
            filling.stop()

    config = uvicorn.Config(
        # it listens only once an embedding was made
        local.gateway.application(lambda: ready[0]),
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=3,
    )
    _Server(config, listening, ending).run(sockets=[listener])


def _filling(local: LocalStack, loop: asyncio.AbstractEventLoop, selection: Selection, say: Say) -> Filling:
    catalogue = local.catalogue
    if catalogue is None:
        raise ValueError("pictures without a catalogue")
    return Filling(
        selection,
        catalogue.buckets[0],
        s3=catalogue.cloud.client("s3"),
        sqs=catalogue.cloud.client("sqs"),
        queue_url=catalogue.queue_url(),
        call=lambda method, path: local.call(loop, method, path),
        say=say,
    )
