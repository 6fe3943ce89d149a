"""The measurements as pictures in docs/figures."""

from typing import Any

import matplotlib as mpl

mpl.use("Agg")

from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.cost import Workload, lambda_total, seconds_at
from bench.paths import FIGURES
from bench.tables import MAIN, NAMES, warm

COLOURS = {
    "hand-written": "#9a9a9a",
    "infinity-emb": "#b0503c",
    "exact": "#2f6f8f",
    "int8": "#5a9e6f",
    "embedded": "#c9a227",
}
NOTE = "ViT-B/32 with random weights (embedded: real)"


def draw(found: dict[str, Any]) -> list[str]:
    """All plots; their file names."""
    FIGURES.mkdir(parents=True, exist_ok=True)
    names = [_parts(found), _cost(found)]
    if found["server"]:
        names.append(_throughput(found))
    return names


def _parts(found: dict[str, Any]) -> str:
    figure, axes = plt.subplots(figsize=(7, 2.2), layout="constrained")
    steps = ["parse and check", "base64", "decode and resize", "encode", "serialise"]
    shades = ["#c9a227", "#b0503c", "#5a9e6f", "#2f6f8f", "#9a9a9a"]
    for row, threads in enumerate(("2", "1")):
        left = 0.0
        for step, colour in zip(steps, shades, strict=True):
            width = found["parts"][threads][step]
            axes.barh(row, width, left=left, color=colour, label=step if row == 0 else None)
            left += width
        floor = found["parts"][threads]["floor of encode"]
        axes.plot(
            [left - floor, left],
            [row + 0.45] * 2,
            color="black",
            lw=2,
            label="GEMM floor" if row == 0 else None,
        )
    axes.set_yticks([0, 1], ["2 threads", "1 thread"])
    axes.set(xlabel="ms", title="The parts of one request, 954 KB JPEG, exact")
    axes.legend(frameon=False, ncols=3, fontsize=8, loc="lower right")
    return _save(figure, axes, "latency-parts.png")


def _throughput(found: dict[str, Any]) -> str:
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
    return _save(figure, axes, "throughput.png")


def _cost(found: dict[str, Any]) -> str:
    figure, axes = plt.subplots(figsize=(7, 3.2), layout="constrained")
    memory = [1024, 1280, 1536, 1769, 2048, 2560, 3008, 3538]
    one, two = warm(found, MAIN, 1), warm(found, MAIN, 2)
    for name in NAMES:
        seconds = [seconds_at(m, one[name] / 1000, two[name] / 1000) for m in memory]
        costs = [lambda_total("us-east-2", Workload(m, s)) for m, s in zip(memory, seconds, strict=True)]
        axes.plot(memory, costs, marker="o", ms=3, label=name, color=COLOURS[name])
    axes.set(xlabel="Lambda memory, MB", ylabel="$ per million", title=f"Lambda compute, us-east-2; {NOTE}")
    axes.set_ylim(0)
    axes.legend(frameon=False)
    return _save(figure, axes, "cost-memory.png")


def _save(figure: Figure, axes: Axes, name: str) -> str:
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(FIGURES / name, dpi=120)
    plt.close(figure)
    return name
