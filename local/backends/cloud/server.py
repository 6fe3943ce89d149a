"""moto's server with the strict layer, on a port of the loopback interface."""

import threading
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any, Self

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import BaseWSGIServer, make_server
from werkzeug.wrappers import Response

from local.backends.cloud.callers import refusal
from local.backends.cloud.mended import mend
from local.backends.cloud.vectors import Vectors

LOOPBACK = "127.0.0.1"
Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


class QuietRequestHandler(MotoRequestHandler):
    """Does not log each request."""

    def log_request(self, code: object = "-", size: object = "-") -> None:
        """Say nothing."""


def application(vectors: Vectors) -> Application:
    """The whole local cloud, as a WSGI application."""
    mend()
    moto = DomainDispatcherApplication(create_backend_app)

    def answer(environ: dict[str, Any], start: Any) -> Iterable[bytes]:  # noqa: ANN401 - WSGI's
        if why := refusal(environ):
            return Response(why, 403, content_type="text/plain")(environ, start)
        answered: Iterable[bytes] = (vectors.answer(environ) or moto)(environ, start)
        return answered

    return answer


def server(vectors: Vectors, port: int = 0) -> BaseWSGIServer:
    """Bind the local cloud to a port of the loopback interface; `serve_forever` is the caller's."""
    return make_server(
        LOOPBACK, port, application(vectors), threaded=True, request_handler=QuietRequestHandler
    )


class CloudServer:
    """Runs while its context lasts; moto's state is the process's, so one at a time.

    Attributes:
        vectors: the layer of S3 Vectors.
        url: the endpoint, for the AWS CLI and boto3.
    """

    def __init__(self, port: int = 0) -> None:
        self.vectors = Vectors()
        self._server = server(self.vectors, port)
        self.url = f"http://{LOOPBACK}:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, name="cloud", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
