"""Memory, processor, network, user, stop: the limits of the platforms, and beyond them."""

import base64
import io
import json
import re
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.container.adapters import Container, lambda_container, sagemaker_container
from tests.container.conftest import Images
from tests.contract.cases import ASTRONAUT, CAT, JSON

SINGLE = json.dumps({"img": CAT}).encode()
PAIR = json.dumps({"img_1": CAT, "img_2": ASTRONAUT}).encode()
INSIDE = Path(__file__).with_name("inside.py")
FETCH_SECONDS = 10
INIT_SECONDS = 10
"""Lambda's limit for the init phase; the emulator does not enforce it."""


def largest_picture(colour: int, kind: str = "PNG") -> str:
    """4096 x 4096 pixels, the contract's limit, in few bytes."""
    side = np.linspace(0, 255, 4096, dtype=np.uint8)
    file = io.BytesIO()
    picture = np.stack([np.broadcast_to(side, (4096, 4096)), np.full((4096, 4096), colour, np.uint8)] * 2, -1)
    Image.fromarray(picture[..., :3]).save(file, kind, compress_level=6, lossless=True)
    return base64.b64encode(file.getvalue()).decode()


DEAREST = [largest_picture(20)] * 32 + [largest_picture(20, "WEBP")] * 32
DEAREST_BATCH = json.dumps({"images": [{"img": picture} for picture in DEAREST]}).encode()
LARGEST_PAIR = json.dumps({"img_1": largest_picture(20), "img_2": largest_picture(200)}).encode()


def good(container: Container, body: bytes = SINGLE) -> None:
    answer = container.call(body, JSON)
    assert answer.status == 200, answer.content[:500]


def init_seconds(container: Container) -> float:
    found = re.search(r"INIT REPORT\(durationMs: ([\d.]+)\)", container.logs())
    assert found, container.logs()
    return float(found[1]) / 1000


@pytest.mark.parametrize("memory", [1024, 1769, 3008])
def test_a_cold_start_is_far_under_lambdas_limit(images: Images, memory: int) -> None:
    with lambda_container(images, memory=memory) as container:
        start = time.monotonic()
        good(container)
        first = time.monotonic() - start
        print(
            f"\nlambda at {memory} MB: init {init_seconds(container):.2f} s, first answer {first:.2f} s, "
            f"peak {container.peak_megabytes():.0f} MB"
        )
        assert init_seconds(container) < INIT_SECONDS / 2


def test_500_requests_do_not_grow(images: Images) -> None:
    with lambda_container(images) as container:
        for _ in range(50):
            good(container)
            good(container, PAIR)
        warm = container.peak_megabytes()
        for number in range(400):
            good(container, PAIR if number % 4 == 0 else SINGLE)
        grown = container.peak_megabytes() - warm
        print(f"\nlambda: {warm:.0f} MB after 100 requests, {grown:+.1f} MB after 400 more")
        assert grown < 10
        assert not container.killed()


def test_the_largest_pair_fits_into_1769_megabytes(images: Images) -> None:
    with lambda_container(images) as container:
        good(container, LARGEST_PAIR)
        print(f"\nlambda: two pictures of 4096 x 4096: peak {container.peak_megabytes():.0f} MB")
        assert not container.killed()


@pytest.mark.parametrize("memory", [1769, 3008])
def test_the_dearest_batch_fits(images: Images, memory: int) -> None:
    """64 pictures at the limit of pixels; those that have not begun after 20 seconds are told so."""
    with lambda_container(images, memory=memory) as container:
        start = time.monotonic()
        answer = container.call(DEAREST_BATCH, JSON)
        seconds = time.monotonic() - start
        codes = Counter(one.get("error", {"code": "OK"})["code"] for one in answer.json["results"])
        peak = container.peak_megabytes()
        print(f"\nlambda at {memory} MB: {dict(codes)} in {seconds:.1f} s, peak {peak:.0f} MB")
        assert answer.status == 200
        assert set(codes) <= {"OK", "Timeout"}
        assert not container.killed()
        good(container)


def test_where_memory_runs_out_decoders_die_first_and_the_next_answer_is_good(images: Images) -> None:
    """The kernel ends the processes that decode, by their oom_score_adj; the function lives on."""
    with lambda_container(images, limit=130) as container:
        good(container)
        interrupted = container.call(LARGEST_PAIR, JSON)
        assert (interrupted.status, interrupted.json["code"]) == (503, "Unavailable")
        good(container)


@pytest.mark.parametrize("user", ["0:0", "12345:12345"])
def test_alone_in_the_world_it_answers_what_it_can_and_refuses_the_rest_in_time(
    images: Images, user: str
) -> None:
    bodies = {
        "img": {"img": CAT},
        "url": {"url": "https://example.com/a.jpg"},
        "s3": {"url": "s3://listed-bucket/a.jpg"},
    }
    options = ["--network=none", "--read-only", "--tmpfs=/tmp", "--cap-drop=ALL", f"--user={user}"]
    options += ["--security-opt=no-new-privileges", "--env=IMAGE_BUCKETS=listed-bucket"]
    options += [f"--volume={INSIDE}:/inside.py:ro"]
    with images.engine.container(*options, images.names["sagemaker"], "serve") as name:
        printed = images.engine.docker("exec", name, "python3.12", "/inside.py", json.dumps(bodies))
    print(f"\nno network, user {user}:\n{printed}")
    found = {
        name: (status, code, seconds) for name, status, code, seconds in map(json.loads, printed.splitlines())
    }
    assert found["img"][:2] == (200, None)
    for name in ("url", "s3"):
        assert found[name][:2] == (400, "SourceUnavailable")
        assert found[name][2] < FETCH_SECONDS + 1


def test_docker_stop_answers_what_has_begun_and_exits_with_0(images: Images) -> None:
    stopping = threading.Event()
    statuses: list[int] = []
    with sagemaker_container(images) as container, ThreadPoolExecutor(4) as threads:

        def ask() -> None:
            while not stopping.is_set():
                statuses.append(container.call(PAIR, JSON).status)

        clients = [threads.submit(ask) for _ in range(4)]
        time.sleep(2)
        stopping.set()  # what each client has sent by now must be answered, whatever comes
        start = time.monotonic()
        images.engine.docker("stop", "--time=30", container.name)
        seconds = time.monotonic() - start
        for client in clients:
            client.result()
        state = images.engine.docker("inspect", "--format", "{{.State.ExitCode}}", container.name)
    print(f"\ndocker stop under load: {seconds:.1f} s after {len(statuses)} answers")
    assert set(statuses) == {200}
    assert state.strip() == "0"
    assert seconds < 10
