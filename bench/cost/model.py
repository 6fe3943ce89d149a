"""What a million requests cost, line by line as in the solution's cost estimation, from prices.json."""

from dataclasses import dataclass

from bench.cost.prices import PRICES
from bench.measure.memory_sizes import MEGABYTES_OF_ONE_CPU

REQUESTS = 1_000_000
HOURS_OF_A_MONTH = 730
# Ours: an answer with a vector, its log line, both images compressed in the registry. KB and GB are decimal,
# as in the documentation's examples.
ANSWER_KB, LOG_KB, REGISTRY_GB = 6.0, 1.0, 0.5
# What goes into an endpoint: a picture of 954 KB in base64, or the JSON with its URL.
PICTURE_KB, URL_KB = 954 * 4 / 3, 0.2


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
    gigabyte_seconds = REQUESTS * workload.memory_mb / 1024 * workload.seconds
    return gigabyte_seconds * PRICES.regions[region].lambda_gb_second[workload.architecture].price


def lambda_total(region: str, workload: Workload) -> float:
    """Invocations and running time: what the choice of memory and model changes."""
    return PRICES.regions[region].lambda_million_requests.price + lambda_compute(region, workload)


def images_total(region: str, workload: Workload, images: int) -> dict[str, float]:
    """A million images on Lambda, so many in each request, by what is paid for.

    Calls, invocations and log lines are shared by the images of a request; `workload` is that of one image,
    whose time and answer are not.
    """
    prices = PRICES.regions[region]
    gigabytes = REQUESTS / 1e6  # gigabytes of a million, for each kilobyte of one
    return {
        "API Gateway": prices.api_million_calls.price / images,
        "invocations": prices.lambda_million_requests.price / images,
        "running time": lambda_compute(region, workload),
        "answers": workload.answer_kb * gigabytes * prices.data_out_gb.price,
        "log lines": workload.log_kb / images * gigabytes * prices.logs_gb.price,
    }


def estimate(region: str, workload: Workload) -> list[Line]:
    """The six lines of the documentation's tables for a million requests on Lambda."""
    prices = PRICES.regions[region]
    seconds, answer, log = f"{workload.seconds:g} s", f"{workload.answer_kb:g} KB", f"{workload.log_kb:g} KB"
    gigabytes = REQUESTS / 1e6  # gigabytes of a million requests, for each kilobyte of one
    running, storage = f"{workload.memory_mb} MB memory, {seconds}", f"{workload.registry_gb:g} GB storage"
    lines = [
        ("AWS Lambda", "1 million invocations", prices.lambda_million_requests.price),
        ("AWS Lambda", f"{running} each time", lambda_compute(region, workload)),
        ("Amazon API Gateway", "1 million invocations", prices.api_million_calls.price),
        (
            "Amazon API Gateway",
            f"{answer} data output each time",
            workload.answer_kb * gigabytes * prices.data_out_gb.price,
        ),
        (
            "Amazon CloudWatch Logs",
            f"{log} each time",
            workload.log_kb * gigabytes * prices.logs_gb.price,
        ),
        (
            "Amazon Elastic Container Registry",
            f"{storage} for a month",
            workload.registry_gb * prices.ecr_gb_month.price,
        ),
    ]
    return [Line(*line) for line in lines]


def total(lines: list[Line]) -> float:
    """The sum of an estimate."""
    return sum(line.cost for line in lines)


def sagemaker_month(region: str, instance: str, count: int = 1) -> float:
    """An endpoint that is always on, for a month of 730 hours."""
    return PRICES.regions[region].sagemaker_hour[instance].price * HOURS_OF_A_MONTH * count


def sagemaker_cores(region: str, instance: str) -> int | None:
    """Physical cores of an instance; None if it computes on a GPU."""
    return PRICES.regions[region].sagemaker_hour[instance].cores


def sagemaker_capacity(cores: int, seconds: float, load: float = 0.6) -> float:
    """Requests a month that an instance answers at `load` of its cores; `seconds` of one core each."""
    return cores * load * 3600 * HOURS_OF_A_MONTH / seconds


def sagemaker_data(region: str, request_kb: float, answer_kb: float = ANSWER_KB) -> float:
    """What a million requests cost for bytes into and out of an endpoint.

    Raises:
        ValueError: prices.json has no such price for the region.
    """
    charge = PRICES.regions[region].sagemaker_data_gb
    if charge is None:
        raise ValueError(f"prices.json has no sagemaker_data_gb of {region}")
    return REQUESTS / 1e6 * (request_kb + answer_kb) * charge.price


def break_even(region: str, instance: str, workload: Workload, request_kb: float) -> float | None:
    """Requests a month above which one instance costs less than Lambda; None: it never does."""
    saved = lambda_total(region, workload) - sagemaker_data(region, request_kb, workload.answer_kb)
    return sagemaker_month(region, instance) / (saved / REQUESTS) if saved > 0 else None


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
