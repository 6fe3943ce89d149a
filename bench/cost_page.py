"""Writes docs/cost.md from prices.json and the last full benchmark: python -m bench.cost_page."""

import json
import textwrap
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
    total,
)
from bench.curve import MEMORY_SIZES, Curve, curve, measured
from bench.paths import RESULTS, ROOT
from bench.quota import PERIOD_MS
from bench.tables import MAIN, NAMES, table, warm

REGION = "us-east-2"

INTRODUCTION = """Made by `python -m bench.cost_page` from [`bench/prices.json`](../bench/prices.json) and
measured durations; do not edit. Prices are before tax and free tier; the file names region, date and source
of each, and which could not be looked up: check yours before relying on them. One core of the measuring
machine is taken for one vCPU of Lambda and for one physical core of an instance. ViT-B/32 has random weights
here."""

TEXTS = {
    "examples": """Line by line as printed, from our model. The lines agree; the two printed totals do not:
both are short by nine tenths of the data output, as if an answer had 10 KB instead of the 100 KB of its
line. (The second example's heading speaks of 4 seconds, its line of 1.)""",
    "ours": f"""{REGION}, Lambda x86_64 at {MEGABYTES_OF_ONE_CPU} MB (one vCPU), one JPEG of 954 KB each,
`exact` (ViT-B/32 as open_clip computes it); an answer has 6 KB and its log line 1 KB.""",
    "memory": """$ per million requests on x86_64 / on arm64, invocations included, and the time of one. Under
one vCPU, Lambda gives processor time in proportion to memory: the price stays and the answer comes later.
More than one vCPU costs more per request than it saves. The stack's default is {default} MB.""",
    "measured": f"""Measured: each process under the CPU quota that the size buys (memory /
{MEGABYTES_OF_ONE_CPU} CPUs of two cores, by a control group with a period of {PERIOD_MS} ms).""",
    "interpolated": """The sizes were not measured: times are reckoned from those on one and on two whole
cores, in proportion under one and by interpolation above.""",
    "arm64": """arm64 is 20 % cheaper a GB-second; its durations were not measured, and its rows take them as
equal.""",
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
    found: dict[str, Any] = json.loads((RESULTS / "full.json").read_text())
    seconds, cores = curve(found), warm(found, MAIN, 1)
    how = TEXTS["measured" if measured(found) else "interpolated"]
    sections = [
        "# What it costs",
        _wrapped(INTRODUCTION),
        f"Durations: `make bench FULL=1` of {found['when']}, {found['machine']}.",
        "## The documentation's two examples",
        _wrapped(TEXTS["examples"]),
        *(_example(example) for example in PRICES["seed_examples"]),
        "## The same million requests here",
        _wrapped(TEXTS["ours"]),
        _lines(estimate(REGION, _at_one_cpu(seconds, "exact")), "$"),
        "## Lambda by memory and architecture",
        _wrapped(TEXTS["memory"].format(default=_default_memory()), how, TEXTS["arm64"]),
        _by_memory(seconds),
        "![cost against memory](figures/cost-memory.png)",
        "## SageMaker, and where it becomes cheaper",
        _wrapped(TEXTS["sagemaker"]),
        _sagemaker(seconds, cores),
        "## Beside hosted services",
        _wrapped(TEXTS["hosted"]),
        _hosted(seconds),
    ]
    return "\n\n".join(sections) + "\n"


def _wrapped(*texts: str) -> str:
    return textwrap.fill(" ".join(" ".join(texts).split()), 110, break_on_hyphens=False)


def _default_memory() -> str:
    context: dict[str, str] = json.loads((ROOT / "cdk.json").read_text())["context"]
    return context["lambda_memory"]


def _at_one_cpu(seconds: Curve, name: str) -> Workload:
    return Workload(MEGABYTES_OF_ONE_CPU, round(seconds[name][MEGABYTES_OF_ONE_CPU], 4))


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


def _by_memory(seconds: Curve) -> str:
    rows = [
        [f"{memory} MB", *(_both_architectures(memory, seconds[name].get(memory)) for name in NAMES)]
        for memory in MEMORY_SIZES
    ]
    return table(["Lambda memory", *NAMES], rows)


def _both_architectures(memory: int, seconds: float | None) -> str:
    if seconds is None:
        return "needs 1.5 GB"
    workloads = (Workload(memory, seconds, architecture=name) for name in ("x86_64", "arm64"))
    costs = " / ".join(f"{lambda_total(REGION, workload):.2f}" for workload in workloads)
    return f"{costs}, {1000 * seconds:.0f} ms"


def _sagemaker(seconds: Curve, cores: dict[str, float]) -> str:
    rows = []
    for instance in PRICES["regions"][REGION]["sagemaker_hour"]:
        month = sagemaker_month(REGION, instance)
        row = [instance, f"{month:.0f}"]
        for name in ("exact", "int8"):
            capacity = sagemaker_capacity(REGION, instance, cores[name] / 1000)
            even = break_even(REGION, instance, _at_one_cpu(seconds, name))
            row += [f"{capacity / 1e6:.1f}", f"{1e6 * month / capacity:.2f}", f"{even / 1e6:.1f}"]
        rows.append(row)
    each = ("million a month at 60 %", "$ per million", "break-even, million a month")
    return table(
        ["instance", "$ a month", *(f"{name}: {what}" for name in ("exact", "int8") for what in each)], rows
    )


def _hosted(seconds: Curve) -> str:
    gateway = PRICES["regions"][REGION]["api_million_calls"]
    rows = [[one["service"], f"{one['price']:.2f}"] for one in PRICES["hosted_per_million_images"]]
    for name in ("exact", "int8"):
        cost = gateway + lambda_total(REGION, _at_one_cpu(seconds, name))
        rows.append([f"this solution on Lambda, {name}", f"{cost:.2f}"])
    return table(["service", "$ per million pictures"], rows)


def write() -> None:
    """Writes the page."""
    (ROOT / "docs" / "cost.md").write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    write()
