"""Attacks inside a batch: each fails alone; the good image among them and the next call are answered."""

import base64
import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from image_similarity.inference import batch
from image_similarity.inference.decoders.limits import Limits
from image_similarity.inference.decoders.processes import DecoderProcesses
from image_similarity.inference.encoder import OnnxEncoder
from image_similarity.inference.json_body import MAX_BODY_BYTES
from image_similarity.inference.request import MAX_IMAGES
from image_similarity.inference.service import Request, Service
from image_similarity.inference.sources import SourcePolicy
from tests.decoders.hostile import hostile
from tests.security.attacks import READ, Attack, attacks
from tests.security.test_attacks import GOOD, MEGABYTES, MODEL, memory_peak

SMALL = MAX_BODY_BYTES // MAX_IMAGES // 4 * 3 - 64
"""Bytes of a file of which a request may have as many as it may have images."""
KINDS = sorted({attack.kind for attack in attacks() if attack.file})


@pytest.fixture(scope="module")
def encoder() -> OnnxEncoder:
    return OnnxEncoder(MODEL, threads=1)


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine takes longer than a batch may; no answer here is to depend on it."""
    monkeypatch.setattr(batch, "BEGIN_SECONDS", 200.0)
    monkeypatch.setattr(batch, "DECODED_SECONDS", 220.0)
    monkeypatch.setattr(batch, "END_SECONDS", 240.0)


def processes(limits: Limits) -> Iterator[DecoderProcesses]:
    decoders = DecoderProcesses(limits)
    yield decoders
    decoders.close()


@pytest.fixture(scope="module")
def service(encoder: OnnxEncoder) -> Iterator[Service]:
    for decoders in processes(Limits(processor_seconds=20, clock_seconds=60)):
        yield Service(encoder, SourcePolicy(), decoder=decoders)


def result_of_the_good_one(service: Service) -> list[float]:
    result: list[float] = json.loads(service.handle(Request({}, GOOD)).body)["result"]
    return result


def sent(service: Service, files: list[bytes], good_at: int) -> list[Any]:
    images = [{"img": base64.b64encode(file).decode()} for file in files]
    images.insert(good_at, json.loads(GOOD))
    answer = service.handle(Request({}, json.dumps({"images": images}).encode()))
    assert answer.status == 200, answer.body
    results: list[Any] = json.loads(answer.body)["results"]
    assert len(results) == len(images)
    for index, result in enumerate(results):
        if "error" in result:
            assert result["error"]["message"].startswith(f"images[{index}].img: ")
            assert result["error"]["message"].isprintable()
    assert len(answer.body) < 1_000_000
    return results


def code(result: Any) -> str:
    return str(result.get("error", {}).get("code", READ))


@pytest.mark.parametrize("kind", KINDS)
def test_files_of_each_class_fail_alone(kind: str, service: Service) -> None:
    chosen = [(attack, attack.file()) for attack in attacks() if attack.kind == kind and attack.file]
    small: list[tuple[Attack, bytes]] = [(attack, file) for attack, file in chosen if len(file) <= SMALL]
    expected = result_of_the_good_one(service)
    for start in range(0, len(small), MAX_IMAGES - 1):
        part = small[start : start + MAX_IMAGES - 1]
        results = sent(service, [file for _, file in part], good_at=len(part) // 2)
        assert results.pop(len(part) // 2)["result"] == pytest.approx(expected, abs=1e-5)
        assert [code(result) for result in results] == [attack.code for attack, _ in part]
    assert result_of_the_good_one(service) == expected


def test_sixty_three_times_the_dearest_bomb_that_fits(service: Service) -> None:
    bombs = [attack.file() for attack in attacks() if attack.kind in {"bomb", "dear"} and attack.file]
    dearest = max((bomb for bomb in bombs if len(bomb) <= SMALL), key=len)
    expected = result_of_the_good_one(service)
    memory_peak()
    before = memory_peak()
    results = sent(service, [dearest] * (MAX_IMAGES - 1), good_at=0)
    assert memory_peak() - before < MEGABYTES
    assert results[0]["result"] == pytest.approx(expected, abs=1e-5)
    assert result_of_the_good_one(service) == expected


def test_files_that_use_up_their_budget_use_up_the_batch_s_time_and_no_more(
    encoder: OnnxEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch, "BEGIN_SECONDS", 4.0)
    for decoders in processes(hostile(processor_seconds=1.0)):
        service = Service(encoder, SourcePolicy(), decoder=decoders)
        expected = result_of_the_good_one(service)
        results = sent(service, [b"do: loop in C"] * (MAX_IMAGES - 1), good_at=MAX_IMAGES - 1)
        codes = Counter(map(code, results))
        assert codes.keys() == {"InvalidImage", "Timeout"}, codes
        assert "takes more than 1 seconds of processor time" in results[0]["error"]["message"]
        assert code(results[-1]) == "Timeout"
        assert result_of_the_good_one(service) == expected


def test_files_that_crash_a_codec_fail_alone(encoder: OnnxEncoder) -> None:
    for decoders in processes(hostile()):
        service = Service(encoder, SourcePolicy(), decoder=decoders)
        expected = result_of_the_good_one(service)
        deeds = [b"do: crash", b"do: end quietly", b"do: eat memory in Python", b"do: say nonsense"]
        results = sent(service, deeds * 4, good_at=8)
        assert results.pop(8)["result"] == pytest.approx(expected, abs=1e-5)
        assert {code(result) for result in results} == {"InvalidImage"}


def test_a_decoder_that_hangs_is_stopped_when_the_batch_s_time_is_over(
    encoder: OnnxEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch, "BEGIN_SECONDS", 3.0)
    monkeypatch.setattr(batch, "DECODED_SECONDS", 6.0)
    # Of a file whose decoding waits longer than anybody who sent it: pytest's own time limit is for the rest.
    for decoders in processes(hostile(clock_seconds=3600.0)):
        service = Service(encoder, SourcePolicy(), decoder=decoders)
        expected = result_of_the_good_one(service)
        results = sent(service, [b"do: wait for ever"] * 9, good_at=0)
        assert results[0]["result"] == pytest.approx(expected, abs=1e-5)
        assert {code(result) for result in results[1:]} == {"Timeout"}
        assert "was not over in time" in results[1]["error"]["message"]
        assert result_of_the_good_one(service) == expected
