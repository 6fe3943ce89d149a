"""Indexing with the real decoder and encoder, and single turns of what the oracle's walk does by chance."""

import io
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from image_similarity.catalogue.embedded import EmbeddedIndex
from image_similarity.catalogue.index import Record, TransientError, index_name
from image_similarity.catalogue.indexing import Indexer, Outcome
from image_similarity.catalogue.ledger_file import MEMORY, FileLedger
from image_similarity.catalogue.objects import MAX_BYTES
from image_similarity.inference.decoders import InProcess
from image_similarity.inference.encoder import Encoder, OnnxEncoder
from image_similarity.inference.errors import Unavailable
from image_similarity.inference.image import decode
from image_similarity.inference.loading import DEFAULT_MODEL_DIR
from tests.support.catalogue.bucket import ARCHIVED, Buckets
from tests.support.catalogue.pictures import MANIFEST, TinyEncoder, picture

KEY = "s3://photos/a.jpg"


class Small:
    """An indexer and what it works on."""

    def __init__(self, pool: ThreadPoolExecutor, encoder: Encoder | None = None) -> None:
        self.buckets, self.ledger = Buckets(), FileLedger()
        self.index = EmbeddedIndex(Path(MEMORY), index_name(MANIFEST))
        self.pool, self.encoder = pool, encoder or TinyEncoder()
        self.time = 0.0

    def run(self, *keys: str, deadline: float = float("inf"), reader: str = "1") -> dict[str, Outcome]:
        indexer = Indexer(
            self.buckets,
            self.index,
            self.ledger,
            self.encoder,
            reader=reader,
            pool=self.pool,
            clock=lambda: self.time,
        )
        results: dict[str, Outcome] = {}
        for chunk in indexer.index(keys, deadline):
            results |= chunk
        return results


@pytest.fixture
def small() -> Iterator[Small]:
    with ThreadPoolExecutor(8) as pool:
        yield Small(pool)


@pytest.mark.slow
def test_real_pictures() -> None:
    encoder = OnnxEncoder(DEFAULT_MODEL_DIR, threads=1)
    chance = np.random.default_rng(0)
    with ThreadPoolExecutor(4) as pool:
        small = Small(pool, encoder)
        for number in range(40):
            file, side = io.BytesIO(), int(chance.integers(20, 300))
            pixels = chance.integers(0, 256, (side, side + number, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(file, ("PNG", "JPEG", "BMP")[number % 3])
            small.buckets.objects[f"s3://photos/{number}"] = file.getvalue()
        small.buckets.objects["s3://photos/7"] = b"broken"
        outcomes = small.run(*small.buckets.objects)
        assert {key for key, outcome in outcomes.items() if outcome is Outcome.FAILED} == {"s3://photos/7"}
        assert len(small.index) == 39
        for key, data in small.buckets.objects.items():
            if key != "s3://photos/7":
                alone = encoder.encode(decode(data, preprocessing=encoder.manifest.preprocessing)[np.newaxis])
                stored = small.index.vector(key)
                assert stored is not None
                np.testing.assert_allclose(stored, alone[0], atol=1e-6)


@pytest.mark.slow
def test_a_life(small: Small) -> None:
    small.buckets.write(KEY, picture(1))
    assert small.run(KEY, KEY) == {KEY: Outcome.INDEXED}
    assert small.run(KEY) == {KEY: Outcome.UNCHANGED}
    small.buckets.write(KEY, picture(2))
    assert small.run(KEY) == {KEY: Outcome.INDEXED}
    small.buckets.write(KEY, b"no picture")
    assert small.run(KEY) == {KEY: Outcome.FAILED}
    assert (len(small.index), small.ledger.failed()) == (0, 1)
    assert small.run(KEY) == {KEY: Outcome.UNCHANGED}
    small.buckets.write(KEY, picture(2))
    assert small.run(KEY) == {KEY: Outcome.INDEXED}
    assert (len(small.index), small.ledger.failed()) == (1, 0)
    small.buckets.remove(KEY)
    assert small.run(KEY) == {KEY: Outcome.DELETED}
    assert len(small.index) == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "empty"),
        (b"<html>", "web page"),
        (picture(3)[:50], "broken|truncated"),
        (ARCHIVED, "archived"),
        (bytes(MAX_BYTES + 1), "too large"),
        (picture(7), "no direction"),
    ],
)
def test_what_fails_for_good(small: Small, data: bytes, message: str) -> None:
    small.buckets.write(KEY, data)
    small.buckets.write("s3://photos/good.jpg", picture(1))
    assert small.run("s3://photos/good.jpg", KEY) == {
        "s3://photos/good.jpg": Outcome.INDEXED,
        KEY: Outcome.FAILED,
    }
    failure = small.ledger.newest()[0]
    assert (failure.key, failure.etag) == (KEY, small.buckets.etag(KEY))

    assert re.search(message, failure.message)


def test_another_release_tries_again_what_failed(small: Small) -> None:
    small.buckets.write(KEY, b"no picture")
    assert small.run(KEY, reader="1") == {KEY: Outcome.FAILED}
    assert small.run(KEY, reader="1") == {KEY: Outcome.UNCHANGED}
    assert small.run(KEY, reader="2") == {KEY: Outcome.FAILED}
    assert small.ledger.newest()[0].reader == "2"


def test_a_folder_of_the_console_is_no_picture(small: Small) -> None:
    small.buckets.write("s3://photos/summer/", b"")
    small.buckets.write("s3://photos/odd/", picture(1))
    assert small.run("s3://photos/summer/", "s3://photos/odd/") == {
        "s3://photos/summer/": Outcome.DELETED,
        "s3://photos/odd/": Outcome.INDEXED,
    }
    assert small.ledger.failed() == 0


def test_a_bucket_that_is_not_ours_any_more(small: Small) -> None:
    small.buckets.write(KEY, picture(1))
    small.run(KEY)
    small.buckets.roots = ("s3://other/",)
    assert small.run(KEY) == {KEY: Outcome.DELETED}
    assert len(small.index) == 0


def test_nothing_begins_after_the_deadline(small: Small) -> None:
    keys = [f"s3://photos/{number}" for number in range(150)]
    for number, key in enumerate(keys):
        small.buckets.write(key, picture(number))
    small.time = 10.0
    assert set(small.run(*keys, deadline=10.0).values()) == {Outcome.NOT_BEGUN}
    assert len(small.index) == 0


def test_a_picture_that_the_encoder_fails_on_is_alone(small: Small, caplog: pytest.LogCaptureFixture) -> None:
    class Failing(TinyEncoder):
        def encode(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
            if (batch[:, 0, 0, 0] == 5).any():
                raise RuntimeError("a defect")
            return super().encode(batch)

    small.encoder = Failing()
    for number in range(20, 0, -1):
        small.buckets.write(f"s3://photos/{number}", picture(number))
    outcomes = small.run(*small.buckets.objects)
    assert {key for key, outcome in outcomes.items() if outcome is not Outcome.INDEXED} == {
        "s3://photos/5",
        "s3://photos/7",  # has no direction
    }
    assert outcomes["s3://photos/5"] is Outcome.LATER
    assert "could not be encoded" in caplog.text


def test_who_overtakes_is_seen(small: Small) -> None:
    """The object is replaced after it was read and before its vector is put; then deleted."""
    put = small.index.put

    def overtaken(records: list[Record]) -> dict[str, str]:
        small.buckets.write(KEY, picture(2))
        return put(records)

    small.buckets.write(KEY, picture(1))
    small.index.put = overtaken  # type: ignore[assignment,method-assign]
    assert small.run(KEY) == {KEY: Outcome.AGAIN}
    small.index.put = put  # type: ignore[method-assign]
    assert small.run(KEY) == {KEY: Outcome.INDEXED}
    delete = small.index.delete

    def created_meanwhile(keys: list[str]) -> None:
        small.buckets.write(KEY, picture(3))
        delete(keys)

    small.buckets.remove(KEY)
    small.index.delete = created_meanwhile  # type: ignore[assignment,method-assign]
    assert small.run(KEY) == {KEY: Outcome.AGAIN}


@pytest.mark.parametrize("what", ["read", "look"])
def test_trouble_with_one_object_is_its_own(small: Small, what: str) -> None:
    inner = getattr(small.buckets, what)

    def failing(key: str, *rest: str) -> object:
        if key == KEY:
            raise TransientError("slow down")
        return inner(key, *rest)

    setattr(small.buckets, what, failing)
    small.buckets.write(KEY, picture(1))
    small.buckets.objects["s3://photos/b.jpg"] = picture(2)
    assert small.run(KEY, "s3://photos/b.jpg") == {KEY: Outcome.LATER, "s3://photos/b.jpg": Outcome.INDEXED}


def test_a_decoder_that_was_ended_from_outside_blames_no_picture(
    small: Small, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise Unavailable("decoding was interrupted")

    small.buckets.write(KEY, picture(20))
    monkeypatch.setattr(InProcess, "decode", interrupted)
    assert small.run(KEY) == {KEY: Outcome.LATER}
    assert small.ledger.newest() == []
    monkeypatch.undo()
    assert small.run(KEY) == {KEY: Outcome.INDEXED}


def test_entries_say_what_the_object_was(small: Small) -> None:
    small.buckets.write(KEY, picture(1))
    small.run(KEY)
    state, entry = small.buckets.look(KEY), small.index.get([KEY])[KEY]
    assert state is not None
    assert (entry.key, entry.etag, entry.size, entry.modified) == (
        state.key,
        state.etag,
        state.size,
        state.modified,
    )
