"""What a run records: every figure with its unit. The files in bench/results are these, as JSON."""

from dataclasses import dataclass, field

MAIN, PAIR, LARGE = "JPEG 2048 x 1536, 954 KB", "pair of JPEG 2048 x 1536", "JPEG 4096 x 3072, 1.8 MB"
"""The cases that the aims name; `inputs.cases` has all."""
NAMES = ("hand-written", "exact", "int8", "embedded")
"""The contenders of every run, in the order of tables."""
PREVIOUS = "previous"
"""The contender that is an earlier revision of this project, in runs that compare with one."""


@dataclass(frozen=True)
class Disk:
    """What a contender ships, in megabytes of 10^6 bytes.

    `text`: the tower for searches by words, where a model has one; no request for a picture opens it. The
    hand-written handler has the towers in one file.
    """

    contender: str
    libraries: float
    model: float
    text: float = 0.0


@dataclass(frozen=True)
class Latency:
    """Milliseconds of one contender for one case: median, lowest, and the number of calls."""

    contender: str
    case: str
    threads: int
    median: float
    lowest: float
    calls: int


@dataclass(frozen=True)
class Cold:
    """Medians of one contender: milliseconds to the first answer, and the highest peak memory in MB.

    `evicted`: its files were not in the page cache. The peak counts 2^20 bytes as a megabyte.
    """

    contender: str
    warm_cache: float
    evicted: float
    peak_mb: float
    starts: int


@dataclass(frozen=True)
class AtMemory:
    """Milliseconds of the main case in a memory size: median, lowest, and the number of calls.

    `threads` is None where the contender chose their number by itself.
    """

    contender: str
    memory_mb: int
    threads: int | None
    median: float
    lowest: float
    calls: int


@dataclass(frozen=True)
class MemorySizes:
    """Rows by memory size, and the default with one and with two threads; or why there are none."""

    period_ms: int | None = None
    rows: list[AtMemory] = field(default_factory=list)
    threads: list[AtMemory] = field(default_factory=list)
    reason: str | None = None


@dataclass(frozen=True)
class Rates:
    """What the machine can do at all: GFLOP/s of two kinds of product, GB/s of one core's reading."""

    square: float
    own: float
    read: float


@dataclass(frozen=True)
class Parts:
    """Milliseconds of one request of the main case, of its steps, and of the encoder's operators."""

    steps: dict[str, float]
    request: float
    libjpeg: float
    operators: dict[str, float]
    limits: Rates


@dataclass(frozen=True)
class Roofline:
    """What the machine's arithmetic and memory allow on some cores, and what the encoder took there.

    Attributes:
        gflops: GFLOP/s of a product of large matrices.
        gigabytes: GB/s of reading, all of those cores together.
        encode_ms: milliseconds of one batch, by its number of images.
    """

    gflops: float
    gigabytes: float
    encode_ms: dict[int, float]


@dataclass(frozen=True)
class Served:
    """What clients saw of a server: answers a second, percentiles in milliseconds, refusals (503).

    Means over the rounds. `ping_max`: the slowest /ping meanwhile, in milliseconds. `load_cpu`: processor
    time that the clients themselves took, as a share of one core.
    """

    clients: float
    rps: float
    p50: float
    p90: float
    p99: float
    refused: float
    ping_max: float | None = None
    load_cpu: float | None = None


@dataclass(frozen=True)
class State:
    """What else the machine did. None where it does not say.

    `others`: the most that other programs and the host took of all cores in a pause between measurements;
    `steal`: what the host withheld of all cores' time, over the whole run; both from 0 to 1. The frequencies
    are of the fastest core while it computes. `slowest_pace`: how fast the same work was in the slowest of
    the pauses, as a share of their median; none in older records.
    """

    others: float | None
    steal: float | None
    lowest_mhz: float | None = None
    highest_mhz: float | None = None
    slowest_pace: float | None = None


Servers = dict[str, dict[int, Served]]
"""By server, then by number of clients."""


@dataclass(frozen=True)
class Run:
    """One run of the benchmark. `parts` and `roofline` are by number of threads.

    `load` is the load average at the start; `cold` was measured on one core, `cold_on_two` on two.
    """

    when: str
    mode: str
    machine: str
    load: float
    disk: list[Disk]
    import_ms: float
    parts: dict[int, Parts]
    latency: list[Latency]
    cold: list[Cold]
    server: Servers
    memory: MemorySizes | None = None
    previous: str | None = None
    minutes: float | None = None
    state: State | None = None
    cold_on_two: list[Cold] | None = None
    roofline: dict[int, Roofline] | None = None

    def warm(self, case: str, threads: int) -> dict[str, float]:
        """Median milliseconds of each contender, warm."""
        return {r.contender: r.median for r in self.latency if (r.case, r.threads) == (case, threads)}

    def requests(self) -> list[tuple[str, int]]:
        """The cases and numbers of threads that were measured, in order."""
        return list(dict.fromkeys((row.case, row.threads) for row in self.latency))
