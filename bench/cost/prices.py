"""The prices of prices.json, each with its purpose and its source."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from bench.measure import typed_json


@dataclass(frozen=True)
class Source:
    """Where and when prices were read, for which region; None where it does not say."""

    what: str
    url: str | None
    region: str | None
    date: str | None


@dataclass(frozen=True)
class Price:
    """One price, in its region's currency. `cores`: physical ones of an instance without a GPU."""

    what: str
    price: float
    source: str
    cores: int | None = None


@dataclass(frozen=True)
class Region:
    """The prices of one region; an endpoint's and a catalogue's only where they were found."""

    currency: str
    lambda_million_requests: Price
    lambda_gb_second: dict[str, Price]
    api_million_calls: Price
    data_out_gb: Price
    logs_gb: Price
    ecr_gb_month: Price
    sagemaker_data_gb: Price | None = None
    sagemaker_hour: dict[str, Price] = field(default_factory=dict)
    catalogue: dict[str, Price] = field(default_factory=dict)

    def all(self) -> Iterator[Price]:
        """Every one, in order."""
        for value in vars(self).values():
            if isinstance(value, dict):
                yield from value.values()
            elif isinstance(value, Price):
                yield value


@dataclass(frozen=True)
class Example:
    """A table of the documentation: its six lines and its total, as printed."""

    title: str
    region: str
    total: float
    lines: list[float]


@dataclass(frozen=True)
class Prices:
    """The whole file."""

    note: str
    sources: dict[str, Source]
    regions: dict[str, Region]
    hosted_per_million_images: list[Price]
    seed_examples: list[Example]


PRICES = typed_json.read(
    Prices, json.loads(Path(__file__).with_name("prices.json").read_text(encoding="utf-8"))
)
