"""What AWS Lambda's environment says about a function.

https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
"""

import math
from collections.abc import Mapping

CPU_MEGABYTES = 1769  # https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html


def encoder_threads(environ: Mapping[str, str]) -> int:
    """Threads for one embedding: the CPUs that the memory buys; 0.15 of a CPU is too little for a thread."""
    return max(1, math.ceil(int(environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "0")) / CPU_MEGABYTES - 0.15))


def waits_for_the_start(environ: Mapping[str, str]) -> bool:
    """Whether a caller is already waiting while the function starts."""
    return environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "on-demand"
