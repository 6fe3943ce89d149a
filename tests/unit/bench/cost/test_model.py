"""The cost model gives the documentation's two tables, line by line, and says where their sums are off."""

from pathlib import Path

import pytest

from bench.cost.model import (
    DOCUMENTED,
    PICTURE_KB,
    URL_KB,
    Workload,
    break_even,
    estimate,
    images_total,
    lambda_total,
    sagemaker_data,
    seconds_at,
    total,
)
from bench.cost.prices import PRICES, Example
from bench.report.cost_page import page

EXAMPLES = PRICES.seed_examples


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda e: e.region)
def test_every_line_of_the_documentation(example: Example) -> None:
    lines = estimate(example.region, DOCUMENTED)
    for line, printed in zip(lines, example.lines, strict=True):
        assert line.cost == pytest.approx(printed, abs=0.051), line


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda e: e.region)
def test_the_printed_totals_count_a_tenth_of_the_data_output(example: Example) -> None:
    lines = estimate(example.region, DOCUMENTED)
    data_output = lines[3].cost
    assert total(lines) - example.total > 8
    assert total(lines) - 0.9 * data_output == pytest.approx(example.total, abs=0.06)


def test_ours_is_a_small_part_of_it() -> None:
    ours = Workload(memory_mb=1769, seconds=0.13)
    assert lambda_total("us-east-2", ours) == pytest.approx(3.94, abs=0.01)
    assert lambda_total("us-east-2", DOCUMENTED) / lambda_total("us-east-2", ours) > 40


def test_alone_an_image_costs_what_a_request_does() -> None:
    ours = Workload(memory_mb=1769, seconds=0.13, registry_gb=0)
    alone = images_total("us-east-2", ours, 1)
    assert sum(alone.values()) == pytest.approx(total(estimate("us-east-2", ours)))


def test_images_share_the_call_but_not_the_time() -> None:
    ours = Workload(memory_mb=1769, seconds=0.13)
    alone, many = (images_total("us-east-2", ours, images) for images in (1, 16))
    assert many["API Gateway"] == pytest.approx(3.5 / 16)
    assert sum(alone.values()) - sum(many.values()) == pytest.approx((3.5 + 0.2 + 0.5) * 15 / 16)
    assert many["running time"] == alone["running time"]


def test_less_memory_is_slower_and_costs_the_same() -> None:
    assert seconds_at(1769, 0.1, 0.06) == 0.1
    assert seconds_at(3538, 0.1, 0.06) == pytest.approx(0.06)
    assert seconds_at(10240, 0.1, 0.06) == pytest.approx(0.06)
    assert 0.06 < seconds_at(3008, 0.1, 0.06) < 0.08
    half = Workload(memory_mb=884, seconds=seconds_at(884, 0.1, 0.06))
    whole = Workload(memory_mb=1769, seconds=0.1)
    assert lambda_total("us-east-2", half) == pytest.approx(lambda_total("us-east-2", whole), rel=0.001)


def test_break_even() -> None:
    workload = Workload(memory_mb=1769, seconds=0.13)
    requests = break_even("us-east-2", "ml.c5.large", workload, URL_KB)
    assert requests is not None
    on_lambda = requests * lambda_total("us-east-2", workload) / 1e6
    endpoint = 0.102 * 730 + requests * (0.2 + 6) * 1e-6 * 0.016
    assert on_lambda == pytest.approx(endpoint)


def test_an_endpoint_charges_for_the_pictures_that_go_in() -> None:
    assert sagemaker_data("us-east-2", PICTURE_KB) == pytest.approx(1278 * 0.016)
    assert break_even("us-east-2", "ml.c5.large", Workload(1769, 0.13), PICTURE_KB) is None


def test_every_price_has_a_source() -> None:
    prices = [price for region in PRICES.regions.values() for price in region.all()]
    prices += PRICES.hosted_per_million_images
    assert len(prices) == 6 + 13 + 11 + 6
    assert {price.source for price in prices} == set(PRICES.sources)


def test_the_page_is_up_to_date() -> None:
    committed = Path(__file__).parents[4] / "docs" / "cost.md"
    assert committed.read_text(encoding="utf-8") == page(), "run: python -m bench.report.cost_page"
