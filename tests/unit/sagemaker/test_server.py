"""The serving process as SageMaker runs it: a real process, real sockets, slow pictures on loopback."""

import base64
import io
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from PIL import Image

from image_similarity.inference.request import MAX_URLS
from image_similarity.inference.sources.places import AT_ONCE, IN_LINE
from sagemaker.server import FETCHING_PER_CORE, PLACES_PER_CORE, model_environment
from sagemaker.workers import cores
from tests.support.ports import free_port
from tests.support.servers import ok
from tests.support.servers import serving as file_server

ROOT = Path(__file__).resolve().parents[3]
JSON = {"Content-Type": "application/json"}
CUSTOM = "X-Amzn-SageMaker-Custom-Attributes"
# One client for all: making one reads every CA certificate of the machine.
CLIENT = httpx.Client(timeout=30, trust_env=False, limits=httpx.Limits(max_keepalive_connections=0))


def picture(side: int = 64) -> bytes:
    file = io.BytesIO()
    Image.radial_gradient("L").convert("RGB").resize((side, side)).save(file, "PNG")
    return file.getvalue()


# With time for a busy machine: sources may take two minutes, and bodies five.
PATIENT = """
from dataclasses import replace
from image_similarity.inference.decoders import processes
from image_similarity.inference.sources import SourcePolicy
from sagemaker import server
server.decoder = processes.start()
usual = SourcePolicy.from_environment
SourcePolicy.from_environment = lambda environ: replace(usual(environ), timeout_seconds=120)
server.BODY_SECONDS = 300
"""
SERVE = 'server.main(["serve"])'
IMAGE_BODY = json.dumps({"img": base64.b64encode(picture()).decode()})


@contextmanager
def serving(*command: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The server, or what the arguments of Python make of it."""
    port = free_port()
    environ = os.environ | {"SAGEMAKER_BIND_TO_PORT": str(port), "ALLOW_PRIVATE_SOURCES": "1"}
    with subprocess.Popen(
        [sys.executable, *(command or ("-m", "sagemaker.server", "serve"))],
        cwd=ROOT,
        env=environ,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        url = f"http://127.0.0.1:{port}"
        try:
            wait_until_ready(url, process)
            yield url, process
        finally:
            process.kill()


def wait_until_ready(url: str, process: subprocess.Popen[str]) -> None:
    end = time.monotonic() + 120
    while time.monotonic() < end:
        assert process.poll() is None, "the server ended"
        try:
            if CLIENT.get(f"{url}/ping").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    pytest.fail("the server was not ready in two minutes")


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with serving("-c", PATIENT + SERVE) as (url, process):
        assert process.stdout
        # Its lines are read by nobody else, and a pipe that is full would stop it.
        threading.Thread(target=process.stdout.read, daemon=True).start()
        yield url


class SlowPictures(ThreadingHTTPServer):
    """Answers with a picture once `gate` is open; `waiting` counts who is there."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, host: str = "127.0.0.1") -> None:
        super().__init__((host, 0), SlowHandler)
        self.host = host
        self.gate = threading.Event()
        self.waiting = threading.Semaphore(0)

    @property
    def body(self) -> str:
        return json.dumps({"url": f"http://{self.host}:{self.server_port}/a.png"})


class SlowHandler(BaseHTTPRequestHandler):
    server: SlowPictures

    def do_GET(self) -> None:
        self.server.waiting.release()
        self.server.gate.wait(100)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(picture())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def slow() -> Iterator[SlowPictures]:
    with slow_pictures() as pictures:
        yield pictures


@contextmanager
def slow_pictures(host: str = "127.0.0.1") -> Iterator[SlowPictures]:
    with SlowPictures(host) as pictures:
        threading.Thread(target=pictures.serve_forever, args=(0.01,), daemon=True).start()
        yield pictures
        pictures.gate.set()
        pictures.shutdown()


def post(url: str, body: str | bytes, **headers: str) -> httpx.Response:
    return CLIENT.post(f"{url}/invocations", content=body, headers=JSON | headers)


def test_the_request_id_comes_in_and_the_timing_goes_out_in_the_custom_attributes(server: str) -> None:
    response = post(server, IMAGE_BODY, **{CUSTOM: "gateway-id-1"})
    assert response.status_code == 200
    assert len(response.json()["result"]) == 512
    assert response.headers["X-Request-Id"] == "gateway-id-1"
    assert response.headers[CUSTOM] == response.headers["Server-Timing"]
    assert response.headers[CUSTOM].startswith("fetch;dur=")


def test_a_custom_attribute_that_is_no_id_is_not_taken_for_one(server: str) -> None:
    response = post(server, "{}", **{CUSTOM: "x" * 1024})
    assert len(response.headers["X-Request-Id"]) == 36
    assert response.json()["requestId"] == response.headers["X-Request-Id"]


@pytest.mark.parametrize("megabytes", [5.1, 24])
def test_a_body_over_the_limit_is_413_and_the_connection_lives_on(server: str, megabytes: float) -> None:
    with httpx.Client(timeout=30, trust_env=False) as client:
        response = client.post(f"{server}/invocations", content=b"x" * int(megabytes * 1024**2), headers=JSON)
        assert (response.status_code, response.json()["code"]) == (413, "PayloadTooLarge")
        assert client.get(f"{server}/ping").status_code == 200


def test_a_huge_body_of_a_wrong_type_is_415_first(server: str) -> None:
    content = (b"x" * 2**20 for _ in range(8))
    response = CLIENT.post(f"{server}/invocations", content=content, headers={"Content-Type": "text/plain"})
    assert (response.status_code, response.json()["code"]) == (415, "UnsupportedMediaType")


@pytest.mark.slow
def test_ping_does_not_stand_in_line_with_requests(server: str) -> None:
    """SageMaker gives it two seconds. On a machine of any speed it passes those who wait to compute."""
    callers, pings = 16, 40
    stop, answered = threading.Event(), list[int]()

    def hammer() -> None:
        while not stop.is_set():
            answered.append(post(server, IMAGE_BODY).status_code)

    with ThreadPoolExecutor(callers) as threads:
        load = [threads.submit(hammer) for _ in range(callers)]
        try:
            while len(answered) < callers and not any(one.done() for one in load):
                time.sleep(0.01)
            before = len(answered)
            for _ in range(pings):
                assert CLIENT.get(f"{server}/ping").status_code == 200
            meanwhile = len(answered) - before
        finally:
            stop.set()
        for one in load:
            one.result()
    assert set(answered) == {200}
    assert meanwhile < pings * callers / 2, "in line, each would have waited for all the others"


@pytest.mark.slow
def test_slow_sources_hold_up_nobody_else(server: str, slow: SlowPictures) -> None:
    guests = AT_ONCE
    with ThreadPoolExecutor(guests) as threads:
        fetching = [threads.submit(post, server, slow.body) for _ in range(guests)]
        for _ in range(guests):
            assert slow.waiting.acquire(timeout=60)
        assert post(server, IMAGE_BODY).status_code == 200
        assert not any(one.done() for one in fetching)
        slow.gate.set()
        assert [one.result().status_code for one in fetching] == [200] * guests


@pytest.mark.slow
def test_callers_that_send_slowly_take_no_place(server: str) -> None:
    address = httpx.URL(server).host, httpx.URL(server).port
    head = b"POST /invocations HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
    slow = [socket.create_connection(address) for _ in range(2 * PLACES_PER_CORE * cores())]
    try:
        for caller in slow:
            caller.sendall(head + b"Content-Length: 999\r\n\r\n{")
        assert seated_at_last(server, IMAGE_BODY).status_code == 200
        assert not select.select(slow, [], [], 0)[0], "one of them has been answered"
    finally:
        for caller in slow:
            caller.close()


@pytest.mark.slow
def test_a_caller_that_stalls_loses_its_connection() -> None:
    """Within the seconds that a body may take: else each would keep a descriptor for ever."""
    with (
        serving("-c", f"{PATIENT}server.BODY_SECONDS = 1\n{SERVE}") as (url, _),
        socket.create_connection((httpx.URL(url).host, httpx.URL(url).port), timeout=60) as caller,
    ):
        caller.sendall(b"POST /invocations HTTP/1.1\r\nHost: a\r\nContent-Length: 999\r\n\r\n{")
        answer = caller.makefile("rb").read()  # ends with the connection
    assert answer.startswith(b"HTTP/1.1 400 ")


def hosts(count: int) -> list[str]:
    """Addresses of this machine: each is a server of its own to whoever counts by address."""
    return [f"127.0.0.{2 + number}" for number in range(count)]


@pytest.mark.slow
def test_a_house_full_of_fetches_keeps_places_for_the_rest_and_recovers(server: str) -> None:
    places, each = FETCHING_PER_CORE * cores(), AT_ONCE + IN_LINE
    with ExitStack() as stack:
        busy = [stack.enter_context(slow_pictures(host)) for host in hosts(-(-places // each))]
        quick = stack.enter_context(slow_pictures())
        quick.gate.set()
        threads = stack.enter_context(ThreadPoolExecutor(places))
        seated = [
            threads.submit(seated_at_last, server, busy[number // each].body) for number in range(places)
        ]
        refused = eventually_refused(server, quick.body)
        assert refused.json()["message"].startswith("Too many requests wait for their files already.")
        assert int(refused.headers["Retry-After"]) >= 1
        assert refused.json()["requestId"] == "one-too-many"
        assert post(server, IMAGE_BODY).status_code == 200
        assert CLIENT.get(f"{server}/ping").status_code == 200
        for one in busy:
            one.gate.set()
        assert [one.result().status_code for one in seated] == [200] * places
        assert post(server, quick.body).status_code == 200


def seated_at_last(server: str, body: str) -> httpx.Response:
    """The answer to one who comes again while another has the place for a moment."""
    end = time.monotonic() + 100
    while (answer := post(server, body)).status_code == 503 and time.monotonic() < end:
        time.sleep(0.01)
    return answer


def eventually_refused(server: str, body: str) -> httpx.Response:
    """The first 503, once all who were sent before have their places."""
    for _ in range(200):
        answer = post(server, body, **{CUSTOM: "one-too-many"})
        if answer.status_code != 200:
            assert (answer.status_code, answer.json()["code"]) == (503, "Unavailable")
            return answer
        time.sleep(0.02)
    pytest.fail("nobody was refused")


@pytest.mark.slow
def test_one_server_gets_few_fetches_at_once_and_leaves_places_to_others(server: str) -> None:
    """Pairs of 90 bytes are no amplifier: most wait, and those that are too many are refused at once."""
    with slow_pictures("127.0.0.9") as target, slow_pictures() as other:
        other.gate.set()
        pair = json.dumps({f"url_{slot}": json.loads(target.body)["url"] for slot in (1, 2)})
        with ThreadPoolExecutor(32) as threads:
            asked = [threads.submit(post, server, pair) for _ in range(32)]
            for _ in range(AT_ONCE):
                assert target.waiting.acquire(timeout=60)
            done = 0
            while done < 32 - (AT_ONCE + IN_LINE):
                done = sum(one.done() for one in asked)
                time.sleep(0.01)
            assert not target.waiting.acquire(timeout=0.3), "more than so many at once"
            assert post(server, other.body).status_code == 200
            target.gate.set()
            answers = [one.result() for one in asked]
    refused = [one for one in answers if one.status_code == 503]
    assert {one.status_code for one in answers} <= {200, 503}
    assert len(refused) >= 32 - (AT_ONCE + IN_LINE)
    messages = {one.json()["message"] for one in refused}
    assert all("fetched from this server" in text or "wait for their files" in text for text in messages)


@pytest.mark.slow
def test_clients_whose_server_drips_keep_no_good_request_out(server: str) -> None:
    """33 of them kept 41 of 42 good requests out, with 4 % of the processor."""
    ended = threading.Event()

    def drip(connection: socket.socket, head: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while not ended.wait(0.5):
            connection.sendall(b"x")

    with file_server(drip) as target, ThreadPoolExecutor(33) as threads:
        dripping = [threads.submit(post, server, json.dumps({"url": target.url})) for _ in range(33)]
        try:
            while target.connections < AT_ONCE:
                time.sleep(0.01)
            good = [post(server, IMAGE_BODY).status_code for _ in range(42)]
            assert CLIENT.get(f"{server}/ping").status_code == 200
            codes = {one.result().json()["code"] for one in dripping}
        finally:
            ended.set()
    assert good == [200] * 42
    assert codes <= {"SourceUnavailable", "Unavailable"}


@pytest.mark.slow
def test_a_batch_whose_files_are_more_than_may_wait_fails_in_part_and_leaves_nothing_held() -> None:
    noise = io.BytesIO()
    Image.effect_noise((1024, 1024), 99).save(noise, "PNG")
    file = noise.getvalue()
    little = f"server.HELD_BYTES_PER_CORE = {int(1.5 * len(file))} // server.cores()"
    command = f"from sagemaker import server; {little}; server.main(['serve'])"
    with serving("-c", command) as (url, _), file_server(ok(file)) as files:
        single = json.dumps({"url": files.url})
        vector = post(url, single).json()["result"]
        answer = post(url, json.dumps({"images": [{"url": files.url}] * MAX_URLS}))
        assert answer.status_code == 200
        results = answer.json()["results"]
        refused = [result["error"] for result in results if "error" in result]
        good = [result["result"] for result in results if "result" in result]
        assert {error["code"] for error in refused} == {"Unavailable"}
        assert all(numbers == pytest.approx(vector, abs=1e-5) for numbers in good)
        assert good
        # All that was held is let go: else this file would find no room.
        assert post(url, single).status_code == 200
        [again] = post(url, json.dumps({"images": [{"url": files.url}]})).json()["results"]
        assert again["result"] == pytest.approx(vector, abs=1e-5)


def ping_for_a_while(url: str) -> None:
    for _ in range(1000):
        CLIENT.get(f"{url}/ping")
        time.sleep(0.01)


@pytest.mark.slow
def test_sigterm_answers_what_has_begun_refuses_the_rest_and_exits_with_0(slow: SlowPictures) -> None:
    with serving("-c", PATIENT + SERVE) as (url, process), ThreadPoolExecutor(4) as threads:
        begun = [threads.submit(post, url, slow.body) for _ in range(4)]
        for _ in begun:
            assert slow.waiting.acquire(timeout=60)
        process.send_signal(signal.SIGTERM)
        with pytest.raises(httpx.TransportError):
            ping_for_a_while(url)  # until it has seen the signal
        slow.gate.set()
        assert [one.result().status_code for one in begun] == [200] * 4
        assert process.wait(timeout=30) == 0
        assert process.stdout
        lines = [json.loads(line) for line in process.stdout]
    assert [line["status"] for line in lines if "status" in line] == [200] * 4


@pytest.mark.slow
def test_sigterm_while_idle_ends_the_process() -> None:
    with serving() as (_, process):
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0


@pytest.mark.slow
def test_a_missing_model_stops_the_start_with_a_sentence(tmp_path: Path) -> None:
    environ = os.environ | {"MODEL_DIR": str(tmp_path), "SAGEMAKER_BIND_TO_PORT": str(free_port())}
    ended = subprocess.run(
        [sys.executable, "-m", "sagemaker.server"],
        cwd=ROOT,
        env=environ,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ended.returncode == 1
    assert "manifest.json" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.slow
def test_a_mounted_model_goes_before_the_images_own(tmp_path: Path) -> None:
    own = {"MODEL_DIR": "/opt/model"}
    assert model_environment(own, tmp_path) == own
    (tmp_path / "manifest.json").write_text("{}")
    assert model_environment(own, tmp_path) == {"MODEL_DIR": str(tmp_path)}
