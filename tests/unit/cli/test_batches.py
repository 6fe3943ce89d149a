"""Many pictures go in few requests, whose bodies are bounded; a picture that fails fails alone."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from image_similarity.cli.batches import MAX_PICTURES
from image_similarity.cli.http_target import HttpTarget
from image_similarity.cli.targets import Answer, Refused, Unreachable
from image_similarity.inference.json_body import MAX_BODY_BYTES
from tests.support.world import picture
from tests.unit.cli.strange_server import UNIT, Reply, a_vector, answering


def results(*items: list[float] | str) -> Reply:
    return Reply(
        {"results": [{"result": item} if isinstance(item, list) else _error(item) for item in items]}
    )


def _error(code: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": "images[1].img: no."}}


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    names = [str(tmp_path / f"{number:02}.jpg") for number in range(20)]
    for name in names:
        Path(name).write_bytes(picture())
    return names


def test_pictures_go_together_and_come_back_in_order(files: list[str]) -> None:
    vectors = [a_vector(number) for number in range(20)]
    with answering(Reply({"result": UNIT})) as server:
        server.batches = [results(*vectors[:MAX_PICTURES]), results(*vectors[MAX_PICTURES:])]
        outcomes = HttpTarget(server.url).embed_many(files)
    assert [len(body["images"]) for body in server.batch_bodies] == [16, 4]
    assert server.bodies == []
    for outcome, vector in zip(outcomes, vectors, strict=True):
        assert isinstance(outcome, Answer)
        assert outcome.model == "embedded/test"
        np.testing.assert_array_equal(outcome.vector, vector)


def test_a_picture_that_fails_fails_alone_and_one_without_a_turn_is_sent_again(files: list[str]) -> None:
    with answering(Reply({"result": UNIT})) as server:
        server.batches = [results(UNIT, "InvalidImage", "Timeout", "Unavailable")]
        outcomes = HttpTarget(server.url).embed_many([*files[:4], "absent.jpg"])
    assert [type(outcome) for outcome in outcomes[:4]] == [Answer, Refused, Answer, Answer]
    assert str(outcomes[1]) == "InvalidImage: images[1].img: no."
    assert not isinstance(outcomes[4], Answer)
    assert len(server.bodies) == 2


@pytest.mark.slow
def test_no_body_is_larger_than_the_api_takes(tmp_path: Path) -> None:
    names = [str(tmp_path / f"{number}.bmp") for number in range(7)]
    for name in names:
        Path(name).write_bytes(picture("chelsea", "BMP", (800, 600)))  # 1.9 MB of base64 each
    with answering(Reply({"result": UNIT})) as server:
        server.batches = [results(UNIT, UNIT)]
        outcomes = HttpTarget(server.url).embed_many(names)
    assert all(isinstance(outcome, Answer) for outcome in outcomes)
    assert [len(body["images"]) for body in server.batch_bodies] == [2, 2, 2]
    assert len(server.bodies) == 1
    assert max(len(json.dumps(body)) for body in server.batch_bodies) <= MAX_BODY_BYTES


def test_an_api_that_takes_no_batches_gets_the_pictures_one_by_one_and_is_asked_once(
    files: list[str],
) -> None:
    notes: list[str] = []
    with answering(Reply({"result": UNIT})) as server:
        target = HttpTarget(server.url, note=notes.append)
        outcomes = [*target.embed_many(files[:3]), *target.embed_many(files[3:6])]
    assert all(isinstance(outcome, Answer) for outcome in outcomes)
    assert len(server.bodies) == 6
    assert len(server.batch_bodies) == 1
    assert len(notes) == 1
    assert "takes one picture per request" in notes[0]


def test_urls_that_may_have_failed_for_the_others_sake_are_sent_again_alone(files: list[str]) -> None:
    pictures = [f"https://example.com/{number}.jpg" for number in range(3)]
    with answering(Reply({"result": UNIT})) as server:
        server.batches = [results("PayloadTooLarge", "SourceUnavailable", "SourceNotAllowed", "InvalidImage")]
        outcomes = HttpTarget(server.url).embed_many([*pictures, files[0]])
    assert [type(outcome) for outcome in outcomes] == [Answer, Answer, Refused, Refused]
    assert server.bodies == [{"url": url} for url in pictures[:2]]


@pytest.mark.parametrize(
    "body",
    [
        {"results": []},
        {"results": [{"result": UNIT}]},
        {"results": [{"result": UNIT}, {"result": [2.0] * 512}]},
        {"results": [{"result": UNIT}, {"error": "no"}]},
        {"results": [{"result": UNIT}, 7]},
        {"result": UNIT},
    ],
)
def test_an_answer_that_is_no_batch_s_is_not_believed(body: object, files: list[str]) -> None:
    with answering(Reply({"result": UNIT})) as server:
        server.batches = [Reply(body)]
        with pytest.raises(Unreachable, match=r"answer|results"):
            HttpTarget(server.url).embed_many(files[:2])


def test_urls_are_sent_as_they_are() -> None:
    urls = [f"https://example.com/{number}.jpg" for number in range(17)]
    with answering(Reply({"result": UNIT})) as server:
        server.batches = [results(*[UNIT] * 16)]
        HttpTarget(server.url).embed_many(urls)
    assert server.batch_bodies == [{"images": [{"url": url} for url in urls[:16]]}]
    assert server.bodies == [{"url": urls[16]}]
