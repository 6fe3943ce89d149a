"""One cold start, step by step: start_child.py EVENT.json BEGIN prints [[step, ms, ms of processor time]...].

BEGIN is the monotonic clock's time at which this process was asked for. The steps are those of
lambda/handler.py, of any revision, taken one by one.
"""

import time

FIRST = time.monotonic()

import json  # noqa: E402
import os  # noqa: E402
import sys  # noqa: E402
from importlib.util import find_spec  # noqa: E402
from typing import Any  # noqa: E402

THREADS = int(os.environ["THREADS"])

steps: list[tuple[str, float, float]] = [
    ("interpreter", 1000 * (FIRST - float(sys.argv[2])), 1000 * time.process_time())
]
last = [FIRST, time.process_time()]


def step(name: str) -> None:
    """What came since the last step was this one."""
    now = [time.monotonic(), time.process_time()]
    steps.append((name, 1000 * (now[0] - last[0]), 1000 * (now[1] - last[1])))
    last[:] = [time.monotonic(), time.process_time()]


import awslambdaric.bootstrap  # noqa: E402, F401

step("awslambdaric")
from image_similarity.inference.decoders import processes  # noqa: E402

decoder = processes.start()
step("NumPy, and the process that makes decoders")
settings: dict[str, Any] = {"threads": THREADS, "decoder": decoder, "warm": False}
if find_spec("image_similarity.inference.loading"):  # revisions before it loaded after all imports
    from image_similarity.inference.loading import Loading

    settings["begun"] = Loading(os.environ, threads=THREADS)
else:
    import onnxruntime  # noqa: F401
step("import of ONNX Runtime")
from image_similarity.inference.aws_lambda import answered  # noqa: E402
from image_similarity.inference.service import load_service  # noqa: E402
from image_similarity.inference.telemetry import ObservedService  # noqa: E402

step("the request path's other imports")
service = ObservedService(
    "lambda", os.environ, lambda: load_service(os.environ, **settings), write=lambda _: None
)
step("weights compared, converted and packed, or waited for")
with open(sys.argv[1], encoding="utf-8") as file:  # noqa: PTH123 (one import less)
    event = json.load(file)
response = answered(event, service)
if response["statusCode"] != 200:
    raise RuntimeError(response["body"])
step("the first answer")
print(json.dumps(steps))
