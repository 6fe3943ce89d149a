"""The roofline: which limit is the nearer one, and what share of it the encoder reaches."""

import sys
import time
from dataclasses import asdict

import pytest

from bench.measure import roofline, typed_json
from bench.measure.limits import GFLOP, WEIGHTS_MB
from bench.measure.paths import EMBEDDED
from bench.measure.results import Roofline

# One image: 10 ms of arithmetic, 40 ms of memory. Eight images: 80 ms of arithmetic, and the same memory.
MEASURED = Roofline(GFLOP / 0.010, WEIGHTS_MB / 40, {1: 50.0, 8: 100.0})


def test_the_nearer_limit_counts() -> None:
    assert roofline.bound_ms(MEASURED, 1) == pytest.approx((10, 40))
    assert roofline.bound_ms(MEASURED, 8) == pytest.approx((80, 40))
    assert roofline.share(MEASURED, 1) == pytest.approx(0.8)
    assert roofline.share(MEASURED, 8) == pytest.approx(0.8)


def test_the_table_has_both_shares() -> None:
    lines = roofline.markdown({1: MEASURED, 2: MEASURED}).splitlines()
    assert lines[2] == "| 1, 1 | 50.0 | 50.0 | 165 | 20% | 7.0 | 80% | 80% |"
    assert lines[3] == "| 8, 1 | 100.0 | 12.5 | 659 | 80% | 3.5 | 40% | 80% |"
    assert "824 GFLOP/s and 8.8 GB/s on 1 thread; 824 GFLOP/s and 8.8 GB/s on 2 threads" in lines[-1]


def test_no_step_begins_while_threads_of_the_one_before_look_for_work() -> None:
    seen: list[float] = []

    def step() -> None:
        seen.append(time.monotonic())
        time.sleep(0.01)
        seen.append(time.monotonic())

    roofline.in_turns({"first": step, "second": step}, rounds=1)
    ends, begins = seen[1::2], seen[2::2]  # of the first, twice, the second, twice, and so again
    gaps = [begin - end for end, begin in zip(ends, begins, strict=False)]
    assert len(gaps) == 7
    assert min(gaps[1::2]) >= roofline.REST_SECONDS


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="needs taskset")
def test_limits_and_encoder_are_measured() -> None:
    measured = roofline.measure(EMBEDDED, threads=1, rounds=1)
    assert list(measured.encode_ms) == [1, 2, 8, 16]
    assert 0 < measured.encode_ms[1] < measured.encode_ms[16]
    assert measured.gflops > 1
    assert measured.gigabytes > 0.1
    assert typed_json.read(Roofline, asdict(measured)) == measured
