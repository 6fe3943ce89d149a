"""The guard before a release: a planted slow-down is caught, equal revisions pass, and noise is no proof."""

import random
from collections.abc import Iterator

import pytest

from bench.measure.check import in_turns
from bench.measure.paired import Paired, Verdict, verdict
from bench.report.check import ROUNDS, exit_code, markdown

ROWS = 6


class Machine:
    """Gives timings as a shared machine does: slow moods that both sides meet, noise, and bad outliers."""

    def __init__(self, seed: int, noise: float) -> None:
        self._chance, self._noise = random.Random(seed), noise
        self._mood, self.order = 1.0, list[str]()

    def side(self, name: str, milliseconds: float) -> "Side":
        return Side(self, name, milliseconds)

    def factor(self) -> float:
        self._mood = min(2.0, max(0.5, self._mood * self._chance.lognormvariate(0, 0.02)))
        outlier = 3.0 if self._chance.random() < 0.05 else 1.0
        return self._mood * outlier * self._chance.lognormvariate(0, self._noise)


class Side:
    def __init__(self, machine: Machine, name: str, milliseconds: float) -> None:
        self._machine, self._name, self._milliseconds = machine, name, milliseconds

    def __call__(self) -> float:
        self._machine.order.append(self._name)
        return self._milliseconds * self._machine.factor()


def run(seed: int, slower: float, noise: float = 0.02, rounds: int = ROUNDS) -> Paired:
    machine = Machine(seed, noise)
    return in_turns("row", machine.side("before", 50.0), machine.side("after", 50.0 * slower), rounds)


def test_each_is_first_in_every_other_round() -> None:
    machine = Machine(0, 0.0)
    in_turns("row", machine.side("before", 1), machine.side("after", 1), 3)
    assert machine.order == ["before", "after", "after", "before", "before", "after"]


@pytest.mark.parametrize(
    ("factor", "wanted"), [(1.1, Verdict.SLOWER), (1.5, Verdict.SLOWER), (0.9, Verdict.FASTER)]
)
def test_a_planted_change_is_caught(factor: float, wanted: Verdict) -> None:
    said = [verdict(run(seed, factor), ROWS) for seed in range(100)]
    assert said.count(wanted) >= 95
    assert factor < 1 or Verdict.EQUAL not in said, "a slow-down passed"


def test_equal_revisions_pass() -> None:
    said = [verdict(run(seed, 1.0), ROWS) for seed in range(1000)]
    assert said.count(Verdict.SLOWER) + said.count(Verdict.FASTER) <= 5, "one of a hundred checks of six rows"
    assert said.count(Verdict.EQUAL) >= 970


def test_a_small_change_that_is_sure_is_no_regression() -> None:
    assert verdict(Paired("row", [50.0] * ROUNDS, [50.5] * ROUNDS), ROWS) is Verdict.EQUAL
    assert verdict(Paired("row", [50.0] * ROUNDS, [51.5] * ROUNDS), ROWS) is Verdict.SLOWER


def test_noise_that_could_hide_a_slow_down_is_no_pass() -> None:
    said = {verdict(run(seed, 1.0, noise=0.3), ROWS) for seed in range(20)}
    assert said == {Verdict.UNDECIDED}


def test_too_few_rounds_decide_nothing() -> None:
    assert verdict(run(0, 1.5, rounds=5), ROWS) is Verdict.UNDECIDED
    assert verdict(run(0, 1.5, rounds=12), ROWS) is Verdict.SLOWER


@pytest.mark.parametrize(("rounds", "left_out"), [(9, None), (10, 0), (15, 1), (21, 3)])
def test_the_interval_is_that_of_the_sign_test(rounds: int, left_out: int | None) -> None:
    """P(at most k of n heads) twice: 2/512 of 9, 2/1024 of 10, 32/32768 of 15, 3122/2097152 of 21."""
    row = Paired("row", [1.0] * rounds, [float(number) for number in range(1, rounds + 1)])
    error = 0.002
    expected = (0.0, float("inf")) if left_out is None else (1.0 + left_out, float(rounds - left_out))
    assert row.interval(error) == expected


def several(*factors: float) -> Iterator[Paired]:
    for number, factor in enumerate(factors):
        yield Paired(f"row {number}", [50.0] * ROUNDS, [50.0 * factor] * ROUNDS)


def test_the_exit_code_and_the_table_say_what_became_of_it() -> None:
    missing, noisy = Paired("new", [], []), run(0, 1.0, noise=0.3)
    assert exit_code([*several(1.0, 0.8), missing]) == 0
    assert exit_code([*several(1.0, 1.2), noisy]) == 1
    assert exit_code([*several(1.0, 0.8), noisy]) == 2
    text = markdown([*several(1.0, 1.2, 0.8), missing, noisy])
    assert "| row 0 | 50.0 | 50.0 | 1.000 | 1.000 to 1.000 | equal |" in text
    assert "| row 1 | 50.0 | 60.0 | 1.200 | 1.200 to 1.200 | slower |" in text
    assert "| row 2 | 50.0 | 40.0 | 0.800 | 0.800 to 0.800 | faster |" in text
    assert "| new |  |  |  |  | the revision can't do it |" in text
    assert "the noise hides it |" in text
