"""Every price of prices.json with its region, date and source, as a Markdown table."""

from bench.cost.prices import PRICES, Price
from bench.report.tables import table

NUMBERS = {name: number for number, name in enumerate(PRICES.sources, start=1)}


def prices() -> str:
    """All prices: of each region, then of hosted services for a million pictures."""
    rows = []
    for name in ("us-east-2", "cn-northwest-1"):
        region = PRICES.regions[name]
        rows += [_row(price, region.currency) for price in region.all()]
    rows += [_row(price, "$", suffix=", a million") for price in PRICES.hosted_per_million_images]
    return table(["price", "", "region", "read", "source"], rows)


def sources() -> str:
    """The sources by number."""
    lines = []
    for name, number in NUMBERS.items():
        source = PRICES.sources[name]
        text = f"[{source.what}]({source.url})" if source.url else source.what
        lines.append(f"{number}. {text}")
    return "\n".join(lines)


def _row(price: Price, currency: str, suffix: str = "") -> list[str]:
    source, value = PRICES.sources[price.source], price.price
    figure = f"{value:.2f}" if value == round(value, 2) else f"{value:.10f}".rstrip("0")
    number = str(NUMBERS[price.source])
    return [price.what + suffix, currency + figure, source.region or "", source.date or "undated", number]
