"""The soak's own verdict: nothing that goes wrong in it may pass for a success."""

import itertools
import json
import random
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from socket import socket

import pytest

from tests.soak import run
from tests.soak.items import KINDS, SHARES, Item, Traffic
from tests.soak.record import LONG_SECONDS, Phase, Record, verdict
from tests.support.servers import ok, serving
from tests.support.table import markdown

SECONDS = 0.3
WANTED: dict[str, object] = {"result": [1.0, 0.0]}
GOOD = Item("good", b"{}", wanted=WANTED)
RIGHT = json.dumps(WANTED).encode()


@dataclass
class Backend:
    url: str

    def memory_megabytes(self) -> float:
        return 1.0

    def kill_one(self, choose: Callable[[list[int]], int]) -> bool:
        return True


class Same:
    def next(self, chance: random.Random) -> Item:
        return GOOD


class Broken:
    def next(self, chance: random.Random) -> Item:
        raise ZeroDivisionError("a defect of a client")


def soaked(answer: bytes | Callable[[socket, bytes], None], traffic: object = None) -> Phase:
    with serving(answer) as server:
        return run.phase(Backend(server.url), traffic or Same(), "steady", SECONDS)  # type: ignore[arg-type]


def test_right_answers_are_a_success() -> None:
    done = soaked(ok(RIGHT))
    assert done.total(kind="good", outcome="right") == done.total() > 0
    assert verdict([done])[0] == 0
    assert done.row()["requests"] == done.total()


@pytest.mark.parametrize("body", [b"<html>oops</html>", b'{"result":[0.0,1.0]}'])
def test_other_answers_are_wrong(body: bytes) -> None:
    done = soaked(ok(body))
    assert done.total(outcome="wrong") == done.total() > 0
    assert verdict([done])[0] == 1
    assert done.record.texts[0].startswith("wrong: good: ")


NO_ANSWERS = ["", "<html>", "[]", "null", '"result"', "{}", '{"code":"InvalidRequest"}', '{"result":[1.0]}']
NO_ANSWERS += ['{"result":1.0}', '{"result":null}', '{"result":["a","b"]}', '{"result":[NaN,0.0]}']
NO_ANSWERS += ['{"result":[1.0,0.0],"more":1}', '{"result":[1.0,0.0]', '{"result":[1.0,0.0001]}']


@pytest.mark.parametrize("text", NO_ANSWERS)
def test_what_is_no_right_answer(text: str) -> None:
    assert GOOD.right(200, RIGHT.decode())
    assert not GOOD.right(200, text)


def test_an_error_with_the_right_code_is_right_for_a_bad_request_only() -> None:
    bad = Item("bad", b"{}", codes=frozenset({"InvalidRequest"}))
    refused = '{"code":"InvalidRequest"}'
    assert bad.right(400, refused)
    assert not bad.right(200, refused)
    assert not bad.right(500, refused)
    assert not bad.right(400, '{"code":"InvalidImage"}')
    assert not bad.right(200, RIGHT.decode())
    assert not GOOD.right(500, RIGHT.decode())


def test_a_client_that_breaks_is_a_failure_and_its_text_is_kept() -> None:
    done = soaked(ok(RIGHT), Broken())
    assert done.total(outcome="failed") >= run.CLIENTS
    assert verdict([done])[0] == 1
    assert "a defect of a client" in done.record.texts[0]


def test_one_broken_client_among_right_answers_is_a_failure() -> None:
    class Once:
        def __init__(self) -> None:
            self.numbers = itertools.count()

        def next(self, chance: random.Random) -> Item:
            return GOOD if next(self.numbers) else Broken().next(chance)

    done = soaked(ok(RIGHT), Once())
    assert done.total(outcome="right") >= run.CLIENTS - 1
    assert done.total(outcome="failed") == 1
    assert verdict([done])[0] == 1


def test_clients_that_hang_have_lost_their_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "TRIES", 1)
    over = threading.Event()

    def hang(_connection: socket, _head: bytes) -> None:
        over.wait(50)  # less than a client's own time-out

    with serving(hang) as server:
        done = run.phase(Backend(server.url), Same(), "steady", SECONDS, patience=0.5)  # type: ignore[arg-type]
        over.set()
    assert done.total(outcome="lost") == done.total() == run.CLIENTS
    assert verdict([done])[0] == 1


def test_what_comes_after_the_end_does_not_count() -> None:
    record = Record()
    record.close()
    record.note("good", "right")
    assert Phase("steady", 1, record).total() == 0


def test_unreachable_backends_lose_every_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "TRIES", 2)
    with serving(b"") as server:
        url = server.url
    done = run.phase(Backend(url), Same(), "kills", SECONDS)  # type: ignore[arg-type]
    assert done.total(outcome="lost") == done.total() > 0
    assert verdict([done])[0] == 1


def test_no_request_at_all_is_a_failure() -> None:
    assert verdict([])[0] == 1
    assert verdict([Phase("steady", 1, Record())])[0] == 1


def test_no_good_request_is_a_failure() -> None:
    record = Record()
    record.note("bad", "right")
    assert verdict([Phase("steady", 1, record)])[0] == 1


@pytest.mark.parametrize(("an_hour", "status"), [(0.0, 0), (30.0, 0), (300.0, 1)])
def test_memory_that_grows_is_a_failure_though_pictures_come_and_go(an_hour: float, status: int) -> None:
    record, chance = Record(), random.Random(1)
    record.note("good", "right", seconds=0.1)
    record.memory = [
        (second, 300 + an_hour * second / 3600 + (chance.random() < 0.5) * 200 + chance.random())
        for second in range(2 * LONG_SECONDS)
    ]
    assert verdict([Phase("steady", 2 * LONG_SECONDS, record)])[0] == status
    assert abs(record.slope()[0] - an_hour) < 10


def test_each_kind_has_its_share() -> None:
    traffic = Traffic({kind: [Item(kind, b"")] for kind in KINDS})
    chance = random.Random(2)
    drawn = Counter(traffic.next(chance).kind for _ in range(20_000))
    assert set(drawn) == set(KINDS)
    assert all(abs(drawn[kind] / 20_000 - share) < 0.02 for kind, share in SHARES.items())
    assert drawn["good"] > 20_000 / 2


def test_the_summary_is_a_table() -> None:
    record = Record()
    record.note("good", "right", seconds=0.25)
    first, ruler, row = markdown([Phase("lambda, steady", 60, record).row()]).splitlines()
    assert first.count("|") == ruler.count("|") == row.count("|")
    assert set(ruler) == set("| -:")
    assert row.startswith("| lambda, steady |")
    assert " 250 |" in row
