"""The benchmark's report says what was measured: ratios, shares and costs come out of the figures."""

from itertools import product
from pathlib import Path
from typing import Any

import pytest

from bench.parts import by_operator
from bench.report import RANDOM_WEIGHTS, markdown
from bench.tables import LARGE, MAIN, NAMES, PAIR

MILLISECONDS = dict(zip(NAMES, (200.0, 100.0, 50.0, 25.0), strict=True))


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    loaded = {"rps": 10.0, "p50": 100.0, "p90": 150.0, "p99": 190.0, "ping_max": 9.0, "refused": 0.0}
    slow = {"rps": 4.0, "p50": 300.0, "p90": 400.0, "p99": 500.0, "refused": 0.0}
    steps = {
        "parse and check": 1.0,
        "base64": 1.0,
        "decode and resize": 20.0,
        "encode": 100.0,
        "serialise": 0.2,
    }
    parts = {
        "steps": steps,
        "request": 125.0,
        "libjpeg": 15.0,
        "operators": {"MatMul": 80.0, "Add": 20.0},
        "limits": {"square": 8.24 / 0.09, "own": 8.24 / 0.12, "read": 16.0},
    }
    return {
        "when": "2026-01-01 00:00 UTC",
        "mode": "quick",
        "machine": "a machine, 2 cores",
        "load": 0.1,
        "import_ms": 150.0,
        "parts": {"1": parts, "2": parts},
        "latency": [
            {
                "contender": name,
                "case": case,
                "threads": threads,
                "median": ms,
                "lowest": ms - 1,
                "calls": 5,
            }
            for case, threads, (name, ms) in product((MAIN, PAIR, LARGE), (1, 2), MILLISECONDS.items())
        ],
        "cold": [
            {"contender": name, "warm_cache": 10 * ms, "evicted": 12 * ms, "peak_mb": 5 * ms, "starts": 2}
            for name, ms in MILLISECONDS.items()
        ],
        "disk": [{"contender": name, "libraries": ms, "model": ms} for name, ms in MILLISECONDS.items()],
        "server": {
            **{name: {"1": loaded, "4": loaded, "16": loaded} for name in NAMES},
            "infinity-emb": {"1": slow, "4": slow, "16": slow},
        },
    }


def test_ratios_and_shares(found: dict[str, Any]) -> None:
    text = markdown(found)
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


def test_the_parts_of_a_request_add_up(found: dict[str, Any]) -> None:
    text = markdown(found)
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


def test_without_the_peer(found: dict[str, Any]) -> None:
    without = {k: v for k, v in found["server"].items() if k != "infinity-emb"}
    assert "infinity-emb |" not in markdown({**found, "server": without})


def test_against_the_previous_result(found: dict[str, Any]) -> None:
    assert "previous" not in markdown(found)
    rows = {key: [*found[key]] for key in ("latency", "cold")}
    rows["latency"] += [
        {**row, "contender": "previous", "median": 150.0}
        for row in rows["latency"]
        if row["contender"] == "exact"
    ]
    rows["cold"] += [
        {**row, "contender": "previous", "warm_cache": 500.0}
        for row in rows["cold"]
        if row["contender"] == "exact"
    ]
    text = markdown({**found, **rows, "previous": "0123456789ab"})
    assert "previous result (0123456789ab)" in text
    assert f"| warm, {PAIR}, 2 threads, ms | 150 | 100 | 1.50 x |" in text
    assert "| cold: fresh process to first answer, ms | 500 | 1000 | 0.50 x |" in text
    assert "| request | hand-written | exact | int8 | embedded | previous |" in text
    assert "| previous | 500 | 1200 | 500 |  |  |" in text


def test_memory_sizes(found: dict[str, Any]) -> None:
    rows = [
        {
            "contender": name,
            "memory_mb": size,
            "threads": None,
            "median": 1769 / size * ms,
            "lowest": 1,
            "calls": 9,
        }
        for size, (name, ms) in product((1024, 1769), MILLISECONDS.items())
        if (size, name) != (1024, "hand-written")
    ]
    threads = [{**rows[0], "memory_mb": 2048, "threads": count, "median": 100.0 * count} for count in (1, 2)]
    text = markdown({**found, "memory": {"period_ms": 20, "rows": rows, "threads": threads}})
    assert "| 1024 MB |  | 173 ms, 3.08 | 86 ms, 1.64 | 43 ms, 0.92 |" in text
    assert "| 2048 MB | 100 ms, 3.53 | 200 ms, 6.87 |" in text
    assert "Not measured here: no root." in markdown({**found, "memory": {"reason": "no root"}})


def test_plots(found: dict[str, Any], tmp_path: Path) -> None:
    from bench import plots

    for name in plots.draw(found, tmp_path):
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")
