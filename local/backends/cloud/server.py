"""moto's server with the strict layer, on a port of the loopback interface."""

import threading
from collections.abc import Iterable
from types import TracebackType
from typing import Any, Self

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

from local.backends.cloud.vectors import Vectors

LOOPBACK = "127.0.0.1"


class CloudServer:
    """Runs while its context lasts; moto's state is the process's, so one at a time.

    Attributes:
        vectors: the layer of S3 Vectors.
        url: the endpoint, for the AWS CLI and boto3.
    """

    def __init__(self, port: int = 0) -> None:
        moto = DomainDispatcherApplication(create_backend_app)
        self.vectors = Vectors()

        def application(environ: dict[str, Any], start: Any) -> Iterable[bytes]:  # noqa: ANN401 - WSGI's
            return (self.vectors.answer(environ) or moto)(environ, start)

        self._server = make_server(
            LOOPBACK, port, application, threaded=True, request_handler=MotoRequestHandler
        )
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
