"""The measurements as Markdown: the aims' table first, then every figure it comes from."""

from typing import Any

from bench.cost import Workload, lambda_total

MAIN, PAIR, LARGE = "JPEG 2048 x 1536, 954 KB", "pair of JPEG 2048 x 1536", "JPEG 4096 x 3072, 1.8 MB"
RANDOM_WEIGHTS = (
    "ViT-B/32 has seeded random weights here (`hand-written`, `exact`, `int8`, `infinity-emb`): time, memory "
    "and size are those of the real ones; quality is not measured with it. `embedded` has its real weights."
)
NAMES = ("hand-written", "exact", "int8", "embedded")


def markdown(found: dict[str, Any]) -> str:
    """The whole report."""
    parts = [
        "# Benchmark",
        f"{found['when']}, {found['mode']} run, {found['machine']}; load average {found['load']:.1f}.",
        RANDOM_WEIGHTS,
        "## The aims",
        _aims(found),
        "## Warm latency, median of interleaved calls (lowest), ms",
        _latency(found["latency"]),
        "## The parts of one request (exact, JPEG 2048 x 1536, 954 KB), ms",
        _parts(found["parts"]),
        "## Cold start on one core, peak memory, size",
        _cold(found),
    ]
    if found["server"]:
        parts += ["## Servers on all cores, JPEG 2048 x 1536, 954 KB", _server(found["server"])]
    return "\n\n".join(parts) + "\n"


def table(head: list[str], rows: list[list[str]]) -> str:
    """A Markdown table; the first column is text, the others are numbers."""
    lines = ["| " + " | ".join(head) + " |", "| --- |" + " ---: |" * (len(head) - 1)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


def warm(found: dict[str, Any], case: str, threads: int) -> dict[str, float]:
    """Median milliseconds of each contender."""
    return {
        r["contender"]: r["median"] for r in found["latency"] if (r["case"], r["threads"]) == (case, threads)
    }


def _aims(found: dict[str, Any]) -> str:
    rows = [
        _ratio("warm, one 954 KB JPEG, 1 thread, ms", warm(found, MAIN, 1), "1.4", "2.5"),
        _ratio("warm pair, 2 threads, ms", warm(found, PAIR, 2), "1.9", "2.8"),
        _ratio("warm, 4096 x 3072 JPEG, 1 thread, ms", warm(found, LARGE, 1), "2", "3"),
        _ratio("cold: fresh process to first answer, ms", _by(found["cold"], "warm_cache"), "6", "10"),
        _ratio("peak memory, MB", _by(found["cold"], "peak_mb"), "3", "6"),
        _ratio(
            "libraries and model, MB",
            {d["contender"]: d["libraries"] + d["model"] for d in found["disk"]},
            "5",
            "6",
        ),
    ]
    one = found["parts"]["1"]
    share = one["floor of encode"] / one["encode"]
    rows.append(["encode, share of the machine's GEMM limit, 1 thread", "", f"{share:.0%}", "90 %", "", ""])
    cost = {
        name: lambda_total("us-east-2", Workload(1769, milliseconds / 1000))
        for name, milliseconds in warm(found, MAIN, 1).items()
    }
    theirs, exact, int8 = (f"{cost[name]:.2f}" for name in NAMES[:3])
    rows.append(["Lambda USD per million at 1 vCPU", theirs, exact, "under 4.2", int8, "under 2.5"])
    rows.append(["import of the request path, ms", "", f"{found['import_ms']:.0f}", "under 200", "", ""])
    if "infinity-emb" in found["server"]:
        rps = {name: 1 / clients["4"]["rps"] for name, clients in found["server"].items()}
        row = _ratio("requests a second, 4 clients, against infinity-emb", rps, "2", "3.5", "infinity-emb")
        rates = [f"{found['server'][name]['4']['rps']:.1f}" for name in ("infinity-emb", "exact", "int8")]
        row[1], row[2], row[4] = (
            rates[0],
            f"{rates[1]} ({row[2].split('(')[1]}",
            f"{rates[2]} ({row[4].split('(')[1]}",
        )
        rows.append(row)
    head = ["what", "compared with", "exact (default)", "aim", "int8", "aim"]
    return table(head, rows)


def _ratio(
    what: str, values: dict[str, float], aim: str, aim_int8: str, against: str = "hand-written"
) -> list[str]:
    base, exact, int8 = values[against], values["exact"], values["int8"]
    shown = [f"{value:.0f} ({base / value:.2f} x)" for value in (exact, int8)]
    return [what, f"{base:.0f}", shown[0], f"{aim} x", shown[1], f"{aim_int8} x"]


def _by(rows: list[dict[str, Any]], key: str) -> dict[str, float]:
    return {row["contender"]: row[key] for row in rows}


def _latency(rows: list[dict[str, Any]]) -> str:
    keys = list(dict.fromkeys((row["case"], row["threads"]) for row in rows))
    at = {(row["case"], row["threads"], row["contender"]): row for row in rows}
    body = []
    for case, threads in keys:
        cells = [at[case, threads, name] for name in NAMES]
        body.append(
            [f"{case}, {threads} thread{'s'[: threads - 1]}"]
            + [f"{c['median']:.0f} ({c['lowest']:.0f})" for c in cells]
        )
    return table(["request", *NAMES], body)


def _parts(parts: dict[str, dict[str, float]]) -> str:
    steps = [*parts["1"]]
    return table(
        ["step", "1 thread", "2 threads"],
        [[s, f"{parts['1'][s]:.2f}", f"{parts['2'][s]:.2f}"] for s in steps],
    )


def _cold(found: dict[str, Any]) -> str:
    disk = {row["contender"]: row for row in found["disk"]}
    rows = [
        [
            row["contender"],
            f"{row['warm_cache']:.0f}",
            f"{row['evicted']:.0f}",
            f"{row['peak_mb']:.0f}",
            f"{disk[row['contender']]['libraries']:.0f}",
            f"{disk[row['contender']]['model']:.0f}",
        ]
        for row in found["cold"]
    ]
    head = [
        "contender",
        "first answer, ms",
        "same, files not in memory, ms",
        "peak MB",
        "libraries MB",
        "model MB",
    ]
    return table(head, rows)


def _server(found: dict[str, dict[str, dict[str, float]]]) -> str:
    rows = []
    for name, by_clients in found.items():
        for clients, one in by_clients.items():
            ping = f"{one['ping_max']:.0f}" if "ping_max" in one else ""
            values = [
                f"{one['rps']:.1f}",
                *(f"{one[p]:.0f}" for p in ("p50", "p90", "p99")),
                ping,
                f"{one['refused']:.0f}",
            ]
            rows.append([name, clients, *values])
    head = ["server", "clients", "requests a second", "p50 ms", "p90 ms", "p99 ms", "slowest /ping ms", "503"]
    return table(head, rows)
