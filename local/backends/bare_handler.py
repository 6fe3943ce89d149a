"""A Lambda handler behind the emulator's HTTP interface, for systems that the emulator has no binary for.

Only what the local gateway needs: one request at a time, no time-out, no size limit.
"""

import importlib
import json
import os
import sys
import threading
import time
import traceback
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from local.template.intrinsics import Json


@dataclass(frozen=True)
class Context:
    """The part of Lambda's context object that has a meaning here."""

    function_name: str
    memory_limit_in_mb: str
    seconds: float
    aws_request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    started: float = field(default_factory=time.monotonic)

    def get_remaining_time_in_millis(self) -> int:
        """What is left of the function's time-out, which ends nothing here."""
        return max(0, round((self.started + self.seconds - time.monotonic()) * 1000))


def load(name: str) -> Callable[[Json, Context], Json]:
    """Import `module.function` from the current folder, as Lambda does."""
    sys.path.insert(0, os.getcwd())  # noqa: PTH109 - sys.path holds strings
    module, function = name.rsplit(".", 1)
    loaded: Callable[[Json, Context], Json] = getattr(importlib.import_module(module), function)
    return loaded


def answer(handler: Callable[[Json, Context], Json], event: Json) -> Json:
    """Return the handler's answer, or Lambda's error object when it raises."""
    context = Context(
        os.environ["AWS_LAMBDA_FUNCTION_NAME"],
        os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"],
        float(os.environ["AWS_LAMBDA_FUNCTION_TIMEOUT"]),
    )
    try:
        return handler(event, context)
    except Exception as error:  # what Lambda does: the caller gets the error as an object
        traceback.print_exc()
        return {"errorMessage": str(error), "errorType": type(error).__name__}


def serve(name: str, port: int) -> None:
    """Answer invocations until killed."""
    handler = load(name)
    turn = threading.Lock()

    class Invocations(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            event = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with turn:
                body = json.dumps(answer(handler, event)).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing: the gateway logs each request."""

    # A thread for each connection, since one that is kept open must not hold up the others.
    ThreadingHTTPServer(("127.0.0.1", port), Invocations).serve_forever()


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]))
