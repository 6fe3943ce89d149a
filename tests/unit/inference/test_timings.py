"""Steps are counted in milliseconds, each as often as it is taken."""

import time

import pytest

from image_similarity.inference.timings import Timings


def test_a_step_has_the_milliseconds_of_its_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([100.0, 100.25, 200.0, 200.5, 300.0, 300.125])
    monkeypatch.setattr(time, "perf_counter", lambda: next(clock))
    timings = Timings()
    with timings.step("decode"):
        pass
    with timings.step("encode"):
        pass
    with pytest.raises(KeyError), timings.step("decode"):
        raise KeyError
    assert list(timings.steps.items()) == [("decode", 375.0), ("encode", 500.0)]


def test_a_request_has_the_seconds_since_it_came(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "monotonic", lambda: 52.5)
    assert Timings(start=50.0).elapsed == 2.5
