"""An endpoint whose process dies is served again by another one, as SageMaker replaces a container."""

import asyncio
import json
import os
import signal
import time
from pathlib import Path

import pytest

from local.backends.endpoints import EndpointSpec, LocalEndpoints
from local.stack import PICTURE

ROOT = Path(__file__).resolve().parents[3]
BODY = json.dumps({"img": PICTURE}).encode()
HEADERS = {"Content-Type": "application/json"}
READY_SECONDS = 120


def test_a_killed_process_fails_its_calls_until_another_serves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoints = LocalEndpoints(ROOT, dict(os.environ), tmp_path)

    async def ask() -> int:
        return (await endpoints.invoke("one", HEADERS, BODY)).status

    async def kill_and_ask() -> list[int]:
        statuses = [await ask()]
        os.kill(endpoints._hosted["one"][1]._popen.pid, signal.SIGKILL)
        end = time.monotonic() + READY_SECONDS
        statuses.append(await ask())
        while time.monotonic() < end and statuses[-1] != 200:
            await asyncio.sleep(0.2)
            statuses.append(await ask())
        return statuses

    try:
        endpoints.start(EndpointSpec("one", {}))
        statuses = asyncio.run(kill_and_ask())
    finally:
        endpoints.stop()
    assert statuses[0] == statuses[-1] == 200
    assert set(statuses[1:-1]) <= {424}
