"""A folder with two pictures, and a web server that has one of them."""

import base64
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from api_explorer.document import document

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The working folder of an example: cat.jpg and other.jpg, and names that need quoting."""
    folder = tmp_path_factory.mktemp("pictures")
    pictures = document()["x-pictures"]
    for name, key in (("cat.jpg", "cat"), ("other.jpg", "altered"), ('it\'s a "cat" $1.jpg', "cat")):
        (folder / name).write_bytes(base64.b64decode(pictures[key]))
    return folder


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Keep the tests' output readable."""


@pytest.fixture(scope="session")
def picture_url(pictures: Path) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(pictures)))
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/cat.jpg"
    server.shutdown()
    thread.join()
    server.server_close()
