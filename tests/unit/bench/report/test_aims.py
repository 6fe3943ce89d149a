"""Every aim says whether it is met: from the figures alone, and not measured is not met."""

import json
from dataclasses import replace

import pytest

from bench.measure import typed_json
from bench.measure.aims import ratio
from bench.measure.catalogue.results import Circumstances, Folders, Rates, Scale, Searches
from bench.measure.paths import RESULTS
from bench.measure.recorded import Aims, Clients, load, save
from bench.measure.results import Cold, Run, Served, State
from bench.report import aims, clients
from bench.report.aims import Row, exit_code, markdown, of_aims, of_clients, of_folders, of_run, of_scale

QUIET = Circumstances("2026-01-01", "a machine", [])
BUSY = replace(QUIET, objections=["others kept 50.0% of the cores busy"])
MEASURED = Aims(
    batch={"exact": 1.35, "embedded": 1.1},
    protection={"exact": 0.029, "embedded": 0.1},
    circumstances=QUIET,
)
FOLDERS = Folders(1000, 60.0, 80.0, 30.0, 0.5, 40_000, 17.0, 0.3, QUIET)
SERVED = Served(64, 80.0, 500.0, 600.0, 900.0, 12, ping_max=40.0, load_cpu=0.1)
CLIENTS = Clients("2026-01-01 00:00 UTC", "a machine", State(0.0, 0.0), 10.0, 2, {"exact": {64: SERVED}})


def said(rows: list[Row]) -> list[bool | None]:
    return [row.met for row in rows]


def test_the_default_model_has_the_aims_and_others_stand_beside() -> None:
    rows = of_aims(MEASURED)
    assert said(rows) == [True, None, True, None]
    assert exit_code(rows) == 0
    text = markdown(rows)
    assert "1 thread, `exact` | 16 requests | 1.30 times | 1.35 times | met | 2026-01-01 |" in text
    assert "`embedded` | 16 requests |  | 1.10 times |  | 2026-01-01 |" in text
    assert "| a request without | at most 3.0 % | 2.9 % | met |" in text


@pytest.mark.parametrize(
    "worse",
    [
        replace(MEASURED, batch={"exact": 1.29}),
        replace(MEASURED, protection={"exact": 0.031}),
        replace(MEASURED, batch={"embedded": 2.0}),
        None,
    ],
)
def test_one_that_is_missed_or_was_not_measured_fails(worse: Aims | None) -> None:
    rows = of_aims(worse)
    assert exit_code(rows) == 1
    assert ("**missed**" in markdown(rows)) or ("not measured" in markdown(rows))


def test_folders() -> None:
    assert said(of_folders(FOLDERS)) == [False, True, True]
    assert said(of_folders(replace(FOLDERS, index_rate=64.0))) == [True, True, True]
    assert said(of_folders(replace(FOLDERS, second_seconds=0.61))) == [False, False, True]
    assert said(of_folders(replace(FOLDERS, pairs_peak_gb=0.33))) == [False, True, False]
    assert "| the encoder's rate | 80.0 % | 75.0 % | **missed** |" in markdown(of_folders(FOLDERS))
    assert "1/20.0 | 1/21.3 | met |" in markdown(of_folders(FOLDERS))
    assert said(of_folders(replace(FOLDERS, exact=Rates(9.0, 10.0)))) == [False, True, True, True]


@pytest.mark.parametrize(("p50", "met"), [(140.0, True), (151.0, False)])
def test_the_embedded_index(p50: float, met: bool) -> None:
    searches = [Searches("embedded index", p50, 200.0, 100), Searches("NumPy's product", 100.0, 110.0, 100)]
    found = Scale(1_000_000, 1.0, 2.0, 3.0, searches, 1.0, 2.5, [], BUSY)
    assert said(of_scale(found)) == [met]
    assert "2026-01-01 (busy machine: not to be quoted) |" in markdown(of_scale(found))


def test_cold_starts_and_costs() -> None:
    run = typed_json.read(Run, json.loads((RESULTS / "full.json").read_text()))
    cold = [Cold("hand-written", 3200.0, 0, 0, 5), Cold("exact", 390.0, 0, 0, 5)]
    assert said(of_run(replace(run, cold_on_two=None))) == [None, True]
    assert said(of_run(replace(run, cold_on_two=cold))) == [True, True]
    assert said(of_run(replace(run, cold_on_two=[cold[0], replace(cold[1], warm_cache=401.0)]))) == [
        False,
        True,
    ]
    text = markdown(of_run(replace(run, cold_on_two=cold)))
    assert "| hand-written | 8.00 times | 8.21 times | met |" in text


def test_ping_at_64_clients() -> None:
    assert said(of_clients(CLIENTS)) == [True]
    slow = replace(CLIENTS, servers={"exact": {64: replace(SERVED, ping_max=51.0)}})
    assert said(of_clients(slow)) == [False]
    assert said(of_clients(None)) == [None]
    assert said(of_clients(replace(CLIENTS, servers={"exact": {16: SERVED}}))) == [None]


def test_the_committed_records_give_a_table() -> None:
    rows = aims.rows()
    assert {row.what for row in rows} >= {"a million pictures and searches", "cold start, 2 threads, `exact`"}
    assert all(len(row.cells()) == 6 for row in rows)


def test_the_table_of_clients_has_the_machine_beside_it() -> None:
    text = clients.markdown(CLIENTS)
    assert "| exact | 64 | 80.0 | 500 | 600 | 900 | 40 | 12 | 10% |" in text
    assert "Not to be quoted" not in text
    busy = clients.markdown(replace(CLIENTS, state=State(others=0.5, steal=0.0)))
    assert "**Not to be quoted**: others kept 50.0% of the cores busy, 5% is the limit." in busy


def test_records_survive_their_files(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.measure.recorded.RESULTS", tmp_path)
    assert load(Aims) is None
    save(MEASURED)
    save(CLIENTS)
    assert load(Aims) == MEASURED
    assert load(Clients) == CLIENTS


def test_a_ratio_is_of_rounds_that_lie_side_by_side() -> None:
    clock, mood = [0.0], iter([9.0, 1.0, 5.0, 1.0, 2.0])

    def work(seconds: float) -> None:
        clock[0] += seconds * now[0]

    now = [1.0]

    def first() -> None:
        now[0] = next(mood)
        work(3.0)

    assert ratio(first, lambda: work(2.0), rounds=4, clock=lambda: clock[0]) == pytest.approx(1.5)
