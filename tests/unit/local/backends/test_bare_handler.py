"""The handlers without AWS's emulator."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from tests.support.ports import free_port

ROOT = Path(__file__).parents[4]
PATIENCE_SECONDS = 60


@pytest.mark.slow
def test_a_connection_that_is_kept_open_holds_up_no_other(tmp_path: Path) -> None:
    (tmp_path / "echo.py").write_text("def handler(event, context):\n    return event\n")
    port = free_port()
    names = {"NAME": "echo", "MEMORY_SIZE": "128", "TIMEOUT": "3"}
    environment = {f"AWS_LAMBDA_FUNCTION_{name}": value for name, value in names.items()}
    process = subprocess.Popen(
        [sys.executable, "-m", "local.backends.bare_handler", "echo.handler", str(port)],
        cwd=tmp_path,
        env={**os.environ, **environment, "PYTHONPATH": str(ROOT)},
    )
    try:
        with _connected(port), httpx.Client(trust_env=False, timeout=PATIENCE_SECONDS) as client:
            answer = client.post(f"http://127.0.0.1:{port}/", json={"key": "value"})
    finally:
        process.kill()
        process.wait()
    assert answer.json() == {"key": "value"}


def _connected(port: int) -> socket.socket:
    end = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port))
        except ConnectionRefusedError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)
