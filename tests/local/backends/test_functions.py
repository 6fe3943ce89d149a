"""Pools of Lambda emulators with small handlers of the test: one call at a time each, errors, crashes."""

import asyncio
import itertools
import json
import os
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from local.backends.emulator import emulator
from local.backends.functions import BackendFailed, FunctionSpec, LocalFunctions
from local.backends.protocols import FunctionFailed
from tests.decoders import process_tree
from tests.decoders.process_tree import wait_until

ROOT = Path(__file__).resolve().parents[3]
ARN = "arn:aws:lambda:us-east-1:123456789012:function:small"
HANDLER = """
import os, time

def handler(event, context):
    if event.get("raise"):
        raise ValueError("boom")
    if event.get("exit"):
        os._exit(3)
    started = time.monotonic()
    time.sleep(event.get("sleep", 0))
    body = {"pid": os.getpid(), "from": started, "to": time.monotonic(), "name": context.function_name,
            "memory": context.memory_limit_in_mb, "colour": os.environ.get("COLOUR")}
    return {"statusCode": 200, "body": body}
"""


class Pool:
    """A running pool, called from plain test functions."""

    def __init__(self, functions: LocalFunctions, runner: asyncio.Runner) -> None:
        self.functions = functions
        self._runner = runner

    def call(self, *events: dict[str, Any]) -> list[Any]:
        """Invoke with all events at once; the answers, or what was raised."""

        async def invoke(event: dict[str, Any]) -> Any:
            return json.loads(await self.functions.invoke(ARN, json.dumps(event).encode()))

        async def invoke_all() -> list[Any]:
            return await asyncio.gather(*map(invoke, events), return_exceptions=True)

        work: Coroutine[Any, Any, list[Any]] = invoke_all()
        return self._runner.run(work)


def spec(folder: Path, **changes: Any) -> FunctionSpec:
    (folder / "small.py").write_text(changes.pop("code", HANDLER))
    values: dict[str, Any] = {
        "arn": ARN,
        "name": "small",
        "directory": folder,
        "handler": "small.handler",
        "environment": {"COLOUR": "blue"},
        "timeout_seconds": 60,
        "memory_megabytes": 1024,
        "workers": 2,
    }
    return FunctionSpec(**{**values, **changes})


def environment() -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "AWS_REGION": "us-east-1"}


@contextmanager
def running(binary: Path | None, tmp_path: Path, **changes: Any) -> Iterator[Pool]:
    functions = LocalFunctions(binary, environment(), tmp_path)
    functions.start(spec(tmp_path, **changes))
    try:
        functions.warm(ARN, b"{}")  # all can take a call from now on, however slow the machine is
        with asyncio.Runner() as runner:
            yield Pool(functions, runner)
    finally:
        functions.stop()


@pytest.fixture(params=["emulator", "bare"])
def pool(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Pool]:
    binary = emulator(ROOT / ".cache", print) if request.param == "emulator" else None
    with running(binary, tmp_path) as pool:
        yield pool


def test_a_worker_takes_one_call_at_a_time_and_all_workers_take_calls(pool: Pool) -> None:
    answers = pool.call(*[{"sleep": 0.05}] * 8)
    bodies = [answer["body"] for answer in answers]
    assert len({body["pid"] for body in bodies}) == 2
    for pid in {body["pid"] for body in bodies}:
        spans = sorted((body["from"], body["to"]) for body in bodies if body["pid"] == pid)
        assert all(earlier[1] <= later[0] for earlier, later in itertools.pairwise(spans))


def test_the_function_sees_its_own_configuration(pool: Pool) -> None:
    [answer] = pool.call({})
    body = answer["body"]
    assert (body["name"], str(body["memory"]), body["colour"]) == ("small", "1024", "blue")


def test_an_exception_is_an_error_object(pool: Pool) -> None:
    [answer] = pool.call({"raise": True})
    assert (answer["errorMessage"], answer["errorType"]) == ("boom", "ValueError")


def test_a_crash_fails_one_call_and_the_next_ones_work(pool: Pool) -> None:
    for _ in range(2):
        [failed] = pool.call({"exit": True})
        assert isinstance(failed, FunctionFailed)
        answers = pool.call({}, {})
        assert [answer["statusCode"] for answer in answers] == [200, 200]


def test_a_time_out_is_no_json_and_the_next_call_works(tmp_path: Path) -> None:
    with running(emulator(ROOT / ".cache", print), tmp_path, timeout_seconds=5) as pool:
        [failed, _] = pool.call({"sleep": 60}, {})
        assert isinstance(failed, json.JSONDecodeError)
        [answer] = pool.call({})
        assert answer["statusCode"] == 200


def test_an_unknown_function_is_a_key_error(pool: Pool) -> None:
    with pytest.raises(KeyError):
        asyncio.run(pool.functions.invoke("arn:other", b"{}"))


@pytest.mark.parametrize("bare", [False, True])
def test_a_function_that_cannot_be_imported_shows_its_log(tmp_path: Path, *, bare: bool) -> None:
    functions = LocalFunctions(None if bare else emulator(ROOT / ".cache", print), environment(), tmp_path)
    functions.start(spec(tmp_path, code="raise RuntimeError('no model here')", workers=1))
    try:
        with pytest.raises(BackendFailed, match="no model here"):
            functions.warm(ARN, b"{}")
    finally:
        functions.stop()


def ended(pid: int) -> bool:
    return not process_tree.running(pid)


def test_stopping_leaves_no_process(tmp_path: Path) -> None:
    functions = LocalFunctions(emulator(ROOT / ".cache", print), environment(), tmp_path)
    functions.start(spec(tmp_path))
    [first, second] = functions.warm(ARN, b"{}")
    functions.stop()
    for answer in (first, second):
        pid = json.loads(answer)["body"]["pid"]
        wait_until(partial(ended, pid))  # it was killed, and needs a moment for its end
