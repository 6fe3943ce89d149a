"""One contender in a process of its own: loads a Lambda handler and times calls as it is told.

python bench/measure/worker.py lambda/handler.py EVENTS_DIRECTORY: prints {"ready": ms}, then for each line on
standard input, a case's number (DIRECTORY/0.json, ...), the milliseconds of one call as {"ms": ...}; at the
end of input {"peak_mb": megabytes of 2^20 bytes}.
"""

import time

_START = time.perf_counter()

import importlib.util  # noqa: E402
import json  # noqa: E402
import os  # noqa: E402
import sys  # noqa: E402


def main(handler_file: str, events: str) -> None:
    """Answers until standard input ends; handlers may print, so the protocol has its own descriptor."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    spec = importlib.util.spec_from_file_location("handler_under_test", handler_file)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(handler_file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    print(json.dumps({"ready": 1000 * (time.perf_counter() - _START)}), file=answers)
    for line in sys.stdin:
        with open(f"{events}/{int(line)}.json", encoding="utf-8") as file:  # noqa: PTH123 (one import less)
            event = json.load(file)
        start = time.perf_counter()
        response = module.handler(event, None)
        elapsed = 1000 * (time.perf_counter() - start)
        if response["statusCode"] != 200:
            raise RuntimeError(response["body"])
        print(json.dumps({"ms": elapsed}), file=answers)
    print(json.dumps({"peak_mb": peak_mb()}), file=answers)


def peak_mb() -> float:
    """The most memory that this process had at once, in megabytes of 2^20 bytes (Linux).

    Not getrusage's ru_maxrss: that starts from the peak of the process that started this one, and exec
    keeps it. VmHWM belongs to the memory that exec made anew.
    """
    with open("/proc/self/status", encoding="ascii") as file:  # noqa: PTH123 (one import less)
        (kilobytes,) = (line.split()[1] for line in file if line.startswith("VmHWM:"))
    return int(kilobytes) / 1024


if __name__ == "__main__":
    main(*sys.argv[1:])
