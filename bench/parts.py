"""Where one request's time goes, and how far its largest part is from what the machine can do at all.

Runs in a process of its own (python -m bench.parts MODEL_DIR THREADS ROUNDS) on as many cores as threads.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

GFLOP = 8.24
"""Of ViT-B/32 at 224 pixels, last block for the class token alone; multiplying and adding count 2."""
_SIDE = 2048


def measure(model_dir: Path, threads: int, rounds: int) -> dict[str, float]:
    """Milliseconds of each step of the main case, and of the encoder's floor."""
    cores = ",".join(map(str, sorted(os.sched_getaffinity(0))[:threads]))
    command = ["taskset", "--cpu-list", cores, sys.executable, "-m", "bench.parts", str(model_dir)]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("OPENBLAS")}
    environment["OPENBLAS_NUM_THREADS"] = str(threads)
    output = subprocess.run(
        [*command, str(threads), str(rounds)], env=environment, capture_output=True, text=True, check=True
    ).stdout
    return {name: float(value) for name, value in json.loads(output).items()}


def _here(model_dir: Path, threads: int, rounds: int) -> dict[str, float]:
    import numpy as np
    import pybase64

    from bench.inputs import cases
    from inference import image, request
    from inference.encoder import OnnxEncoder
    from inference.service import rounded

    encoder = OnnxEncoder(model_dir, threads=threads)
    encoder.warm()
    case, pre = cases()[0], encoder.manifest.preprocessing
    body = case.body().encode()
    text = json.loads(body)["img"]
    pixels = image.decode(case.file, field="img", preprocessing=pre)
    vector = encoder.encode(pixels[None])[0]
    a = np.random.default_rng(0).normal(size=(_SIDE, _SIDE)).astype(np.float32)
    steps: dict[str, Callable[[], object]] = {
        "parse and check": lambda: request.parse("application/json", body),
        "base64": lambda: pybase64.b64decode(text, validate=True),
        "decode and resize": lambda: image.decode(case.file, field="img", preprocessing=pre),
        "encode": lambda: encoder.encode(pixels[None]),
        "serialise": lambda: json.dumps({"result": rounded(vector)}),
        "gemm": lambda: a @ a,
    }
    found = {name: _median(step, rounds) for name, step in steps.items()}
    rate = 2 * _SIDE**3 / 1e9 / found.pop("gemm")  # GFLOP per millisecond
    return {**found, "floor of encode": GFLOP / rate, "GFLOP/s": 1000 * rate}


def _median(step: Callable[[], object], rounds: int) -> float:
    step()
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        step()
        times.append(1000 * (time.perf_counter() - start))
    return median(times)


if __name__ == "__main__":
    print(json.dumps(_here(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))))
