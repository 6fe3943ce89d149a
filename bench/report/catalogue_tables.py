"""The tables of docs/catalogue.md: costs and times from the model, and what was measured."""

from bench.cost.catalogue import Costs, ours, titan
from bench.cost.curve import Curve
from bench.cost.model import Workload
from bench.cost.queue import Setting, simulate
from bench.measure.catalogue.results import Circumstances, Folders, Quality, Scale, load
from bench.report.tables import table

REGION = "us-east-2"
MEMORY_MB = 3008
"""The stack's default, of the function that indexes as of the API's."""
NUMBERS = {1_000: "1,000", 1_000_000: "1 million", 100_000_000: "100 million"}
FUNCTIONS = (2, 10, 50, 140, 1000)
MODELS = ("exact", "int8", "embedded")


def costs(seconds: Curve, model: str = "exact") -> str:
    """By the number of pictures; ours, and the same on Titan."""
    rows = []
    for pictures, name in NUMBERS.items():
        here = ours(REGION, pictures, Workload(MEMORY_MB, seconds[model][MEMORY_MB]))
        there = titan(REGION, pictures)
        rows.append([f"{name}, here", *_cells(here), f"{here.sync:.2f}", "1"])
        rows.append([f"{name}, Titan", *_cells(there), "", f"{there.work / here.work:.1f}"])
    head = [
        "embedding once",
        "writing once",
        "a month",
        "a million searches",
        "all of these",
        "a sync",
        "times ours",
    ]
    return table(["pictures", *head], rows)


def _cells(costs: Costs) -> list[str]:
    return [
        f"{value:.2f}" if value >= 0.01 else "< 0.01"
        for value in (costs.embedding, costs.writing, costs.month, costs.searches, costs.work)
    ]


def times(seconds: Curve, model: str = "exact") -> str:
    """By functions at once: how fast, how long, what new pictures wait, and the bottleneck."""
    rows = []
    for functions in FUNCTIONS:
        setting = Setting(functions, seconds[model][MEMORY_MB])
        million, many = (simulate(pictures, setting) for pictures in (1_000_000, 100_000_000))
        rows.append(
            [
                f"{functions}",
                f"{million.rate:.0f}",
                _span(million.hours),
                _span(many.hours),
                f"{million.waits:.0f} s",
                million.limit,
            ]
        )
    head = ["pictures a second", "1 million take", "100 million take", "new ones wait at most", "bottleneck"]
    return table(["functions at once", *head], rows, first="---:")


def rates(seconds: Curve) -> str:
    """Pictures a second of one function, by model."""
    rows = [
        [name, f"{1000 * seconds[name][MEMORY_MB]:.0f} ms", f"{1 / seconds[name][MEMORY_MB]:.0f}"]
        for name in MODELS
    ]
    return table(["model", "a picture", "pictures a second of a function"], rows)


def _span(hours: float) -> str:
    return f"{hours:.1f} h" if hours < 48 else f"{hours / 24:.1f} days"


def scale() -> str:
    """The embedded index with many vectors."""
    found = load(Scale)
    searches = [
        [f"a search: {one.kind}", f"{one.p50:.0f} ms, p99 {one.p99:.0f} ms"] for one in found.searches
    ]
    intact = sum(crash.whole_batches and crash.intact for crash in found.crashes)
    slowest = max(crash.open_seconds for crash in found.crashes)
    rows = [
        [
            "built",
            f"{found.build_seconds:.0f} s, {found.vectors / found.build_seconds:,.0f} vectors a second",
        ],
        ["file", f"{found.file_gb:.2f} GB"],
        ["first search of a process", f"{found.first_search_seconds:.1f} s"],
        *searches,
        ["beside NumPy, p50", f"{found.searches[0].p50 / found.searches[1].p50:.2f} times"],
        ["recall of the exact first ten", f"{found.recall_at_10:.1%}"],
        ["memory of a process that searches", f"{found.peak_gb:.1f} GiB"],
        [
            f"killed in the middle of a write, {len(found.crashes)} times",
            f"{intact} times whole, opened in {slowest:.2f} s at most",
        ],
    ]
    return f"{table([f'{found.vectors:,} vectors', ''], rows)}\n\n{when(found.circumstances)}"


def quality() -> str:
    """What is found of altered copies."""
    found = load(Quality)
    rows = [[row.kind, f"{row.first:.1%}", f"{row.first_ten:.1%}", f"{row.median:.3f}"] for row in found.rows]
    text = (
        f"`{found.model}`; {found.originals} photographs of clothes among {found.others:,} others, of which "
        f"{found.same_kind} are photographs of clothes too. The best other picture of an original has a "
        f"similarity of {found.best_other[0]:.2f} in the median, {found.best_other[1]:.2f} at 95 %."
    )
    shown = table(["altered copy", "its original is first", "among the first ten", "median similarity"], rows)
    where = found.circumstances
    return f"{text}\n\n{shown}\n\nMeasured {where.when}; how busy the machine is changes none of these."


def folders() -> str:
    """The command line on folders."""
    found = load(Folders)
    peak = 4 * found.pairs_vectors**2 / 1e9
    rows = [
        ["pictures a second and core, indexed", f"{found.index_rate:.1f}"],
        ["the encoder alone, on decoded pictures", f"{found.encoder_rate:.1f}"],
        *([["the decoder alone", f"{found.decoder_rate:.1f}"]] if found.decoder_rate else []),
        *(
            [["indexed with ViT-B/32", f"{one.index:.1f}"], ["its encoder alone", f"{one.encoder:.1f}"]]
            if (one := found.exact)
            else []
        ),
        [f"`pairs` of {found.pictures:,} photographs, first run", f"{found.first_seconds:.1f} s"],
        ["second run", f"{found.second_seconds:.2f} s"],
        [f"grouping {found.pairs_vectors:,} vectors", f"{found.pairs_seconds:.1f} s"],
        [
            "memory of that, vectors included",
            f"{found.pairs_peak_gb:.2f} GB, 1/{peak / found.pairs_peak_gb:.0f} of n squared floats",
        ],
    ]
    return f"{table(['on this machine', ''], rows)}\n\n{when(found.circumstances)}"


def when(found: Circumstances) -> str:
    """When and where it was measured, and why not to quote it."""
    against = f" Not to be quoted: {'; '.join(found.objections)}." if found.objections else ""
    return f"Measured {found.when}, {found.machine}.{against}"
