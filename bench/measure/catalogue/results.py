"""What these measurements record: every figure with its unit. bench/results/catalogue-*.json are these."""

import json
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import TypeVar

from bench.measure import machine, typed_json
from bench.measure.paths import RESULTS
from bench.measure.results import State


@dataclass(frozen=True)
class Circumstances:
    """When and where something was measured, and why it is not to be quoted (empty: it may be)."""

    when: str
    machine: str
    objections: list[str]


@dataclass(frozen=True)
class Searches:
    """Milliseconds of searches: median and 99th percentile of each, in turns, and the number of them."""

    kind: str
    p50: float
    p99: float
    number: int


@dataclass(frozen=True)
class Crash:
    """A process that was killed while it wrote: what was there afterwards, and seconds to open the file."""

    after_seconds: float
    whole_batches: bool
    intact: bool
    open_seconds: float


@dataclass(frozen=True)
class Scale:
    """The embedded index with many vectors. Sizes in GB of 10^9 bytes, memory in GB of 2^30."""

    vectors: int
    build_seconds: float
    file_gb: float
    first_search_seconds: float
    searches: list[Searches]
    recall_at_10: float
    peak_gb: float
    crashes: list[Crash]
    circumstances: Circumstances


@dataclass(frozen=True)
class Altered:
    """Searches with copies of one kind: shares of first places and of the first ten, and the median score."""

    kind: str
    first: float
    first_ten: float
    median: float


@dataclass(frozen=True)
class Quality:
    """What is found of altered copies among other pictures.

    Attributes:
        originals: photographs of which altered copies are looked for.
        others: pictures that are in the index beside them.
        same_kind: those of the others that are whole photographs of the originals' kind.
        best_other: percentiles 50, 95 and 100 of the best score of an original to any other picture.
    """

    model: str
    originals: int
    others: int
    same_kind: int
    rows: list[Altered]
    best_other: list[float]
    circumstances: Circumstances


@dataclass(frozen=True)
class Rates:
    """Pictures a second of one core: indexed from files, and through the encoder alone."""

    index: float
    encoder: float


@dataclass(frozen=True)
class Folders:
    """Folders on the command line. Rates in pictures a second of one core.

    Attributes:
        pictures: photographs of the folder.
        index_rate: indexed, all cores at work.
        encoder_rate: the encoder alone, on decoded pictures, in the same batches.
        decoder_rate: the decoder alone, on the same files; none in older records.
        exact: the same two of ViT-B/32, on fewer photographs; none where it is not exported.
        first_seconds, second_seconds: two runs of `pairs`.
        pairs_vectors: vectors that were compared with each other.
        pairs_seconds: that took.
        pairs_peak_gb: what it had in memory at most, the vectors too, in GB of 10^9 bytes.
    """

    pictures: int
    index_rate: float
    encoder_rate: float
    first_seconds: float
    second_seconds: float
    pairs_vectors: int
    pairs_seconds: float
    pairs_peak_gb: float
    circumstances: Circumstances
    decoder_rate: float | None = None
    exact: Rates | None = None


@dataclass
class Watching:
    """Looks at the machine at the begin and the end of a measurement, and in its pauses."""

    watch: machine.Watch = field(default_factory=machine.Watch)

    def __post_init__(self) -> None:
        self.watch.pause()

    def circumstances(self) -> Circumstances:
        """Of the whole measurement."""
        self.watch.pause()
        state: State = self.watch.state()
        return Circumstances(
            datetime.now(UTC).date().isoformat(), machine.description(), machine.objections(state)
        )


Record = TypeVar("Record", Scale, Quality, Folders)


def save(record: Scale | Quality | Folders) -> None:
    """Write a record to bench/results."""
    name = type(record).__name__.lower()
    text = json.dumps(asdict(record), indent=1) + "\n"
    (RESULTS / f"catalogue-{name}.json").write_text(text, encoding="utf-8")


def load(kind: type[Record]) -> Record:
    """The last record of a kind."""
    path = RESULTS / f"catalogue-{kind.__name__.lower()}.json"
    return typed_json.read(kind, json.loads(path.read_text(encoding="utf-8")))
