"""Markdown tables of the measurements."""

from typing import Any

from bench.cost import Workload, lambda_total

MAIN, PAIR, LARGE = "JPEG 2048 x 1536, 954 KB", "pair of JPEG 2048 x 1536", "JPEG 4096 x 3072, 1.8 MB"
NAMES = ("hand-written", "exact", "int8", "embedded")
Row = dict[str, Any]


def table(head: list[str], rows: list[list[str]]) -> str:
    """A Markdown table; the first column is text, the others are numbers."""
    lines = ["| " + " | ".join(head) + " |", "| --- |" + " ---: |" * (len(head) - 1)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


def warm(found: dict[str, Any], case: str, threads: int) -> dict[str, float]:
    """Median milliseconds of each contender."""
    return {
        r["contender"]: r["median"] for r in found["latency"] if (r["case"], r["threads"]) == (case, threads)
    }


def by_contender(rows: list[Row], key: str) -> dict[str, float]:
    """One figure of each contender."""
    return {row["contender"]: row[key] for row in rows}


def request(case: str, threads: int) -> str:
    """A request's name in tables."""
    return f"{case}, {threads} thread{'s'[: threads - 1]}"


def requests(found: dict[str, Any]) -> list[tuple[str, int]]:
    """The cases and numbers of threads that were measured, in order."""
    return list(dict.fromkeys((row["case"], row["threads"]) for row in found["latency"]))


def latency(found: dict[str, Any]) -> str:
    """Warm latency of every case: median (lowest)."""
    names = list(dict.fromkeys(row["contender"] for row in found["latency"]))
    at = {(row["case"], row["threads"], row["contender"]): row for row in found["latency"]}
    body = []
    for case, threads in requests(found):
        cells = [at[case, threads, name] for name in names]
        body.append([request(case, threads), *(f"{c['median']:.0f} ({c['lowest']:.0f})" for c in cells)])
    return table(["request", *names], body)


def cold(found: dict[str, Any]) -> str:
    """Starts, memory and size; sizes only of what ships."""
    disk = {row["contender"]: row for row in found["disk"]}
    rows = []
    for row in found["cold"]:
        size = disk.get(row["contender"])
        sizes = [f"{size['libraries']:.0f}", f"{size['model']:.0f}"] if size else ["", ""]
        rows.append(
            [row["contender"], *(f"{row[key]:.0f}" for key in ("warm_cache", "evicted", "peak_mb")), *sizes]
        )
    head = ["contender", "first answer, ms", "same, files not in memory, ms"]
    return table([*head, "peak MB", "libraries MB", "model MB"], rows)


def memory(found: dict[str, Any]) -> str:
    """Times and costs by Lambda's memory size, and what a second thread does to the default."""
    if "reason" in found:
        return f"Not measured here: {found['reason']}."
    at = {(row["memory_mb"], row["contender"]): row for row in found["rows"]}
    rows = []
    for size in dict.fromkeys(row["memory_mb"] for row in found["rows"]):
        cells = (at.get((size, name)) for name in NAMES)
        rows.append([f"{size} MB", *(_time_and_cost(row) if row else "" for row in cells)])
    threads: dict[int, list[str]] = {}
    for row in found["threads"]:
        threads.setdefault(row["memory_mb"], []).append(_time_and_cost(row))
    return "\n\n".join(
        [
            table(["memory", *NAMES], rows),
            "`exact` with one and with two threads in sizes between one and two CPUs:",
            table(["memory", "1 thread", "2 threads"], [[f"{m} MB", *cells] for m, cells in threads.items()]),
        ]
    )


def _time_and_cost(row: Row) -> str:
    cost = lambda_total("us-east-2", Workload(row["memory_mb"], row["median"] / 1000))
    return f"{row['median']:.0f} ms, {cost:.2f}"


def server(found: dict[str, dict[str, dict[str, float]]]) -> str:
    """Throughput and percentiles by clients."""
    rows = []
    for name, by_clients in found.items():
        for clients, one in by_clients.items():
            ping = f"{one['ping_max']:.0f}" if "ping_max" in one else ""
            percentiles = [f"{one[p]:.0f}" for p in ("p50", "p90", "p99")]
            rows.append([name, clients, f"{one['rps']:.1f}", *percentiles, ping, f"{one['refused']:.0f}"])
    head = ["server", "clients", "requests a second", "p50 ms", "p90 ms", "p99 ms", "slowest /ping ms", "503"]
    return table(head, rows)


def previous(found: dict[str, Any]) -> str:
    """The default against the same request on the earlier revision, all from the same interleaved runs."""
    pairs = []
    for case, threads in requests(found):
        pairs.append((f"warm, {request(case, threads)}, ms", warm(found, case, threads)))
    for what, key in (
        ("cold: fresh process to first answer, ms", "warm_cache"),
        ("same, files not in memory, ms", "evicted"),
        ("peak memory, MB", "peak_mb"),
    ):
        pairs.append((what, by_contender(found["cold"], key)))
    rows = [
        [what, f"{v['previous']:.0f}", f"{v['exact']:.0f}", f"{v['previous'] / v['exact']:.2f} x"]
        for what, v in pairs
    ]
    return table(["what", "previous", "exact", "ratio"], rows)
