"""The measurements as Markdown: the aims' table first, then every figure it comes from."""

from typing import Any

from bench import breakdown, tables
from bench.cost import MEGABYTES_OF_ONE_CPU, Workload, lambda_total
from bench.quota import PERIOD_MS
from bench.tables import LARGE, MAIN, NAMES, PAIR, by_contender, table, warm

RANDOM_WEIGHTS = (
    "ViT-B/32 has seeded random weights here (`hand-written`, `exact`, `int8`, `infinity-emb`): time, memory "
    "and size are those of the real ones; quality is not measured with it. `embedded` has its real weights."
)
MEMORY = (
    f"Each process has the CPU quota that the size buys (memory / {MEGABYTES_OF_ONE_CPU} CPUs of two cores), "
    f"by a control group with a period of {PERIOD_MS} ms."
)


def markdown(found: dict[str, Any]) -> str:
    """The whole report."""
    parts = [
        "# Benchmark",
        f"{found['when']}, {found['mode']} run, {found['machine']}; load average {found['load']:.1f}.",
        RANDOM_WEIGHTS,
        "## The aims",
        _aims(found),
    ]
    if found.get("previous"):
        parts += [
            f"## `exact` against the previous result ({found['previous']})",
            "The handler of that revision with its own exporter's artifact (random weights too), on today's "
            "packages, called in turns with the others.",
            tables.previous(found),
        ]
    parts += [
        "## Warm latency, median of interleaved calls (lowest), ms",
        tables.latency(found),
        f"## The parts of one request: exact, {MAIN}",
        breakdown.steps(found),
        breakdown.operators(found["parts"]),
        breakdown.limits(found["parts"]),
        "## Cold start on one core, peak memory, size",
        tables.cold(found),
    ]
    if found.get("memory"):
        parts += [
            f"## Lambda by memory size, {MAIN}: median, and $ per million",
            MEMORY,
            tables.memory(found["memory"]),
        ]
    if found["server"]:
        parts += ["## Servers on all cores, JPEG 2048 x 1536, 954 KB", tables.server(found["server"])]
    return "\n\n".join(parts) + "\n"


def _aims(found: dict[str, Any]) -> str:
    sizes = {d["contender"]: d["libraries"] + d["model"] for d in found["disk"]}
    rows = [
        _ratio("warm, one 954 KB JPEG, 1 thread, ms", warm(found, MAIN, 1), "1.4", "2.5"),
        _ratio("warm pair, 2 threads, ms", warm(found, PAIR, 2), "1.9", "2.8"),
        _ratio("warm, 4096 x 3072 JPEG, 1 thread, ms", warm(found, LARGE, 1), "2", "3"),
        _ratio(
            "cold: fresh process to first answer, ms", by_contender(found["cold"], "warm_cache"), "6", "10"
        ),
        _ratio("peak memory, MB", by_contender(found["cold"], "peak_mb"), "3", "6"),
        _ratio("libraries and model, MB", sizes, "5", "6"),
    ]
    for what, key, aim in (
        ("encode, share of the machine's GEMM limit, 1 thread", "square", "90 %"),
        ("the same, of its rate on the encoder's own products", "own", ""),
    ):
        rows.append([what, "", f"{breakdown.share(found['parts'], key):.0%}", aim, "", ""])
    rows.append(_cost(warm(found, MAIN, 1)))
    rows.append(["import of the request path, ms", "", f"{found['import_ms']:.0f}", "under 200", "", ""])
    if "infinity-emb" in found["server"]:
        rows.append(_throughput(found["server"]))
    if found["server"]:
        rows += _under_load({name: clients["16"] for name, clients in found["server"].items()})
    head = ["what", "compared with", "exact (default)", "aim", "int8", "aim"]
    return table(head, rows)


def _ratio(what: str, values: dict[str, float], aim: str, aim_int8: str) -> list[str]:
    base = values["hand-written"]
    exact, int8 = (f"{values[name]:.0f} ({base / values[name]:.2f} x)" for name in ("exact", "int8"))
    return [what, f"{base:.0f}", exact, f"{aim} x", int8, f"{aim_int8} x"]


def _cost(times: dict[str, float]) -> list[str]:
    cost = {name: lambda_total("us-east-2", Workload(1769, times[name] / 1000)) for name in NAMES}
    theirs, exact, int8 = (f"{cost[name]:.2f}" for name in NAMES[:3])
    return ["Lambda USD per million at 1 vCPU", theirs, exact, "under 4.2", int8, "under 2.5"]


def _throughput(servers: dict[str, dict[str, dict[str, float]]]) -> list[str]:
    rates = {name: servers[name]["4"]["rps"] for name in ("infinity-emb", "exact", "int8")}
    base = rates["infinity-emb"]
    exact, int8 = (f"{rates[name]:.1f} ({rates[name] / base:.2f} x)" for name in ("exact", "int8"))
    what = "requests a second, 4 clients, against infinity-emb"
    return [what, f"{base:.1f}", exact, "2 x", int8, "3.5 x"]


def _under_load(servers: dict[str, dict[str, float]]) -> list[list[str]]:
    """How evenly 16 clients are served, and whether the process still says that it is alive."""
    chosen = [servers[name] for name in NAMES[:3]]
    theirs, exact, int8 = (f"{one['p99'] / one['p50']:.2f}" for one in chosen)
    fair = ["p99 at 16 clients, as a multiple of p50", theirs, exact, "under 2", int8, "under 2"]
    theirs, exact, int8 = (f"{one['ping_max']:.0f}" for one in chosen)
    return [fair, ["slowest /ping at 16 clients, ms", theirs, exact, "under 50", int8, "under 50"]]
