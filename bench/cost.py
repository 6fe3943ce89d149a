"""What a million requests cost, line by line as in the solution's cost estimation, from prices.json."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PRICES: dict[str, Any] = json.loads(Path(__file__).with_name("prices.json").read_text(encoding="utf-8"))
REQUESTS = 1_000_000
MEGABYTES_OF_ONE_CPU = 1769
HOURS_OF_A_MONTH = 730
# Ours: an answer with a vector, its log line, both images compressed in the registry. KB and GB are decimal,
# as in the documentation's examples.
ANSWER_KB, LOG_KB, REGISTRY_GB = 6.0, 1.0, 0.5


@dataclass(frozen=True)
class Line:
    """One line of an estimate, in the region's currency."""

    service: str
    dimension: str
    cost: float


@dataclass(frozen=True)
class Workload:
    """A million requests on Lambda: memory in MB, seconds each, KB of answer and of log each, GB stored."""

    memory_mb: int
    seconds: float
    answer_kb: float = ANSWER_KB
    log_kb: float = LOG_KB
    registry_gb: float = REGISTRY_GB
    architecture: str = "x86_64"


DOCUMENTED = Workload(10240, 1.0, answer_kb=100, log_kb=10)
"""The workload of the documentation's two examples (the second's heading says 4 seconds, its line 1)."""


def lambda_compute(region: str, workload: Workload) -> float:
    """Running time of a million requests: GB-seconds at the region's price."""
    price = float(PRICES["regions"][region]["lambda_gb_second"][workload.architecture])
    return REQUESTS * workload.memory_mb / 1024 * workload.seconds * price


def lambda_total(region: str, workload: Workload) -> float:
    """Invocations and running time: what the choice of memory and model changes."""
    return float(PRICES["regions"][region]["lambda_million_requests"]) + lambda_compute(region, workload)


def estimate(region: str, workload: Workload) -> list[Line]:
    """The six lines of the documentation's tables for a million requests on Lambda."""
    price = PRICES["regions"][region]
    gigabytes = REQUESTS / 1e6  # of one KB a request
    return [
        Line("AWS Lambda", "1 million invocations", price["lambda_million_requests"]),
        Line(
            "AWS Lambda",
            f"{workload.memory_mb} MB memory, {workload.seconds:g} s each time",
            lambda_compute(region, workload),
        ),
        Line("Amazon API Gateway", "1 million invocations", price["api_million_calls"]),
        Line(
            "Amazon API Gateway",
            f"{workload.answer_kb:g} KB data output each time",
            workload.answer_kb * gigabytes * price["data_out_gb"],
        ),
        Line(
            "Amazon CloudWatch Logs",
            f"{workload.log_kb:g} KB each time",
            workload.log_kb * gigabytes * price["logs_gb"],
        ),
        Line(
            "Amazon Elastic Container Registry",
            f"{workload.registry_gb:g} GB storage for a month",
            workload.registry_gb * price["ecr_gb_month"],
        ),
    ]


def total(lines: list[Line]) -> float:
    """The sum of an estimate."""
    return sum(line.cost for line in lines)


def sagemaker_month(region: str, instance: str, count: int = 1) -> float:
    """An endpoint that is always on, for a month of 730 hours."""
    return float(PRICES["regions"][region]["sagemaker_hour"][instance]) * HOURS_OF_A_MONTH * count


def sagemaker_capacity(region: str, instance: str, seconds: float, load: float = 0.6) -> float:
    """Requests a month that one instance answers at `load` of its cores; `seconds` of one core each."""
    cores = float(PRICES["regions"][region]["sagemaker_cores"][instance])
    return cores * load * 3600 * HOURS_OF_A_MONTH / seconds


def break_even(region: str, instance: str, workload: Workload) -> float:
    """Requests a month from which one instance costs less than Lambda."""
    return sagemaker_month(region, instance) / (lambda_total(region, workload) / REQUESTS)


def seconds_at(memory_mb: int, one_cpu: float, two_cpus: float) -> float:
    """Seconds of a request on Lambda, from those measured on one and on two CPUs.

    Lambda gives processor time in proportion to memory: under one CPU the request takes longer in that
    proportion, between one and two its speed is interpolated, and more than two are not used.
    """
    cpus = memory_mb / MEGABYTES_OF_ONE_CPU
    if cpus <= 1:
        return one_cpu / cpus
    speed = 1 / one_cpu + (min(cpus, 2) - 1) * (1 / two_cpus - 1 / one_cpu)
    return 1 / speed
