"""Tables of one request's parts: steps with their shares, the encoder's operators, the machine's limits."""

from bench.measure.limits import LAYERS, SIDE, WEIGHTS_MB, encode_ms
from bench.measure.results import MAIN, Parts, Run
from bench.report.tables import table

SHOWN_OPERATORS = 6
THREADS = (1, 2)
ByThreads = dict[int, Parts]


def steps(run: Run) -> str:
    """Milliseconds and shares of the whole request, which was measured in turns with its steps."""
    parts = run.parts
    requests = [parts[t].request for t in THREADS]
    rows = [_row(name, [parts[t].steps[name] for t in THREADS], requests) for name in parts[1].steps]
    at = [*parts[1].steps].index("decode and resize") + 1
    rows.insert(at, _row("of that, libjpeg alone", [parts[t].libjpeg for t in THREADS], requests))
    sums = [sum(parts[t].steps.values()) for t in THREADS]
    rest = [r - s for r, s in zip(requests, sums, strict=True)]
    warm = [run.warm(MAIN, t)["exact"] for t in THREADS]
    rows += [
        _row("sum of the steps", sums, requests),
        _row("the rest: event, headers, log line", rest, requests),
        _row("**whole request, by the handler**", requests, requests),
        _row("warm latency in the table above", warm, requests),
    ]
    return table(["step", "1 thread, ms", "share", "2 threads, ms", "share"], rows)


def _row(name: str, values: list[float], wholes: list[float]) -> list[str]:
    cells = [name]
    for value, whole in zip(values, wholes, strict=True):
        cells += [f"{value:.2f}", f"{value / whole:.1%}"]
    return cells


def operators(parts: ByThreads) -> str:
    """Where the encoder's time goes, by kind of operator."""
    shown = [*parts[1].operators][:SHOWN_OPERATORS]
    totals = [sum(parts[t].operators.values()) for t in THREADS]
    rows = [_row(name, [parts[t].operators.get(name, 0.0) for t in THREADS], totals) for name in shown]
    others = [
        total - sum(parts[t].operators.get(name, 0.0) for name in shown)
        for t, total in zip(THREADS, totals, strict=True)
    ]
    rows.append(_row("all others", others, totals))
    return table(["operator of the encoder", "1 thread, ms", "share", "2 threads, ms", "share"], rows)


def limits(parts: ByThreads) -> str:
    """What the encoder would take at the machine's own rates, and its share of them."""
    square = f"a product of {SIDE} x {SIDE}, which stays in the cache"
    own = f"the encoder's own: 50 x 768 by 768 x 3072 and back, {LAYERS} layers' weights in turn"
    rows = [
        _limit(square, [parts[t].limits.square for t in THREADS], parts),
        _limit(own, [parts[t].limits.own for t in THREADS], parts),
    ]
    head = ["NumPy's BLAS on"]
    for count in ("1 thread", "2 threads"):
        head += [f"{count}: GFLOP/s", "encode at that rate, ms", "share reached"]
    read, encode = parts[1].limits.read, parts[1].steps["encode"]
    reading = (
        f"One core reads {read:.1f} GB/s: the {WEIGHTS_MB} MB of weights that a picture needs once "
        f"take {WEIGHTS_MB / read:.0f} ms of its {encode:.0f}."
    )
    return f"{table(head, rows)}\n\n{reading}"


def _limit(what: str, rates: list[float], parts: ByThreads) -> list[str]:
    cells = [what]
    for rate, threads in zip(rates, THREADS, strict=True):
        cells += [f"{rate:.0f}", f"{encode_ms(rate):.1f}", f"{share(rate, parts[threads]):.0%}"]
    return cells


def share(rate: float, parts: Parts) -> float:
    """The rate that the encoder reaches, as a share of that limit in GFLOP/s; over 1 where it is faster."""
    return encode_ms(rate) / parts.steps["encode"]
