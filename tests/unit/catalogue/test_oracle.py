"""The random walk with the buckets as its oracle; and that it notices what it is for.

`ORACLE_WALKS` and `ORACLE_STEPS` make it longer.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from image_similarity.catalogue import consumer, sync
from image_similarity.catalogue.consumer import Consumer
from image_similarity.catalogue.differences import Differences, Found
from image_similarity.catalogue.embedded import EmbeddedIndex
from image_similarity.catalogue.indexing import FINISHED, Indexer, Outcome
from image_similarity.catalogue.ledger_file import FileLedger
from image_similarity.catalogue.reading import Picture, Reader
from tests.support.catalogue.walk import Walk, seen

WALKS, STEPS = int(os.environ.get("ORACLE_WALKS", "150")), int(os.environ.get("ORACLE_STEPS", "60"))
CATCHING = (Phase.generate,)
"""Where a walk is to fail: no shorter one that fails too is looked for."""
Change = tuple[object, str, Any]


def walked(phases: Sequence[Phase] = tuple(Phase)) -> None:
    run_state_machine_as_test(
        Walk,
        settings=settings(
            max_examples=WALKS,
            stateful_step_count=STEPS,
            phases=phases,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.slow
def test_the_index_equals_the_buckets() -> None:
    before = seen["calls"]
    walked()
    assert seen["calls"] - before > WALKS * 10, "the walk did nothing"


def nothing(*_: object, **__: object) -> None:
    """Do nothing."""


def swapped(encode: Callable[..., Any]) -> Callable[..., Any]:
    """Every picture of a batch gets the vector of its neighbour."""

    def encoded(self: Reader, batch: Sequence[Any]) -> Any:
        found = encode(self, batch)
        pictures = {key: one for key, one in found.items() if isinstance(one, Picture)}
        vectors = [one.vector for one in pictures.values()]
        others = zip(pictures.items(), vectors[1:] + vectors[:1], strict=True)
        return found | {key: replace(one, vector=vector) for (key, one), vector in others}

    return encoded


def first_page(page: Callable[..., Found]) -> Callable[..., Found]:
    """Lists are cut after their first page."""
    return lambda *given: replace(page(*given), token="")


def only_missing(objects: Callable[..., Found]) -> Callable[..., Found]:
    """What the index has of another ETag is left as it is."""

    def found(self: Differences, *given: Any) -> Found:
        page = objects(self, *given)
        indexed = self._index.get(page.keys)
        return replace(page, keys=tuple(key for key in page.keys if key not in indexed))

    return found


def first_bucket(objects: Callable[..., Found]) -> Callable[..., Found]:
    """Only one bucket is listed."""

    def found(self: Differences, root: str, *given: Any) -> Found:
        return objects(self, root, *given) if root == self.roots[0] else Found((), 0, "")

    return found


SABOTAGES: dict[str, Change] = {
    "no second look": (Indexer, "_changed_meanwhile", lambda *_: {}),
    "what changed meanwhile is not queued again": (Consumer, "_sent", lambda *_: True),
    "what failed and may pass is finished": (consumer, "FINISHED", FINISHED | {Outcome.LATER}),
    "what there was no time for is finished": (consumer, "FINISHED", FINISHED | {Outcome.NOT_BEGUN}),
    "what is finished stays in the queue": (Consumer, "_finish", nothing),
    "vectors of absent objects stay": (EmbeddedIndex, "delete", nothing),
    "failures are not remembered": (FileLedger, "fail", nothing),
    "failures stay for good": (FileLedger, "forget", nothing),
    "vectors change places": (Reader, "_encode", swapped(Reader._encode)),
    "a sync looks at objects alone": (sync, "PHASES", ("objects", "settle")),
    "a sync looks at no vectors": (sync, "PHASES", ("objects", "failures", "settle")),
    "a sync looks at no failures": (sync, "PHASES", ("objects", "vectors", "settle")),
    "a sync takes one page": (Differences, "page", first_page(Differences.page)),
    "a sync takes one bucket": (Differences, "_objects", first_bucket(Differences._objects)),
    "a sync leaves what was replaced": (Differences, "_objects", only_missing(Differences._objects)),
    "what ends a process is not marked": (
        Consumer,
        "_alone",
        lambda self, one, deadline: self._index([one], deadline),
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", SABOTAGES)
def test_the_walk_notices_what_is_broken(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(*SABOTAGES[name])
    with pytest.raises(AssertionError):
        walked(CATCHING)
