"""A Lambda handler behind the emulator's HTTP interface, for systems that the emulator has no binary for.

Only what the local gateway needs: one request at a time, no time-out, no size limit.
"""

import importlib
import json
import os
import sys
import time
import traceback
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer

from local.template.intrinsics import Json

OF_FUNCTION = ("NAME", "MEMORY_SIZE", "TIMEOUT")


@dataclass(frozen=True)
class Context:
    """The part of Lambda's context object that has a meaning here."""

    function_name: str
    memory_limit_in_mb: str
    deadline: float  # of time.monotonic()
    aws_request_id: str = field(default_factory=lambda: str(uuid.uuid4()))

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the time-out, which nobody enforces here."""
        return max(0, round((self.deadline - time.monotonic()) * 1000))


def load(name: str) -> Callable[[Json, Context], Json]:
    """Import `module.function` from the current folder, as Lambda does."""
    sys.path.insert(0, os.getcwd())  # noqa: PTH109 - sys.path holds strings
    module, function = name.rsplit(".", 1)
    loaded: Callable[[Json, Context], Json] = getattr(importlib.import_module(module), function)
    return loaded


def answer(handler: Callable[[Json, Context], Json], event: Json) -> Json:
    """Return the handler's answer, or Lambda's error object when it raises."""
    name, memory, timeout = (os.environ[f"AWS_LAMBDA_FUNCTION_{part}"] for part in OF_FUNCTION)
    context = Context(name, memory, time.monotonic() + int(timeout))
    try:
        return handler(event, context)
    except Exception as error:  # what Lambda does: the caller gets the error as an object
        traceback.print_exc()
        return {"errorMessage": str(error), "errorType": type(error).__name__}


def serve(name: str, port: int) -> None:
    """Answer invocations until killed."""
    handler = load(name)

    class Invocations(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            event = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            body = json.dumps(answer(handler, event)).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing: the gateway logs each request."""

    HTTPServer(("127.0.0.1", port), Invocations).serve_forever()


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]))
