"""What a catalogue costs, beside the figures that AWS's own examples and the limits give."""

import pytest

from bench.cost.catalogue import GIB, ours, queries, stored, sync, titan, writing
from bench.cost.model import Workload

REGION = "us-east-2"
WORKLOAD = Workload(3008, 0.055)


def test_a_call_that_puts_one_vector_is_paid_as_128_kib() -> None:
    assert writing(REGION, 1_000_000, 1) == pytest.approx(1e6 * 128 / 2**20 * 0.20)
    assert writing(REGION, 1_000_000, 58) > writing(REGION, 1_000_000, 59) == writing(REGION, 1_000_000, 100)
    assert writing(REGION, 1_000_000, 100) == pytest.approx(2250e6 / GIB * 0.20)


def test_searches_pay_for_what_they_go_over_by_three_prices() -> None:
    assert queries(REGION, 0) == 2.50
    small = (queries(REGION, 100_000) - 2.50) / 100_000
    assert (queries(REGION, 10_000_000) - queries(REGION, 100_000)) / 9_900_000 == pytest.approx(small / 2)
    large = (queries(REGION, 30_000_000) - queries(REGION, 10_000_000)) / 20_000_000
    assert large == pytest.approx(small / 10)


def test_the_known_figures() -> None:
    assert stored(REGION, 100_000_000) == pytest.approx(12.57, abs=0.01)
    assert [queries(REGION, number) for number in (1000, 10**6, 10**8)] == pytest.approx(
        [2.51, 7.00, 117.5], abs=0.1
    )
    assert sync(REGION, 100_000_000) == pytest.approx(101)


@pytest.mark.parametrize("pictures", [1000, 1_000_000, 100_000_000])
def test_a_fifth_of_the_same_work_on_titan(pictures: int) -> None:
    assert ours(REGION, pictures, WORKLOAD).work < titan(REGION, pictures).work / 5


def test_the_sum_is_of_all_but_the_sync() -> None:
    costs = ours(REGION, 1_000_000, WORKLOAD)
    assert costs.work == costs.embedding + costs.writing + costs.month + costs.searches
    assert ours(REGION, 2_000_000, WORKLOAD).embedding == pytest.approx(2 * costs.embedding)
