"""Tables of one request's parts: steps with their shares, the encoder's operators, the machine's limits."""

from typing import Any

from bench.limits import LAYERS, SIDE, WEIGHTS_MB, encode_ms
from bench.tables import MAIN, table, warm

SHOWN_OPERATORS = 6
THREADS = ("1", "2")
Parts = dict[str, dict[str, Any]]


def steps(found: dict[str, Any]) -> str:
    """Milliseconds and shares of the whole request, which was measured in turns with its steps."""
    parts: Parts = found["parts"]
    names = [*parts["1"]["steps"]]
    rows = [_row(name, [parts[t]["steps"][name] for t in THREADS], parts) for name in names]
    at = names.index("decode and resize") + 1
    rows.insert(at, _row("of that, libjpeg alone", [parts[t]["libjpeg"] for t in THREADS], parts))
    sums = [sum(parts[t]["steps"].values()) for t in THREADS]
    requests = [parts[t]["request"] for t in THREADS]
    rows += [
        _row("sum of the steps", sums, parts),
        _row(
            "the rest: event, headers, log line", [r - s for r, s in zip(requests, sums, strict=True)], parts
        ),
        _row("**whole request, by the handler**", requests, parts),
        _row("warm latency in the table above", [warm(found, MAIN, int(t))["exact"] for t in THREADS], parts),
    ]
    return table(["step", "1 thread, ms", "share", "2 threads, ms", "share"], rows)


def _row(name: str, values: list[float], parts: Parts) -> list[str]:
    cells = [name]
    for value, threads in zip(values, THREADS, strict=True):
        cells += [f"{value:.2f}", f"{value / parts[threads]['request']:.1%}"]
    return cells


def operators(parts: Parts) -> str:
    """Where the encoder's time goes, by kind of operator."""
    shown = [*parts["1"]["operators"]][:SHOWN_OPERATORS]
    totals = {t: sum(parts[t]["operators"].values()) for t in THREADS}
    rows = []
    for name in shown:
        values = {t: parts[t]["operators"].get(name, 0.0) for t in THREADS}
        rows.append([name, *_with_shares(values, totals)])
    others = {t: totals[t] - sum(parts[t]["operators"].get(name, 0.0) for name in shown) for t in THREADS}
    rows.append(["all others", *_with_shares(others, totals)])
    return table(["operator of the encoder", "1 thread, ms", "share", "2 threads, ms", "share"], rows)


def _with_shares(values: dict[str, float], totals: dict[str, float]) -> list[str]:
    return [cell for t in THREADS for cell in (f"{values[t]:.2f}", f"{values[t] / totals[t]:.1%}")]


def limits(parts: Parts) -> str:
    """What the encoder would take at the machine's own rates, and its share of them."""
    rows = []
    for key, what in (
        ("square", f"a product of {SIDE} x {SIDE}, which stays in the cache"),
        ("own", f"the encoder's own: 50 x 768 by 768 x 3072 and back, {LAYERS} layers' weights in turn"),
    ):
        cells = [what]
        for threads in THREADS:
            rate = parts[threads]["limits"][key]
            cells += [f"{rate:.0f}", f"{encode_ms(rate):.1f}", f"{share(parts, key, threads):.0%}"]
        rows.append(cells)
    head = ["NumPy's BLAS on"]
    for count in ("1 thread", "2 threads"):
        head += [f"{count}: GFLOP/s", "encode at that rate, ms", "share reached"]
    read, encode = parts["1"]["limits"]["read"], parts["1"]["steps"]["encode"]
    reading = (
        f"One core reads {read:.1f} GB/s: the {WEIGHTS_MB} MB of weights that a picture needs once "
        f"take {WEIGHTS_MB / read:.0f} ms of its {encode:.0f}."
    )
    return f"{table(head, rows)}\n\n{reading}"


def share(parts: Parts, key: str, threads: str = "1") -> float:
    """The rate that the encoder reaches, as a share of that limit; over 1 where it is faster."""
    return float(encode_ms(parts[threads]["limits"][key]) / parts[threads]["steps"]["encode"])
