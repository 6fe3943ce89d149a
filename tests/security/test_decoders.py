"""Streams that keep libjpeg busy for minutes, handed to it past our own reading; and the world around it.

What stops them here is the decoder process alone. Through both adapters, frozen and thawed, without /dev/shm.
"""

import base64
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from unittest import mock

import httpx
import numpy as np
import pytest
from PIL import Image

from image_similarity.inference.decoders.processes import DecoderProcesses
from image_similarity.inference.errors import InvalidImage
from tests.decoders.hostile import PAST_OUR_CLEANING, hostile
from tests.decoders.process_tree import descendants, running, wait_until
from tests.decoders.test_processes import GOOD, OVERSPENT, ask, assert_right
from tests.decoders.test_sandbox import ROOT, standalone
from tests.support.adapters import Call, lambda_handler, wait_until_ready
from tests.support.jpegs import PROGRESSIVE, arithmetic
from tests.support.ports import free_port

JSON = {"Content-Type": "application/json"}
SCANS = 80
SERVE = """
import runpy, sys
from image_similarity.inference.decoders import processes
from tests.decoders.hostile import hostile
processes.start = lambda: processes.DecoderProcesses(hostile())
sys.argv = ["server", "serve"]
runpy.run_module("sagemaker.server", run_name="__main__")
"""
WITHOUT_SHM = ("unshare", "-m", "sh", "-c", 'mount -t tmpfs -o ro,mode=000 none /dev/shm && exec "$@"', "sh")


def huffman_scans(side: int = 4096) -> bytes:
    """A progressive picture as cameras code it, whose last scan comes again until there are 80."""
    noise = np.random.default_rng(1).integers(0, 255, (side // 8, side // 8), np.uint8)
    stream = io.BytesIO()
    Image.fromarray(noise).resize((side, side)).save(stream, "JPEG", progressive=True, quality=50)
    data = stream.getvalue()
    last = data[data.rindex(b"\xff\xda") : -2]
    return data[:-2] + last * (SCANS - data.count(b"\xff\xda")) + b"\xff\xd9"


STREAMS: dict[str, Callable[[], bytes]] = {
    "80 scans, Huffman": huffman_scans,
    "80 scans, arithmetic": partial(arithmetic, PROGRESSIVE, scans=SCANS),
}


@pytest.fixture(scope="module")
def decoders() -> Iterator[DecoderProcesses]:
    made = DecoderProcesses(hostile(), size=1)
    yield made
    made.close()


@pytest.mark.parametrize("name", STREAMS)
def test_real_streams_are_ended_by_their_budget(decoders: DecoderProcesses, name: str) -> None:
    file = PAST_OUR_CLEANING + STREAMS[name]()
    before = os.times()
    with pytest.raises(InvalidImage) as refusal:
        ask(decoders, file)
    assert refusal.value.message == OVERSPENT
    assert os.times().user - before.user < 2  # the service itself waits
    assert_right(decoders)


def body(**images: bytes) -> bytes:
    return json.dumps({field: base64.b64encode(data).decode() for field, data in images.items()}).encode()


@contextmanager
def hostile_lambda() -> Iterator[Call]:
    made = DecoderProcesses(hostile())
    with (
        mock.patch("image_similarity.inference.decoders.processes.start", return_value=made),
        lambda_handler({}) as call,
    ):
        yield call
    made.close()


@contextmanager
def serving(*prefix: str) -> Iterator[tuple[httpx.Client, subprocess.Popen[bytes]]]:
    port = free_port()
    environ = {**os.environ, "PYTHONPATH": str(ROOT), "SAGEMAKER_BIND_TO_PORT": str(port)}
    with subprocess.Popen(
        [*prefix, sys.executable, "-c", SERVE],
        cwd=ROOT,
        env=environ,
        start_new_session=True,
    ) as process:
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=60) as client:
                wait_until_ready(client, "/ping", process)
                yield client, process
        finally:
            with suppress(ProcessLookupError):  # a test may have stopped it
                os.killpg(process.pid, signal.SIGKILL)


def post(client: httpx.Client, content: bytes) -> httpx.Response:
    return client.post("/invocations", content=content, headers=JSON)


DEEDS = {
    b"do: loop in C": "more than 2 seconds of processor time",
    b"do: eat memory in Python": "more than 384 MB of memory",
    b"do: crash": "can't be decoded",
    b"do: say nonsense": "can't be decoded",
    PAST_OUR_CLEANING + arithmetic(PROGRESSIVE, scans=SCANS): "more than 2 seconds of processor time",
}


def test_through_lambda_each_is_a_400_and_the_next_request_right() -> None:
    with hostile_lambda() as call:
        wanted = call(body(img=GOOD), JSON)
        assert wanted.status == 200
        for deed, message in DEEDS.items():
            answer = call(body(img=deed), JSON)
            assert (answer.status, answer.json["code"]) == (400, "InvalidImage")
            assert message in answer.json["message"]
            assert call(body(img=GOOD), JSON).json == wanted.json
        pair = call(body(img_1=b"do: crash", img_2=b"do: loop in C"), JSON)
        assert pair.json["message"].startswith("img_1: the image can't be decoded")
        assert call(body(img_1=GOOD, img_2=GOOD), JSON).json == {"similarity": 1.0}


def test_through_sagemaker_each_is_a_400_the_next_request_right_and_ping_lives() -> None:
    with serving() as (client, _), ThreadPoolExecutor(4) as threads:
        wanted = post(client, body(img=GOOD)).json()
        asked = {deed: threads.submit(post, client, body(img=deed)) for deed in DEEDS}
        for deed, message in DEEDS.items():
            assert client.get("/ping").status_code == 200
            answer = asked[deed].result()
            assert (answer.status_code, answer.json()["code"]) == (400, "InvalidImage")
            assert message in answer.json()["message"]
        assert post(client, body(img=GOOD)).json() == wanted


def threads_of(process: int) -> int:
    return len(list(Path(f"/proc/{process}/task").iterdir()))


def test_a_terminal_s_interrupt_reaches_all_and_what_has_begun_is_answered() -> None:
    with serving() as (client, process), ThreadPoolExecutor(4) as threads:
        assert post(client, body(img=GOOD)).status_code == 200
        below, idle = descendants(process.pid), threads_of(process.pid)
        begun = [threads.submit(post, client, body(img=b"do: work for half a second")) for _ in range(4)]
        while threads_of(process.pid) < idle + 3 and not any(each.done() for each in begun):
            time.sleep(0.01)  # each request has a thread of its own, and one is left of the first
        os.killpg(process.pid, signal.SIGINT)
        answers = [each.result().json() for each in begun]
        assert [answer["message"] for answer in answers] == ["img: None"] * 4
        process.wait(100)
        wait_until(lambda: not any(map(running, below)))  # they see its pipe close, and then end


def test_frozen_and_thawed_between_requests_and_within_one() -> None:
    """As AWS Lambda does with all processes of a sandbox; the clock moves on meanwhile."""
    with standalone(clock_seconds=3.0) as service:
        service.assert_right()
        frozen_for(4, service.process.pid)
        service.assert_right()
        service.begin("wait for a moment")
        frozen_for(4, service.process.pid)
        assert service.answer() == {"code": "InvalidImage", "message": "None"}
        service.assert_right()
        assert service.logged == []


def frozen_for(seconds: float, service: int) -> None:
    everything = [service, *descendants(service)]
    for process in everything:
        os.kill(process, signal.SIGSTOP)
    time.sleep(seconds)
    for process in reversed(everything):
        os.kill(process, signal.SIGCONT)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts")
def test_without_dev_shm() -> None:
    with standalone(prefix=WITHOUT_SHM) as service:
        service.assert_right()
        assert "more than 2 seconds" in service.ask("loop in C")["message"]
        service.assert_right()
        shm = Path(f"/proc/{service.process.pid}/root/dev/shm")
        assert os.statvfs(shm).f_flag & os.ST_RDONLY


def test_the_adapters_fork_their_decoders_before_anything_has_a_thread() -> None:
    """A new interpreter in place of a fork would cost a cold start half a second."""
    for adapter in (
        "import handler as adapter",
        "import runpy; adapter = runpy.run_path('sagemaker/server.py', run_name='__main__')",
    ):
        code = (
            "import sys; sys.argv = ['server', 'check']; sys.path.insert(0, 'lambda')\n"
            f"{adapter}\n"
            "decoder = adapter['decoder'] if isinstance(adapter, dict) else adapter.decoder\n"
            "assert decoder.nursery.forked\n"
            "assert not {'torch', 'PIL'} & set(sys.modules), 'this process decodes nothing'\n"
        )
        environ = {**os.environ, "PYTHONPATH": str(ROOT)}
        done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environ, timeout=100, check=False)
        assert done.returncode == 0, adapter
