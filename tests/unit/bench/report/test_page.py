"""The benchmark's report says what was measured: ratios, shares and costs come out of the figures."""

from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from bench.cost import curve
from bench.measure.parts import by_operator
from bench.measure.results import (
    LARGE,
    MAIN,
    NAMES,
    PAIR,
    PREVIOUS,
    AtMemory,
    Cold,
    Disk,
    Latency,
    MemorySizes,
    Parts,
    Rates,
    Roofline,
    Run,
    Served,
)
from bench.report.page import RANDOM_WEIGHTS, markdown

MILLISECONDS = dict(zip(NAMES, (200.0, 100.0, 50.0, 25.0), strict=True))


@pytest.fixture(scope="module")
def run() -> Run:
    steps = {
        "parse and check": 1.0,
        "base64": 1.0,
        "decode and resize": 20.0,
        "encode": 100.0,
        "serialise": 0.2,
    }
    rates = Rates(square=8.24 / 0.09, own=8.24 / 0.12, read=16.0)
    parts = Parts(steps, 125.0, 15.0, {"MatMul": 80.0, "Add": 20.0}, rates)
    loaded = Served(1, rps=10.0, p50=100.0, p90=150.0, p99=190.0, refused=0.0, ping_max=9.0)
    slow = Served(1, rps=4.0, p50=300.0, p90=400.0, p99=500.0, refused=0.0)
    return Run(
        when="2026-01-01 00:00 UTC",
        mode="quick",
        machine="a machine, 2 cores",
        load=0.1,
        import_ms=150.0,
        parts={1: parts, 2: parts},
        latency=[
            Latency(name, case, threads, ms, ms - 1, 5)
            for case, threads, (name, ms) in product((MAIN, PAIR, LARGE), (1, 2), MILLISECONDS.items())
        ],
        cold=[Cold(name, 10 * ms, 12 * ms, 5 * ms, 2) for name, ms in MILLISECONDS.items()],
        disk=[Disk(name, ms, ms) for name, ms in MILLISECONDS.items()],
        server={
            **{name: dict.fromkeys((1, 4, 16), loaded) for name in NAMES},
            "infinity-emb": dict.fromkeys((1, 4, 16), slow),
        },
    )


def test_ratios_and_shares(run: Run) -> None:
    text = markdown(run)
    assert (
        "| cold: fresh process to first answer, ms | 2000 | 1000 (2.00 x) | 6 x | 500 (4.00 x) | 10 x |"
        in text
    )
    assert (
        "| warm, one 954 KB JPEG, 1 thread, ms | 200 | 100 (2.00 x) | 1.4 x | 50 (4.00 x) | 2.5 x |" in text
    )
    assert "| encode, share of the machine's GEMM limit, 1 thread |  | 90% | 90 % |" in text
    assert "| the same, of its rate on the encoder's own products |  | 120% |" in text
    assert "| Lambda USD per million at 1 vCPU | 5.96 | 3.08 | under 4.2 | 1.64 | under 2.5 |" in text
    assert "| requests a second, 4 clients, against infinity-emb | 4.0 | 10.0 (2.50 x) | 2 x |" in text
    assert "| p99 at 16 clients, as a multiple of p50 | 1.90 | 1.90 | under 2 | 1.90 | under 2 |" in text
    assert "| slowest /ping at 16 clients, ms | 9 | 9 | under 50 | 9 | under 50 |" in text
    assert RANDOM_WEIGHTS in text
    assert f"| {MAIN}, 1 thread | 200 (199) |" in text


def test_the_parts_of_a_request_add_up(run: Run) -> None:
    text = markdown(run)
    for row in (
        "| encode | 100.00 | 80.0% | 100.00 | 80.0% |",
        "| of that, libjpeg alone | 15.00 | 12.0% | 15.00 | 12.0% |",
        "| sum of the steps | 122.20 | 97.8% | 122.20 | 97.8% |",
        "| the rest: event, headers, log line | 2.80 | 2.2% | 2.80 | 2.2% |",
        "| **whole request, by the handler** | 125.00 | 100.0% | 125.00 | 100.0% |",
        "| warm latency in the table above | 100.00 | 80.0% | 100.00 | 80.0% |",
        "| MatMul | 80.00 | 80.0% | 80.00 | 80.0% |",
    ):
        assert row in text
    assert "take 22 ms of its 100." in text


def test_operators_by_the_profiler() -> None:
    def node(name: str, operator: str, duration: int, kind: str = "Node") -> dict[str, Any]:
        return {"cat": kind, "name": name, "dur": duration, "args": {"op_name": operator}}

    events = [node("a_kernel_time", "Add", 500), node("b_kernel_time", "MatMul", 3000)]
    events += [node("c_kernel_time", "MatMul", 1000), node("b_fence_before", "MatMul", 9)]
    assert by_operator([*events, node("run", "", 9, "Session")], 2) == {"MatMul": 2.0, "Add": 0.25}


def test_without_the_peer(run: Run) -> None:
    without = {name: clients for name, clients in run.server.items() if name != "infinity-emb"}
    assert "infinity-emb |" not in markdown(replace(run, server=without))


def test_what_the_clients_took_stands_beside_what_they_saw(run: Run) -> None:
    assert "share of one core" not in markdown(run)
    exact = run.server["exact"]
    server = {**run.server, "exact": {**exact, 16: replace(exact[16], load_cpu=0.124)}}
    text = markdown(replace(run, server=server))
    assert "| slowest /ping ms | 503 | clients' own share of one core |" in text
    assert "| exact | 16 | 10.0 | 100 | 150 | 190 | 9 | 0 | 12% |" in text
    assert "| int8 | 16 | 10.0 | 100 | 150 | 190 | 9 | 0 |  |" in text


def test_against_the_previous_result(run: Run) -> None:
    assert "previous" not in markdown(run)
    latency = [
        replace(row, contender=PREVIOUS, median=150.0) for row in run.latency if row.contender == "exact"
    ]
    cold = [
        replace(row, contender=PREVIOUS, warm_cache=500.0) for row in run.cold if row.contender == "exact"
    ]
    both = replace(run, latency=[*run.latency, *latency], cold=[*run.cold, *cold], previous="0123456789ab")
    text = markdown(both)
    assert "previous result (0123456789ab)" in text
    assert f"| warm, {PAIR}, 2 threads, ms | 150 | 100 | 1.50 x |" in text
    assert "| cold: fresh process to first answer, ms | 500 | 1000 | 0.50 x |" in text
    assert "| request | hand-written | exact | int8 | embedded | previous |" in text
    assert "| previous | 500 | 1200 | 500 |  |  |" in text


def test_memory_sizes(run: Run) -> None:
    rows = [
        AtMemory(name, size, None, 1769 / size * ms, 1.0, 9)
        for size, (name, ms) in product((1024, 1769), MILLISECONDS.items())
        if (size, name) != (1024, "hand-written")
    ]
    threads = [AtMemory("exact", 2048, count, 100.0 * count, 1.0, 9) for count in (1, 2)]
    text = markdown(replace(run, memory=MemorySizes(20, rows, threads)))
    assert "| 1024 MB |  | 173 ms, 3.08 | 86 ms, 1.64 | 43 ms, 0.92 |" in text
    assert "| 2048 MB | 100 ms, 3.53 | 200 ms, 6.87 |" in text
    assert "Not measured here: no root." in markdown(replace(run, memory=MemorySizes(reason="no root")))


def test_a_measured_curve_is_taken_as_it_is(run: Run) -> None:
    measured = replace(run, memory=MemorySizes(20, [AtMemory("exact", 1024, None, 150.0, 149.0, 9)]))
    assert curve.measured(measured)
    assert curve.curve(measured)["exact"] == {1024: 0.15}


@pytest.mark.parametrize("memory", [None, MemorySizes(reason="no root")])
def test_without_a_measurement_the_curve_is_interpolated(run: Run, memory: MemorySizes | None) -> None:
    latency = [replace(row, median=60.0 if row.threads == 2 else 100.0) for row in run.latency]
    reckoned = replace(run, memory=memory, latency=latency)
    assert not curve.measured(reckoned)
    assert curve.curve(reckoned)["exact"][1769] == pytest.approx(0.1)
    assert curve.curve(reckoned)["exact"][3538] == pytest.approx(0.06)
    assert min(curve.curve(reckoned)["hand-written"]) == 1769


@pytest.mark.slow
def test_plots(run: Run, tmp_path: Path) -> None:
    from bench.report import plots

    for name in plots.draw(run, tmp_path):
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")


def test_two_cores_and_the_roofline_have_tables_where_they_were_measured(run: Run) -> None:
    starts = [Cold(name, 9 * ms, 11 * ms, 5 * ms, 2) for name, ms in MILLISECONDS.items()]
    text = markdown(replace(run, cold_on_two=starts, roofline={1: Roofline(824.0, 8.8, {1: 50.0})}))
    assert "| the same, 2 threads, ms | 1800 | 900 (2.00 x) | 8 x | 450 (4.00 x) | 10 x |" in text
    assert "| exact | 900 | 1100 | 500 | 100 | 100 |" in text.partition("## The same on two cores")[2]
    assert "| 1, 1 | 50.0 | 50.0 | 165 | 20% | 7.0 | 80% | 80% |" in text
    assert "two cores" not in markdown(run)
