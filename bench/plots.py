"""The measurements as pictures."""

from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")

from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.cost import Workload, lambda_total
from bench.curve import curve, measured
from bench.limits import encode_ms
from bench.tables import MAIN

COLOURS = {
    "hand-written": "#9a9a9a",
    "infinity-emb": "#b0503c",
    "exact": "#2f6f8f",
    "int8": "#5a9e6f",
    "embedded": "#c9a227",
}
Plot = tuple[Figure, Axes]
NOTE = "ViT-B/32 with random weights (embedded: real)"


def draw(found: dict[str, Any], folder: Path) -> list[str]:
    """All plots into `folder`; their file names."""
    folder.mkdir(parents=True, exist_ok=True)
    drawn = {"latency-parts.png": _parts(found), "cost-memory.png": _cost(found)}
    if found["server"]:
        drawn["throughput.png"] = _throughput(found)
    for name, (figure, axes) in drawn.items():
        axes.spines[["top", "right"]].set_visible(False)
        figure.savefig(folder / name, dpi=120)
        plt.close(figure)
    return [*drawn]


def _parts(found: dict[str, Any]) -> Plot:
    figure, axes = plt.subplots(figsize=(7, 2.6), layout="constrained")
    shades = ["#c9a227", "#b0503c", "#5a9e6f", "#2f6f8f", "#9a9a9a"]
    for row, threads in enumerate(("2", "1")):
        parts, left = found["parts"][threads], 0.0
        for (step, width), colour in zip(parts["steps"].items(), shades, strict=True):
            axes.barh(row, width, left=left, color=colour, label=step if row == 0 else None)
            share = width / parts["request"]
            if share > 0.05:
                axes.text(left + width / 2, row, f"{share:.0%}", color="white", ha="center", va="center")
            left += width
        for key, label, colour in (
            ("square", "encode at the rate of a large product", "black"),
            ("own", "... of the encoder's own products", "#7a7a7a"),
        ):
            y = row + (0.43 if key == "square" else 0.5)
            begin = sum(parts["steps"].values()) - parts["steps"]["serialise"] - parts["steps"]["encode"]
            end = begin + encode_ms(parts["limits"][key])
            axes.plot([begin, end], [y, y], color=colour, lw=2, label=label if row == 0 else None)
    axes.set_yticks([0, 1], ["2 threads", "1 thread"])
    axes.set(xlabel="ms", title=f"The parts of one request: exact, {MAIN}")
    figure.legend(frameon=False, ncols=4, fontsize=8, loc="outside lower center")
    return figure, axes


def _throughput(found: dict[str, Any]) -> Plot:
    figure, axes = plt.subplots(figsize=(7, 3.2), layout="constrained")
    for name, by_clients in found["server"].items():
        clients = [int(count) for count in by_clients]
        rates = [by_clients[str(count)]["rps"] for count in clients]
        axes.plot(clients, rates, marker="o", label=name, color=COLOURS[name])
    axes.set_xscale("log", base=2)
    axes.set_xticks(clients, [str(count) for count in clients])
    axes.set(xlabel="clients", ylabel="requests a second", title=f"Throughput; {NOTE}")
    axes.set_ylim(0)
    axes.legend(frameon=False)
    return figure, axes


def _cost(found: dict[str, Any]) -> Plot:
    figure, axes = plt.subplots(figsize=(7, 3.2), layout="constrained")
    for name, seconds in curve(found).items():
        costs = [lambda_total("us-east-2", Workload(memory, s)) for memory, s in seconds.items()]
        axes.plot([*seconds], costs, marker="o", ms=3, label=name, color=COLOURS[name])
    how = "measured under CPU quotas" if measured(found) else "interpolated"
    axes.set(xlabel=f"Lambda memory, MB; times {how}", ylabel="$ per million")
    axes.set_title(f"Lambda compute, us-east-2; {NOTE}")
    axes.set_ylim(0)
    axes.legend(frameon=False)
    return figure, axes
