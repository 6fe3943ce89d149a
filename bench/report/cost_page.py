"""Writes docs/cost.md from prices.json and the last full benchmark: python -m bench.report.cost_page."""

import json
import re
import textwrap

from bench.cost.curve import Curve, curve, measured
from bench.cost.model import (
    DOCUMENTED,
    PICTURE_KB,
    URL_KB,
    Line,
    Workload,
    break_even,
    estimate,
    images_total,
    lambda_compute,
    lambda_total,
    sagemaker_capacity,
    sagemaker_cores,
    sagemaker_data,
    sagemaker_month,
    total,
)
from bench.cost.prices import PRICES, Example
from bench.measure import typed_json
from bench.measure.memory_sizes import MEGABYTES_OF_ONE_CPU, MEMORY_SIZES
from bench.measure.paths import RESULTS, ROOT
from bench.measure.results import MAIN, NAMES, Run
from bench.report import catalogue_tables
from bench.report import cost_texts as texts
from bench.report.price_table import prices, sources
from bench.report.tables import table

REGION = texts.REGION
GATEWAY = PRICES.regions[REGION].api_million_calls.price
MODELS = ("exact", "int8")
IMAGES = (1, 4, 16, 64)
"""Alone, files of 954 KB that fit into a body, URLs that a request may have, images that it may have."""


def page() -> str:
    """The whole page."""
    run = typed_json.read(Run, json.loads((RESULTS / "full.json").read_text()))
    seconds, cores = curve(run), run.warm(MAIN, 1)
    how = texts.MEASURED if measured(run) else texts.INTERPOLATED
    sections = [
        "# What it costs",
        _wrapped(texts.INTRODUCTION),
        f"Durations: `make bench FULL=1` of {run.when}, {run.machine}.",
        "## The documentation's two examples",
        _wrapped(texts.EXAMPLES),
        *(_example(example) for example in PRICES.seed_examples),
        "## The same million requests here",
        _wrapped(texts.OURS),
        _lines(estimate(REGION, _at_one_cpu(seconds, "exact")), "$"),
        "## Many images in a request",
        _wrapped(texts.BATCHES),
        _by_images(seconds),
        "## Lambda by memory and architecture",
        _wrapped(texts.MEMORY % {"default": _default_memory()}, how, texts.ARM64),
        _by_memory(seconds),
        "![cost against memory](figures/cost-memory.png)",
        "## SageMaker, and where it becomes cheaper",
        _wrapped(texts.SAGEMAKER, _on_lambda(seconds)),
        _sagemaker(seconds, cores),
        _wrapped(texts.SAGEMAKER_DATA % _data_charge()),
        "## Beside hosted services",
        _wrapped(texts.HOSTED % {"gateway": GATEWAY}),
        _hosted(seconds),
        "## The catalogue",
        _wrapped(texts.CATALOGUE),
        catalogue_tables.costs(seconds),
        "## The prices",
        _wrapped(PRICES.note),
        prices(),
        sources(),
    ]
    return "\n\n".join(sections) + "\n"


def _wrapped(*sentences: str) -> str:
    return textwrap.fill(" ".join(" ".join(sentences).split()), 110, break_on_hyphens=False)


def _default_memory() -> str:
    """The stack's, as docs/deploy.md tells it."""
    row = re.search(r"`LambdaMemorySize` \| `(\d+)`", (ROOT / "docs" / "deploy.md").read_text("utf-8"))
    if row is None:
        raise LookupError("docs/deploy.md tells no default of LambdaMemorySize.")
    return row[1]


def _at_one_cpu(seconds: Curve, name: str) -> Workload:
    return Workload(MEGABYTES_OF_ONE_CPU, round(seconds[name][MEGABYTES_OF_ONE_CPU], 4))


def _lines(lines: list[Line], currency: str) -> str:
    rows = [[f"{line.service}: {line.dimension}", f"{currency}{line.cost:.2f}"] for line in lines]
    return table(["service", "cost"], [*rows, ["**total**", f"**{currency}{total(lines):.2f}**"]])


def _example(example: Example) -> str:
    currency = PRICES.regions[example.region].currency
    lines = estimate(example.region, DOCUMENTED)
    rows = [
        [f"{line.service}: {line.dimension}", f"{currency}{printed:g}", f"{currency}{line.cost:.2f}"]
        for line, printed in zip(lines, example.lines, strict=True)
    ]
    difference = total(lines) - example.total
    rows.append(
        ["total", f"{currency}{example.total:g}", f"{currency}{total(lines):.2f} (+{difference:.2f})"]
    )
    return f"**{example.title}**\n\n" + table(["service", "printed", "model"], rows)


def _by_images(seconds: Curve) -> str:
    rows = []
    for name in MODELS:
        costs = {images: images_total(REGION, _at_one_cpu(seconds, name), images) for images in IMAGES}
        alone = sum(costs[1].values())
        for images, parts in costs.items():
            each = sum(parts.values())
            cells = [
                *(f"{part:.2f}" for part in parts.values()),
                f"**{each:.2f}**",
                f"{1 - each / alone:.0%}",
            ]
            rows.append([f"{name}, {images} in a request", *cells])
    return table(["model", *images_total(REGION, _at_one_cpu(seconds, MODELS[0]), 1), "all", "saved"], rows)


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


def _on_lambda(seconds: Curve) -> str:
    costs = {name: lambda_total(REGION, _at_one_cpu(seconds, name)) for name in MODELS}
    return " and ".join(f"{cost:.2f} per million for `{name}`" for name, cost in costs.items()) + "."


def _data_charge() -> dict[str, float]:
    """Of pictures in the body; and the seconds on Lambda that cost as much."""
    body = sagemaker_data(REGION, PICTURE_KB)
    one_second = lambda_compute(REGION, Workload(MEGABYTES_OF_ONE_CPU, 1))
    return {"body": body, "slower": body / one_second}


def _sagemaker(seconds: Curve, cores: dict[str, float]) -> str:
    rows = []
    for instance in PRICES.regions[REGION].sagemaker_hour:
        month, count = sagemaker_month(REGION, instance), sagemaker_cores(REGION, instance)
        if count is None:
            rows.append([instance, f"{month:.0f}", "", *["not measured"] * 4])
            continue
        for name in MODELS:
            capacity = sagemaker_capacity(count, cores[name] / 1000)
            costs = [1e6 * month / capacity + sagemaker_data(REGION, kb) for kb in (URL_KB, PICTURE_KB)]
            even = break_even(REGION, instance, _at_one_cpu(seconds, name), URL_KB)
            rows.append(
                [
                    instance,
                    f"{month:.0f}",
                    name,
                    f"{capacity / 1e6:.1f}",
                    *(f"{cost:.2f}" for cost in costs),
                    f"{even / 1e6:.1f}" if even else "never",
                ]
            )
    head = ["instance", "$ a month", "model", "million a month at 60 %", "$ per million by URL"]
    return table([*head, "$ per million in the body", "break-even by URL, million a month"], rows)


def _hosted(seconds: Curve) -> str:
    rows = [[one.what, f"{one.price:.2f}"] for one in PRICES.hosted_per_million_images]
    for name in MODELS:
        cost = GATEWAY + lambda_total(REGION, _at_one_cpu(seconds, name))
        rows.append([f"this solution on Lambda, {name}", f"{cost:.2f}"])
    return table(["service", "$ per million pictures"], rows)


def write() -> None:
    """Writes the page."""
    (ROOT / "docs" / "cost.md").write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    write()
