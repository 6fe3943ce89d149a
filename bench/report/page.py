"""The measurements as Markdown: the aims' table first, then every figure it comes from."""

from bench.cost.model import Workload, lambda_total
from bench.measure import machine, roofline
from bench.measure.memory_sizes import MEGABYTES_OF_ONE_CPU
from bench.measure.quota import PERIOD_MS
from bench.measure.results import LARGE, MAIN, NAMES, PAIR, Run, Served, Servers, State
from bench.report import breakdown, tables
from bench.report.tables import table

RANDOM_WEIGHTS = (
    "ViT-B/32 has seeded random weights here (`hand-written`, `exact`, `int8`, `infinity-emb`): time, memory "
    "and size are those of the real ones; quality is not measured with it. `embedded` has its real weights."
)
MEMORY = (
    f"Each process has the CPU quota that the size buys (memory / {MEGABYTES_OF_ONE_CPU} CPUs of two cores), "
    f"by a control group with a period of {PERIOD_MS} ms."
)


def markdown(run: Run) -> str:
    """The whole report."""
    parts = [
        "# Benchmark",
        f"{run.when}, {run.mode} run, {run.machine}; load average {run.load:.1f}.",
        *about_machine(run.state),
        RANDOM_WEIGHTS,
        "## The aims",
        _aims(run),
    ]
    if run.previous:
        parts += [
            f"## `exact` against the previous result ({run.previous})",
            "The handler of that revision with its own exporter's artifact (random weights too), on today's "
            "packages, called in turns with the others.",
            tables.previous(run),
        ]
    parts += [
        "## Warm latency, median of interleaved calls (lowest), ms",
        tables.latency(run),
        f"## The parts of one request: exact, {MAIN}",
        breakdown.steps(run),
        breakdown.operators(run.parts),
        breakdown.limits(run.parts),
    ]
    if run.roofline:
        parts += ["## The encoder and what the machine allows", roofline.markdown(run.roofline)]
    parts += ["## Cold start on one core, peak memory, size", tables.cold(run.cold, run.disk)]
    if run.cold_on_two:
        parts += ["## The same on two cores", tables.cold(run.cold_on_two, run.disk)]
    if run.memory:
        parts += [
            f"## Lambda by memory size, {MAIN}: median, and $ per million",
            MEMORY,
            tables.memory(run.memory),
        ]
    if run.server:
        parts += ["## Servers on all cores, JPEG 2048 x 1536, 954 KB", tables.server(run.server)]
    return "\n\n".join(parts) + "\n"


def about_machine(state: State | None) -> list[str]:
    """What else the machine did, and whether the figures may be quoted; nothing of runs that did not look."""
    if state is None:
        return []
    parts = []
    if state.others is not None:
        parts.append(f"other programs kept at most {state.others:.1%} of the cores busy between measurements")
    if state.steal is not None:
        parts.append(f"the host withheld {state.steal:.1%} of their time")
    if state.lowest_mhz is not None and state.highest_mhz is not None:
        parts.append(f"a core that computes ran at {state.lowest_mhz:.0f} to {state.highest_mhz:.0f} MHz")
    if state.slowest_pace is not None:
        parts.append(f"the same work never went slower than at {state.slowest_pace:.0%} of its usual pace")
    sentences = [f"The machine: {', '.join(parts)}."] if parts else []
    against = machine.objections(state)
    return [*sentences, *[f"**Not to be quoted**: {'; '.join(against)}."] * bool(against)]


def _aims(run: Run) -> str:
    cold = {row.contender: row for row in run.cold}
    sizes = {row.contender: row.libraries + row.model for row in run.disk}
    with_text = {row.contender: row.libraries + row.model + row.text for row in run.disk}
    starts = {name: row.warm_cache for name, row in cold.items()}
    on_two = {row.contender: row.warm_cache for row in run.cold_on_two or []}
    peaks = {name: row.peak_mb for name, row in cold.items()}
    one, square, own = run.parts[1], run.parts[1].limits.square, run.parts[1].limits.own
    rows = [
        _ratio("warm, one 954 KB JPEG, 1 thread, ms", run.warm(MAIN, 1), "1.4", "2.5"),
        _ratio("warm pair, 2 threads, ms", run.warm(PAIR, 2), "1.9", "2.8"),
        _ratio("warm, 4096 x 3072 JPEG, 1 thread, ms", run.warm(LARGE, 1), "2", "3"),
        _ratio("cold: fresh process to first answer, ms", starts, "6", "10"),
        *([_ratio("the same, 2 threads, ms", on_two, "8", "10")] if on_two else []),
        _ratio("peak memory, MB", peaks, "3", "6"),
        _ratio("libraries and model, MB", sizes, "5", "6"),
        *([_ratio("the same, with the text tower, MB", with_text, "", "")] if with_text != sizes else []),
        _share("encode, share of the machine's GEMM limit, 1 thread", breakdown.share(square, one), "90 %"),
        _share("the same, of its rate on the encoder's own products", breakdown.share(own, one), ""),
        _cost(run.warm(MAIN, 1)),
        ["import of the request path, ms", "", f"{run.import_ms:.0f}", "under 200", "", ""],
    ]
    if "infinity-emb" in run.server:
        rows.append(_throughput(run.server))
    if run.server:
        rows += _under_load([run.server[name][16] for name in NAMES[:3]])
    head = ["what", "compared with", "exact (default)", "aim", "int8", "aim"]
    return table(head, rows)


def _ratio(what: str, values: dict[str, float], aim: str, aim_int8: str) -> list[str]:
    base = values["hand-written"]
    exact, int8 = (f"{values[name]:.0f} ({base / values[name]:.2f} x)" for name in ("exact", "int8"))
    return [what, f"{base:.0f}", exact, aim and f"{aim} x", int8, aim_int8 and f"{aim_int8} x"]


def _share(what: str, share: float, aim: str) -> list[str]:
    return [what, "", f"{share:.0%}", aim, "", ""]


def _cost(times: dict[str, float]) -> list[str]:
    workloads = (Workload(MEGABYTES_OF_ONE_CPU, times[name] / 1000) for name in NAMES[:3])
    theirs, exact, int8 = (f"{lambda_total('us-east-2', workload):.2f}" for workload in workloads)
    return ["Lambda USD per million at 1 vCPU", theirs, exact, "under 4.2", int8, "under 2.5"]


def _throughput(servers: Servers) -> list[str]:
    rates = {name: servers[name][4].rps for name in ("infinity-emb", "exact", "int8")}
    base = rates["infinity-emb"]
    exact, int8 = (f"{rates[name]:.1f} ({rates[name] / base:.2f} x)" for name in ("exact", "int8"))
    what = "requests a second, 4 clients, against infinity-emb"
    return [what, f"{base:.1f}", exact, "2 x", int8, "3.5 x"]


def _under_load(servers: list[Served]) -> list[list[str]]:
    """How evenly 16 clients are served, and whether the process still says that it is alive."""
    theirs, exact, int8 = (f"{one.p99 / one.p50:.2f}" for one in servers)
    fair = ["p99 at 16 clients, as a multiple of p50", theirs, exact, "under 2", int8, "under 2"]
    theirs, exact, int8 = ("" if one.ping_max is None else f"{one.ping_max:.0f}" for one in servers)
    return [fair, ["slowest /ping at 16 clients, ms", theirs, exact, "under 50", int8, "under 50"]]
