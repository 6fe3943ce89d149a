"""Records in bench/results that are measured by themselves, as JSON."""

import json
from dataclasses import asdict, dataclass
from typing import TypeVar

from bench.measure import typed_json
from bench.measure.catalogue.results import Circumstances
from bench.measure.paths import RESULTS
from bench.measure.results import Servers, State


@dataclass(frozen=True)
class Aims:
    """What the aims of the second edition need besides the other records.

    Attributes:
        batch: by model, how many times as fast an image is in a request of 16 as alone, one thread.
        protection: by model, what decoders in confined processes add to a request, as a share of it.
    """

    batch: dict[str, float]
    protection: dict[str, float]
    circumstances: Circumstances


@dataclass(frozen=True)
class Clients:
    """Servers under more and more clients, beside the state of the machine."""

    when: str
    machine: str
    state: State
    seconds: float
    rounds: int
    servers: Servers


T = TypeVar("T", Aims, Clients)


def save(record: Aims | Clients) -> None:
    """Write a record to bench/results."""
    text = json.dumps(asdict(record), indent=1) + "\n"
    (RESULTS / f"{type(record).__name__.lower()}.json").write_text(text, encoding="utf-8")


def load(kind: type[T]) -> T | None:
    """The last record of a kind; none was measured: none."""
    path = RESULTS / f"{kind.__name__.lower()}.json"
    return typed_json.read(kind, json.loads(path.read_text(encoding="utf-8"))) if path.exists() else None
