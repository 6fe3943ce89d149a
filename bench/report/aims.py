"""The aims of the second edition, each from code or from a record: python -m bench.report.aims.

Exit code 1 where one is missed or was not measured.
"""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass

from bench.cost.catalogue import ours, titan
from bench.cost.curve import curve
from bench.cost.model import Workload
from bench.measure import machine, typed_json
from bench.measure.catalogue.results import Circumstances, Folders, Scale
from bench.measure.catalogue.results import load as load_catalogue
from bench.measure.paths import RESULTS
from bench.measure.recorded import Aims, Clients, load
from bench.measure.results import Run
from bench.report.catalogue_tables import MEMORY_MB, REGION
from bench.report.tables import table

MILLION = 1_000_000
ALL_CLIENTS = 64
"""At which /ping is looked at."""


@dataclass(frozen=True)
class Row:
    """What, against what, the least or the most it may be, and the figure (none: not measured).

    `aim` is none where the figure only stands beside others.
    """

    what: str
    against: str
    aim: float | None
    figure: float | None
    shown: Callable[[float], str]
    most: bool = False
    where: Circumstances | None = None

    @property
    def met(self) -> bool | None:
        """Whether it is; none: nobody knows, or there is no aim."""
        if self.figure is None or self.aim is None:
            return None
        return self.figure <= self.aim if self.most else self.figure >= self.aim

    def cells(self) -> list[str]:
        """Of the table."""
        unknown = "not measured" if self.figure is None else ""
        said = {True: "met", False: "**missed**", None: unknown}[self.met]
        figure = "" if self.figure is None else self.shown(self.figure)
        aim = "" if self.aim is None else ("at most " if self.most else "") + self.shown(self.aim)
        when = "" if self.where is None else self.where.when
        busy = " (busy machine: not to be quoted)" if self.where is not None and self.where.objections else ""
        return [self.what, self.against, aim, figure, said, when + busy]


def times(value: float) -> str:
    """A ratio."""
    return f"{value:.2f} times" if value < 10 else f"{value:.0f} times"


def share(value: float) -> str:
    """A part of a whole."""
    return f"{100 * value:.1f} %"


def part(value: float) -> str:
    """One of so many."""
    return f"1/{value:.1f}"


def milliseconds(value: float) -> str:
    """A time."""
    return f"{value:.0f} ms"


def of_aims(found: Aims | None) -> list[Row]:
    """Batches and the protection: the aims are the default model's, `exact`."""
    batch, protection = (found.batch, found.protection) if found else ({}, {})
    where = found.circumstances if found else None
    names = list(dict.fromkeys(["exact", *batch]))
    together = [
        Row(
            f"an image in a request of 16, 1 thread, `{name}`",
            "16 requests",
            1.3 if name == "exact" else None,
            batch.get(name),
            times,
            where=where,
        )
        for name in names
    ]
    confined = [
        Row(
            f"decoders in confined processes, `{name}`",
            "a request without",
            0.03 if name == "exact" else None,
            protection.get(name),
            share,
            most=True,
            where=where,
        )
        for name in names
    ]
    return [*together, *confined]


def of_folders(found: Folders) -> list[Row]:
    """The command line."""
    where, squared = found.circumstances, 4 * found.pairs_vectors**2 / 1e9
    name = f"{found.pictures:,} photographs"
    index = found.index_rate / found.encoder_rate
    again = found.first_seconds / found.second_seconds
    peak = squared / found.pairs_peak_gb
    pairs = f"memory of `pairs` of {found.pairs_vectors:,} vectors"
    exact = [found.exact.index / found.exact.encoder] if found.exact else []
    return [
        Row(f"indexing {name}, a core, `embedded`", "the encoder's rate", 0.8, index, share, where=where),
        *(Row("the same, `exact`", "the encoder's rate", 0.8, one, share, where=where) for one in exact),
        Row(f"second run of `pairs`, {name}", "the first", 50.0, again, times, where=where),
        Row(pairs, f"n squared floats, {squared:.1f} GB", 20.0, peak, part, where=where),
    ]


def of_scale(found: Scale) -> list[Row]:
    """The embedded index."""
    here, numpy = found.searches[0].p50, found.searches[1].p50
    what = f"search among {found.vectors:,} vectors, p50"
    return [Row(what, "NumPy's product", 1.5, here / numpy, times, most=True, where=found.circumstances)]


def of_run(run: Run) -> list[Row]:
    """Cold starts; and a million pictures and a million searches by the model of costs on its times."""
    against = machine.objections(run.state) if run.state else []
    where = Circumstances(run.when[:10], run.machine, against)
    cold = {row.contender: row.warm_cache for row in run.cold_on_two or []}
    start = cold["hand-written"] / cold["exact"] if cold else None
    workload = Workload(MEMORY_MB, curve(run)["exact"][MEMORY_MB])
    ratio = titan(REGION, MILLION).work / ours(REGION, MILLION, workload).work
    return [
        Row("cold start, 2 threads, `exact`", "hand-written", 8.0, start, times, where=where),
        Row("a million pictures and searches", "Titan and S3 Vectors", 5.0, ratio, part, where=where),
    ]


def of_clients(found: Clients | None) -> list[Row]:
    """/ping beside clients that never wait."""
    what, slowest, where = f"slowest /ping at {ALL_CLIENTS} clients", None, None
    if found is not None:
        pings = [server[ALL_CLIENTS].ping_max for server in found.servers.values() if ALL_CLIENTS in server]
        slowest = max((ping for ping in pings if ping is not None), default=None)
        where = Circumstances(found.when[:10], found.machine, machine.objections(found.state))
    return [Row(what, "", 50.0, slowest, milliseconds, most=True, where=where)]


def rows() -> list[Row]:
    """All of them, from the records."""
    run = typed_json.read(Run, json.loads((RESULTS / "full.json").read_text()))
    return [
        *of_aims(load(Aims)),
        *of_folders(load_catalogue(Folders)),
        *of_scale(load_catalogue(Scale)),
        *of_run(run),
        *of_clients(load(Clients)),
    ]


def markdown(several: list[Row]) -> str:
    """The table."""
    return table(["what", "against", "aim", "figure", "", "measured"], [row.cells() for row in several])


def exit_code(several: list[Row]) -> int:
    """0 where every aim is met."""
    return 0 if all(row.met for row in several if row.aim is not None) else 1


def main() -> int:
    """Print the table; 0 where all are met."""
    several = rows()
    print(markdown(several))
    return exit_code(several)


if __name__ == "__main__":
    sys.exit(main())
