"""Every price of prices.json with its region, date and source, as a Markdown table."""

from collections.abc import Iterator
from typing import Any

from bench.cost import PRICES
from bench.tables import table

NUMBERS = {name: number for number, name in enumerate(PRICES["sources"], start=1)}


def prices() -> str:
    """All prices: of each region, then of hosted services for a million pictures."""
    rows = []
    for region in ("us-east-2", "cn-northwest-1"):
        found = PRICES["regions"][region]
        rows += [_row(entry, found["currency"]) for entry in entries(found)]
    hosted = PRICES["hosted_per_million_images"]
    rows += [_row({**entry, "what": f"{entry['what']}, a million"}, "$") for entry in hosted]
    return table(["price", "", "region", "read", "source"], rows)


def entries(found: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The prices in a tree of names, in order."""
    for value in found.values():
        if isinstance(value, dict):
            yield from [value] if "price" in value else entries(value)


def sources() -> str:
    """The sources by number."""
    lines = []
    for name, number in NUMBERS.items():
        source = PRICES["sources"][name]
        text = f"[{source['what']}]({source['url']})" if source["url"] else source["what"]
        lines.append(f"{number}. {text}")
    return "\n".join(lines)


def _row(entry: dict[str, Any], currency: str) -> list[str]:
    source, value = PRICES["sources"][entry["source"]], float(entry["price"])
    price = f"{value:.2f}" if value == round(value, 2) else f"{value:.10f}".rstrip("0")
    number = str(NUMBERS[entry["source"]])
    return [entry["what"], currency + price, source["region"] or "", source["date"] or "undated", number]
