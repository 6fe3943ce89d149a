"""The measurements as pictures."""

from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")

from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from bench.cost.curve import curve, measured
from bench.cost.model import Workload, lambda_total
from bench.measure.limits import encode_ms
from bench.measure.results import MAIN, Run

COLOURS = {
    "hand-written": "#9a9a9a",
    "infinity-emb": "#b0503c",
    "exact": "#2f6f8f",
    "int8": "#5a9e6f",
    "embedded": "#c9a227",
}
NOTE = "ViT-B/32 with random weights (embedded: real)"


def draw(run: Run, folder: Path) -> list[str]:
    """All plots into `folder`; their file names."""
    folder.mkdir(parents=True, exist_ok=True)
    drawn = {"latency-parts.png": _parts(run), "cost-memory.png": _cost(run)}
    if run.server:
        drawn["throughput.png"] = _throughput(run)
    for name, figure in drawn.items():
        for axes in figure.axes:
            axes.spines[["top", "right"]].set_visible(False)
        figure.savefig(folder / name, dpi=120)
        plt.close(figure)
    return [*drawn]


def _parts(run: Run) -> Figure:
    figure, axes = plt.subplots(figsize=(7, 2.6), layout="constrained")
    shades = ["#c9a227", "#b0503c", "#5a9e6f", "#2f6f8f", "#9a9a9a"]
    for row, threads in enumerate((2, 1)):
        parts, left = run.parts[threads], 0.0
        for (step, width), colour in zip(parts.steps.items(), shades, strict=True):
            axes.barh(row, width, left=left, color=colour, label=step if row == 0 else None)
            share = width / parts.request
            if share > 0.05:
                axes.text(left + width / 2, row, f"{share:.0%}", color="white", ha="center", va="center")
            left += width
        begin = sum(parts.steps.values()) - parts.steps["serialise"] - parts.steps["encode"]
        for rate, y, label, colour in (
            (parts.limits.square, row + 0.43, "encode at the rate of a large product", "black"),
            (parts.limits.own, row + 0.5, "... of the encoder's own products", "#7a7a7a"),
        ):
            end = begin + encode_ms(rate)
            axes.plot([begin, end], [y, y], color=colour, lw=2, label=label if row == 0 else None)
    axes.set_yticks([0, 1], ["2 threads", "1 thread"])
    axes.set(xlabel="ms", title=f"The parts of one request: exact, {MAIN}")
    figure.legend(frameon=False, ncols=4, fontsize=8, loc="outside lower center")
    return figure


def _throughput(run: Run) -> Figure:
    figure, axes = plt.subplots(figsize=(7, 3.2), layout="constrained")
    for name, by_clients in run.server.items():
        clients = [*by_clients]
        rates = [one.rps for one in by_clients.values()]
        axes.plot(clients, rates, marker="o", label=name, color=COLOURS[name])
    axes.set_xscale("log", base=2)
    axes.set_xticks(clients, [str(count) for count in clients])
    axes.set(xlabel="clients", ylabel="requests a second", title=f"Throughput; {NOTE}")
    axes.set_ylim(0)
    axes.legend(frameon=False)
    return figure


def _cost(run: Run) -> Figure:
    figure, (costs, times) = plt.subplots(1, 2, figsize=(7, 3.2), layout="constrained")
    for name, seconds in curve(run).items():
        dollars = [lambda_total("us-east-2", Workload(memory, s)) for memory, s in seconds.items()]
        style = {"marker": "o", "ms": 3, "label": name, "color": COLOURS[name]}
        costs.plot([*seconds], dollars, **style)
        times.plot([*seconds], [1000 * s for s in seconds.values()], **style)
    for axes, label in ((costs, "$ per million, us-east-2"), (times, "ms of a request")):
        axes.set(xlabel="Lambda memory, MB", ylabel=label)
        axes.set_ylim(0)
    costs.legend(frameon=False, fontsize=8)
    how = "measured under CPU quotas" if measured(run) else "interpolated"
    figure.suptitle(f"Lambda compute, {how}; {NOTE}", fontsize=10)
    return figure
