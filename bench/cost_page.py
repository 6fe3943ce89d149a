"""Writes docs/cost.md from prices.json and the last full benchmark: python -m bench.cost_page."""

import json
from typing import Any

from bench.cost import (
    DOCUMENTED,
    MEGABYTES_OF_ONE_CPU,
    PRICES,
    Workload,
    break_even,
    estimate,
    lambda_total,
    sagemaker_capacity,
    sagemaker_month,
    seconds_at,
    total,
)
from bench.paths import RESULTS, ROOT
from bench.tables import MAIN, NAMES, table, warm

REGION = "us-east-2"
MEMORY = (1024, 1769, 2048, 3008, 3538)
# Until the first full run: one JPEG of 954 KB, 1 and 2 threads, by hand on the same kind of machine.
TRIAL = {
    1: {"hand-written": 188.0, "exact": 129.0, "int8": 79.0, "embedded": 36.0},
    2: {"hand-written": 133.0, "exact": 77.0, "int8": 53.0, "embedded": 30.0},
}

INTRODUCTION = """# What it costs

Made by `python -m bench.cost_page` from [`bench/prices.json`](../bench/prices.json) and measured durations;
do not edit. Prices are before tax and free tier; the file names region, date and source of each, and which
could not be looked up: check yours before relying on them. One core of the measuring machine is taken for
one vCPU of Lambda and for one physical core of an instance.
"""


TEXTS = {
    "examples": """Line by line as printed, from our model. The lines agree; the two printed totals do not:
both are short by nine tenths of the data output, as if an answer had 10 KB instead of the 100 KB of its
line. (The second example's heading speaks of 4 seconds, its line of 1.)""",
    "ours": f"""{REGION}, Lambda x86_64 at {MEGABYTES_OF_ONE_CPU} MB (one vCPU), one JPEG of 954 KB each,
`exact` (ViT-B/32 as open_clip computes it); an answer has 6 KB and its log line 1 KB.""",
    "memory": """$ per million requests, invocations included, and the time of one. Under one vCPU, Lambda
gives processor time in proportion to memory: the price stays and the answer comes later. More than one vCPU
costs more per request than it saves. Between one and two vCPUs the time is interpolated; arm64 is 20 %
cheaper a GB-second, its durations were not measured, and its rows take them as equal.""",
    "sagemaker": f"""An endpoint that is always on, filled to 60 %; below the break-even, Lambda costs less,
and where the break-even is above what the instance can answer, Lambda always does. Lambda at
{MEGABYTES_OF_ONE_CPU} MB, compute only (API Gateway costs the same in front of both). SageMaker has no cold
starts.""",
    "hosted": """$ per million pictures, list prices of their public pages as known to us, not looked up
here; theirs are other models with other vectors. Ours: Lambda compute as above, API Gateway's 3.50
included.""",
}


def page() -> str:
    """The whole page."""
    times, source = _durations()
    sections = [
        INTRODUCTION + f"Durations: {source}.",
        "## The documentation's two examples",
        TEXTS["examples"],
        *(_example(example) for example in PRICES["seed_examples"]),
        "## The same million requests here",
        TEXTS["ours"],
        _lines(estimate(REGION, Workload(MEGABYTES_OF_ONE_CPU, times[1]["exact"] / 1000)), "$"),
        "## Lambda by memory and architecture",
        TEXTS["memory"],
        _by_memory(times),
        "![cost against memory](figures/cost-memory.png)",
        "## SageMaker, and where it becomes cheaper",
        TEXTS["sagemaker"],
        _sagemaker(times[1]),
        "## Beside hosted services",
        TEXTS["hosted"],
        _hosted(times[1]),
    ]
    return "\n\n".join(sections) + "\n"


def _durations() -> tuple[dict[int, dict[str, float]], str]:
    path = RESULTS / "full.json"
    if not path.exists():
        return TRIAL, "trial figures, not yet from a full benchmark run"
    found: dict[str, Any] = json.loads(path.read_text())
    source = f"`make bench FULL=1` of {found['when']}, {found['machine']}; ViT-B/32 with random weights"
    return {threads: warm(found, MAIN, threads) for threads in (1, 2)}, source


def _lines(lines: list[Any], currency: str) -> str:
    rows = [[f"{line.service}: {line.dimension}", f"{currency}{line.cost:.2f}"] for line in lines]
    return table(["service", "cost"], [*rows, ["**total**", f"**{currency}{total(lines):.2f}**"]])


def _example(example: dict[str, Any]) -> str:
    currency = PRICES["regions"][example["region"]]["currency"]
    lines = estimate(example["region"], DOCUMENTED)
    rows = [
        [f"{line.service}: {line.dimension}", f"{currency}{printed:g}", f"{currency}{line.cost:.2f}"]
        for line, printed in zip(lines, example["lines"], strict=True)
    ]
    difference = total(lines) - example["total"]
    rows.append(
        ["total", f"{currency}{example['total']:g}", f"{currency}{total(lines):.2f} (+{difference:.2f})"]
    )
    return f"**{example['title']}**\n\n" + table(["service", "printed", "model"], rows)


def _by_memory(times: dict[int, dict[str, float]]) -> str:
    rows = []
    for architecture in ("x86_64", "arm64"):
        for memory in MEMORY:
            cells = []
            for name in NAMES:
                seconds = seconds_at(memory, times[1][name] / 1000, times[2][name] / 1000)
                cost = lambda_total(REGION, Workload(memory, seconds, architecture=architecture))
                fits = name != "hand-written" or memory >= MEGABYTES_OF_ONE_CPU
                cells.append(f"{cost:.2f} ({1000 * seconds:.0f} ms)" if fits else "needs 1.5 GB")
            rows.append([f"{architecture}, {memory} MB", *cells])
    return table(["Lambda", *NAMES], rows)


def _sagemaker(times: dict[str, float]) -> str:
    rows = []
    for instance in PRICES["regions"][REGION]["sagemaker_hour"]:
        month = sagemaker_month(REGION, instance)
        row = [instance, f"{month:.0f}"]
        for name in ("exact", "int8"):
            seconds = times[name] / 1000
            capacity = sagemaker_capacity(REGION, instance, seconds)
            even = break_even(REGION, instance, Workload(MEGABYTES_OF_ONE_CPU, seconds))
            row += [f"{capacity / 1e6:.1f}", f"{1e6 * month / capacity:.2f}", f"{even / 1e6:.1f}"]
        rows.append(row)
    each = ("million a month at 60 %", "$ per million", "break-even, million a month")
    return table(
        ["instance", "$ a month", *(f"{name}: {what}" for name in ("exact", "int8") for what in each)], rows
    )


def _hosted(times: dict[str, float]) -> str:
    gateway = PRICES["regions"][REGION]["api_million_calls"]
    rows = [[one["service"], f"{one['price']:.2f}"] for one in PRICES["hosted_per_million_images"]]
    for name in ("exact", "int8"):
        cost = gateway + lambda_total(REGION, Workload(MEGABYTES_OF_ONE_CPU, times[name] / 1000))
        rows.append([f"this solution on Lambda, {name}", f"{cost:.2f}"])
    return table(["service", "$ per million pictures"], rows)


def write() -> None:
    """Writes the page."""
    (ROOT / "docs" / "cost.md").write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    write()
