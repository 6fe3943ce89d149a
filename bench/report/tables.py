"""Markdown tables of the measurements."""

from bench.cost.model import Workload, lambda_total
from bench.measure.results import NAMES, PREVIOUS, AtMemory, Cold, Disk, MemorySizes, Run, Served, Servers


def table(head: list[str], rows: list[list[str]], *, first: str = "---") -> str:
    """A Markdown table; the first column is text (or as `first` aligns it), the others are numbers."""
    lines = ["| " + " | ".join(head) + " |", f"| {first} |" + " ---: |" * (len(head) - 1)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


def request(case: str, threads: int) -> str:
    """A request's name in tables."""
    return f"{case}, {threads} thread{'s'[: threads - 1]}"


def latency(run: Run) -> str:
    """Warm latency of every case: median (lowest)."""
    names = list(dict.fromkeys(row.contender for row in run.latency))
    at = {(row.case, row.threads, row.contender): row for row in run.latency}
    rows = []
    for case, threads in run.requests():
        cells = [at[case, threads, name] for name in names]
        rows.append([request(case, threads), *(f"{c.median:.0f} ({c.lowest:.0f})" for c in cells)])
    return table(["request", *names], rows)


def cold(starts: list[Cold], disk: list[Disk]) -> str:
    """Starts, memory and size; sizes only of what ships."""
    by_name = {row.contender: row for row in disk}
    rows = []
    for row in starts:
        size = by_name.get(row.contender)
        sizes = [f"{size.libraries:.0f}", _model(size)] if size else ["", ""]
        figures = (row.warm_cache, row.evicted, row.peak_mb)
        rows.append([row.contender, *(f"{figure:.0f}" for figure in figures), *sizes])
    head = ["contender", "first answer, ms", "same, files not in memory, ms"]
    return table([*head, "peak MB", "libraries MB", "model (+ text tower) MB"], rows)


def _model(size: Disk) -> str:
    return f"{size.model:.0f}" + (f" + {size.text:.0f}" if size.text else "")


def memory(sizes: MemorySizes) -> str:
    """Times and costs by Lambda's memory size, and what a second thread does to the default."""
    if sizes.reason is not None:
        return f"Not measured here: {sizes.reason}."
    at = {(row.memory_mb, row.contender): row for row in sizes.rows}
    rows = []
    for size in dict.fromkeys(row.memory_mb for row in sizes.rows):
        cells = (at.get((size, name)) for name in NAMES)
        rows.append([f"{size} MB", *(_time_and_cost(row) if row else "" for row in cells)])
    threads: dict[int, list[str]] = {}
    for row in sizes.threads:
        threads.setdefault(row.memory_mb, []).append(_time_and_cost(row))
    return "\n\n".join(
        [
            table(["memory", *NAMES], rows),
            "`exact` with one and with two threads in sizes between one and two CPUs:",
            table(["memory", "1 thread", "2 threads"], [[f"{m} MB", *cells] for m, cells in threads.items()]),
        ]
    )


def _time_and_cost(row: AtMemory) -> str:
    cost = lambda_total("us-east-2", Workload(row.memory_mb, row.median / 1000))
    return f"{row.median:.0f} ms, {cost:.2f}"


def server(servers: Servers) -> str:
    """Throughput and percentiles by clients; what the clients themselves took, in runs that measured it."""
    loads = [one for by_clients in servers.values() for one in by_clients.values()]
    with_cost = any(one.load_cpu is not None for one in loads)
    rows = [
        [name, str(clients), *_served(one, with_cost=with_cost)]
        for name, by_clients in servers.items()
        for clients, one in by_clients.items()
    ]
    head = ["server", "clients", "requests a second", "p50 ms", "p90 ms", "p99 ms", "slowest /ping ms", "503"]
    return table([*head, *["clients' own share of one core"] * with_cost], rows)


def _served(one: Served, *, with_cost: bool) -> list[str]:
    percentiles = [f"{value:.0f}" for value in (one.p50, one.p90, one.p99)]
    ping = "" if one.ping_max is None else f"{one.ping_max:.0f}"
    load_cpu = "" if one.load_cpu is None else f"{one.load_cpu:.0%}"
    return [f"{one.rps:.1f}", *percentiles, ping, f"{one.refused:.0f}", *[load_cpu] * with_cost]


def previous(run: Run) -> str:
    """The default against the same request on the earlier revision, all from the same interleaved runs."""
    figures = [
        (f"warm, {request(case, threads)}, ms", run.warm(case, threads)) for case, threads in run.requests()
    ]
    figures += [
        ("cold: fresh process to first answer, ms", {row.contender: row.warm_cache for row in run.cold}),
        ("same, files not in memory, ms", {row.contender: row.evicted for row in run.cold}),
        ("peak memory, MB", {row.contender: row.peak_mb for row in run.cold}),
    ]
    rows = []
    for what, by_name in figures:
        before, now = by_name[PREVIOUS], by_name["exact"]
        rows.append([what, f"{before:.0f}", f"{now:.0f}", f"{before / now:.2f} x"])
    return table(["what", PREVIOUS, "exact", "ratio"], rows)
