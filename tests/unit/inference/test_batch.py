"""A batch: in turns, one bad image alone, nothing begun too late, and bounded whatever is sent."""

import json
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from image_similarity.inference import batch
from image_similarity.inference.encoder import OnnxEncoder
from image_similarity.inference.engine import unbounded
from image_similarity.inference.errors import InvalidImage, Unavailable
from image_similarity.inference.loading import DEFAULT_MODEL_DIR
from image_similarity.inference.manifest import Manifest, Preprocessing
from image_similarity.inference.service import INTERNAL_ERROR_MESSAGE, Request, Service
from image_similarity.inference.sources import SourcePolicy
from image_similarity.inference.turns import NoTurnError, Turns
from tests.support.servers import ok, serving
from tests.support.world import b64, picture

MANIFEST = Manifest.load(DEFAULT_MODEL_DIR)
SIDE = MANIFEST.preprocessing.size
POLICY = SourcePolicy.from_environment({"ALLOW_PRIVATE_SOURCES": "1"})


class Digits:
    """Reads files that are numbers: each becomes a picture of that level."""

    def __init__(self, deeds: dict[bytes, Any] | None = None) -> None:
        self.deeds = deeds or {}
        self.decoded: list[bytes] = []

    def decode(
        self, data: bytes, *, preprocessing: Preprocessing, seconds: float | None = None
    ) -> NDArray[np.uint8]:
        if data in self.deeds:
            self.deeds[data]()
        self.decoded.append(data)
        return np.full((preprocessing.size, preprocessing.size, 3), int(data), np.uint8)


class Levels:
    """Encodes a picture as its level."""

    manifest, name = MANIFEST, "levels"

    def __init__(self) -> None:
        self.chunks: list[int] = []

    def encode(self, pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
        self.chunks.append(len(pictures))
        return np.repeat(pictures[:, 0, 0, :1].astype(np.float32), 512, axis=1)


def raising(error: Exception) -> Any:
    def deed() -> None:
        raise error

    return deed


def send(service: Service, images: Sequence[dict[str, str]]) -> tuple[int, Any]:
    response = service.handle(Request({}, json.dumps({"images": images}).encode()))
    return response.status, json.loads(response.body)


def numbers(count: int) -> list[dict[str, str]]:
    return [{"img": b64(str(number).encode())} for number in range(count)]


def levels(answer: Any) -> list[float | str]:
    return [
        result["error"]["code"] if "error" in result else result["result"][0] for result in answer["results"]
    ]


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("count", [1, batch.CHUNK, batch.CHUNK + 1, 64])
def test_results_are_in_order_whatever_the_chunks(count: int, shared: bool) -> None:
    """Chunks are smaller where others wait for them: behind a gate."""
    encoder = Levels()
    service = Service(encoder, POLICY, gate(Turns(1)) if shared else unbounded, decoder=Digits())
    status, answer = send(service, numbers(count))
    assert (status, levels(answer)) == (200, [float(number) for number in range(count)])
    assert sum(encoder.chunks) == count
    assert max(encoder.chunks) == min(count, batch.CHUNK_AMONG_OTHERS if shared else batch.CHUNK)


@pytest.mark.slow
def test_the_same_picture_has_the_same_vector_in_a_batch_and_alone() -> None:
    service = Service(OnnxEncoder(DEFAULT_MODEL_DIR, threads=1), POLICY)
    image = {"img": b64(picture())}
    alone = json.loads(service.handle(Request({}, json.dumps(image).encode())).body)["result"]
    other = {"img": b64(picture("astronaut"))}
    _, answer = send(service, [image, other, *[image] * 9])
    vectors = [result["result"] for result in answer["results"]]
    assert vectors[0] == pytest.approx(alone, abs=1e-5)
    assert vectors[2:] == [vectors[0]] * 9
    assert vectors[1] != vectors[0]


def test_one_bad_image_fails_alone_and_a_defect_tells_nothing(caplog: pytest.LogCaptureFixture) -> None:
    deeds = {b"3": raising(InvalidImage("broken.")), b"5": raising(RuntimeError("/secret"))}
    service = Service(Levels(), POLICY, decoder=Digits(deeds))
    response = service.handle(Request({}, json.dumps({"images": numbers(10)}).encode()))
    results = json.loads(response.body)["results"]
    assert results[3] == {"error": {"code": "InvalidImage", "message": "images[3].img: broken."}}
    message = f"images[5].img: {INTERNAL_ERROR_MESSAGE}"
    assert results[5] == {"error": {"code": "InternalError", "message": message}}
    assert [index for index, result in enumerate(results) if "error" in result] == [3, 5]
    assert "/secret" in caplog.text
    assert (response.status, response.images) == (200, 8)
    assert response.failures == {"InvalidImage": 1, "InternalError": 1}


@pytest.mark.slow
def test_what_has_not_begun_in_time_is_not_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch, "BEGIN_SECONDS", 3.0)
    decoder = Digits({b"0": lambda: time.sleep(3.1)})
    service = Service(Levels(), POLICY, decoder=decoder)
    service._engine.cores = 1
    _, answer = send(service, numbers(3))
    assert levels(answer) == [0.0, "Timeout", "Timeout"]
    assert decoder.decoded == [b"0"]
    assert "images[1].img: there was no time left" in answer["results"][1]["error"]["message"]


def test_a_turn_ends_after_its_time_and_the_next_goes_on_with_the_rest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(batch, "TURN_SECONDS", 0.0)
    encoder = Levels()
    service = Service(encoder, POLICY, decoder=Digits())
    service._engine.cores = 1
    _, answer = send(service, numbers(5))
    assert levels(answer) == [0.0, 1.0, 2.0, 3.0, 4.0]
    assert encoder.chunks == [1] * 5


def gate(turns: Turns) -> Any:
    @contextmanager
    def turn(seconds: float) -> Iterator[None]:
        try:
            with turns.turn(seconds):
                yield
        except NoTurnError as error:
            raise Unavailable("busy") from error

    return turn


def test_a_single_request_passes_between_the_chunks_of_a_batch() -> None:
    turns, encoder, single = Turns(1), Levels(), threading.Event()
    service = Service(encoder, POLICY, gate(turns), decoder=Digits())

    def ask() -> None:
        body = json.dumps({"img": b64(b"200")}).encode()
        assert service.handle(Request({}, body)).status == 200
        single.set()

    other = threading.Thread(target=ask)

    def let_another_come() -> None:
        other.start()
        while not turns.waiting:
            time.sleep(0.001)

    service._engine._decoder = Digits({b"0": let_another_come})
    status, answer = send(service, numbers(64))
    other.join()
    assert (status, levels(answer)) == (200, [float(number) for number in range(64)])
    assert single.is_set()
    # Second of all: after the chunk that was decoded when it came.
    assert encoder.chunks.index(1) <= 1


def test_a_single_request_passes_all_batches_but_as_many_as_there_are_cores() -> None:
    turns, encoder = Turns(1), Levels()
    service = Service(encoder, POLICY, gate(turns), decoder=Digits())
    cores = service._engine.cores
    others = [threading.Thread(target=send, args=(service, numbers(2))) for _ in range(cores + 4)]
    single = Request({}, json.dumps({"img": b64(b"200")}).encode())
    others.append(threading.Thread(target=service.handle, args=(single,)))
    with turns.turn():
        for other in others[:-1]:
            other.start()
        while service._engine.batches.waiting < 4:
            time.sleep(0.001)
        others[-1].start()
        while turns.waiting <= cores:
            time.sleep(0.001)
    for other in others:
        other.join()
    assert encoder.chunks.index(1) == cores
    assert encoder.chunks.count(2) == cores + 4


def test_a_batch_that_gets_no_turn_among_batches_is_refused_as_a_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(batch, "GATE_SECONDS", 0.01)
    service = Service(Levels(), POLICY, decoder=Digits())
    service._engine.batches = Turns(1)
    with service._engine.batches.turn():
        status, answer = send(service, numbers(3))
    assert (status, answer["code"]) == (503, "Unavailable")


def test_a_batch_that_gets_no_turn_at_all_is_refused_as_a_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch, "GATE_SECONDS", 0.01)
    turns = Turns(1)
    with turns.turn():
        status, answer = send(Service(Levels(), POLICY, gate(turns), decoder=Digits()), numbers(3))
    assert (status, answer["code"]) == (503, "Unavailable")


def test_a_batch_that_gets_no_second_turn_keeps_what_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch, "TURN_SECONDS", 0.0)
    passed = 0

    @contextmanager
    def twice(_seconds: float) -> Iterator[None]:
        nonlocal passed
        passed += 1
        if passed > 2:
            raise Unavailable("busy")
        yield

    service = Service(Levels(), POLICY, twice, decoder=Digits())
    service._engine.cores = 1
    status, answer = send(service, numbers(4))
    assert (status, levels(answer)) == (200, [0.0, *["Unavailable"] * 3])


def test_what_has_been_decoded_gets_another_turn_where_what_waits_gets_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(batch, "TURN_SECONDS", 0.0)
    passed = 0

    @contextmanager
    def not_the_third(_seconds: float) -> Iterator[None]:
        nonlocal passed
        passed += 1
        if passed == 3:
            raise Unavailable("busy")
        yield

    service = Service(Levels(), POLICY, not_the_third, decoder=Digits())
    service._engine.cores = 1
    status, answer = send(service, numbers(4))
    assert (status, levels(answer)) == (200, [0.0, 1.0, *["Unavailable"] * 2])


def test_fetched_bytes_are_held_file_by_file_until_they_are_decoded() -> None:
    now, sizes = [0], list[int]()

    @contextmanager
    def holding(size: int) -> Iterator[None]:
        sizes.append(size)
        now[0] += size
        yield
        now[0] -= size

    with serving(ok(b"7")) as server:
        service = Service(
            Levels(), POLICY, decoder=Digits({b"8": raising(InvalidImage("no."))}), holding=holding
        )
        images = [{"url": server.url}, {"url": server.url}, {"url": "data:;base64,OA=="}, {"img": b64(b"1")}]
        _, answer = send(service, images)
    assert levels(answer) == [7.0, 7.0, "InvalidImage", 1.0]
    assert sorted(sizes) == [0, 0, 1, 1]
    assert now == [0]


def test_where_there_is_no_room_for_a_file_that_image_alone_is_refused() -> None:
    @contextmanager
    def holding(size: int) -> Iterator[None]:
        if size:
            raise Unavailable("busy")
        yield

    with serving(ok(b"7")) as server:
        service = Service(Levels(), POLICY, decoder=Digits(), holding=holding)
        status, answer = send(service, [{"url": server.url}, {"img": b64(b"1")}])
    assert (status, levels(answer)) == (200, ["Unavailable", 1.0])
    assert answer["results"][0]["error"]["message"] == "images[0].url: busy"
