"""Where one request's time goes: each step beside the whole request, in turns, and the encoder by operator.

python -m bench.measure.parts MODEL_DIR THREADS ROUNDS: a process of its own, on as many cores as threads.
"""

import contextlib
import importlib.util
import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Any

from bench.measure import limits, typed_json
from bench.measure.contenders import whole_cores
from bench.measure.paths import ROOT
from bench.measure.results import Parts
from image_similarity.inference.encoder import OnnxEncoder

REQUEST, LIBJPEG = "whole request", "libjpeg alone"
Step = Callable[[], object]


def measure(model_dir: Path, threads: int, rounds: int) -> Parts:
    """Milliseconds of the main case's steps, the encoder's operators, and what the machine can do at all."""
    cores = ",".join(map(str, sorted(os.sched_getaffinity(0))[:threads]))
    command = ["taskset", "--cpu-list", cores, sys.executable, "-m", "bench.measure.parts", str(model_dir)]
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("OPENBLAS", "MODEL_DIR"))}
    environment |= {
        "OPENBLAS_NUM_THREADS": str(threads),
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(whole_cores(threads).memory_mb),
    }
    output = subprocess.run(
        [*command, str(threads), str(rounds)],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return typed_json.read(Parts, json.loads(output))


def _here(model_dir: Path, threads: int, rounds: int) -> Parts:
    times = _in_turns(_steps(model_dir, threads), rounds)
    return Parts(
        steps={name: value for name, value in times.items() if name not in (REQUEST, LIBJPEG)},
        request=times[REQUEST],
        libjpeg=times[LIBJPEG],
        operators=_operators(model_dir, threads, rounds),
        limits=limits.measure(rounds),
    )


def _steps(model_dir: Path, threads: int) -> dict[str, Step]:
    import pybase64
    from PIL import Image

    from bench.measure.inputs import cases
    from image_similarity.inference import image, request
    from image_similarity.inference.rounding import rounded

    encoder, case = OnnxEncoder(model_dir, threads=threads), cases()[0]
    pre, event, body = encoder.manifest.preprocessing, case.event(), case.body().encode()
    text, handler = json.loads(body)["img"], _handler(encoder)
    pixels = image.decode(case.file, preprocessing=pre)
    vector = encoder.encode(pixels[None])[0]

    def libjpeg() -> None:
        with Image.open(io.BytesIO(case.file)) as picture:
            picture.draft(None, (pre.draft_factor * pre.size,) * 2)
            picture.load()

    return {
        REQUEST: lambda: handler.handler(event, None),
        "parse and check": lambda: request.parse("application/json", body),
        "base64": lambda: pybase64.b64decode(text, validate=True),
        "decode and resize": lambda: image.decode(case.file, preprocessing=pre),
        "encode": lambda: encoder.encode(pixels[None]),
        "serialise": lambda: json.dumps({"result": rounded(vector)}),
        LIBJPEG: libjpeg,
    }


def _handler(encoder: OnnxEncoder) -> ModuleType:
    """The Lambda handler, as a worker loads it (its folder's name is no package's), with this encoder.

    A second session would not leave the first one's weights in the cache, as a real request finds them.
    """
    from image_similarity.inference.service import Service
    from image_similarity.inference.sources import SourcePolicy
    from image_similarity.inference.telemetry import ObservedService

    spec = importlib.util.spec_from_file_location("handler_under_test", ROOT / "lambda" / "handler.py")
    if spec is None or spec.loader is None:
        raise FileNotFoundError("lambda/handler.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)  # with the small model of the repository: MODEL_DIR is not set
    service = Service(encoder, SourcePolicy.from_environment(os.environ))
    module.service = ObservedService("lambda", os.environ, lambda: service)  # type: ignore[attr-defined]
    return module


def _in_turns(steps: dict[str, Step], rounds: int) -> dict[str, float]:
    """Median milliseconds of each; the first round is not counted."""
    times: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(rounds + 1):
        for name, step in steps.items():
            start = time.perf_counter()
            step()
            times[name].append(1000 * (time.perf_counter() - start))
    return {name: median(taken[1:]) for name, taken in times.items()}


def _operators(model_dir: Path, threads: int, rounds: int) -> dict[str, float]:
    """Milliseconds of one embedding in each kind of operator, by ONNX Runtime's own profiler."""
    import numpy as np
    import onnxruntime

    from image_similarity.inference.manifest import MODEL_FILE, Manifest

    size = Manifest.load(model_dir).preprocessing.size
    batch = np.random.default_rng(0).integers(0, 256, (1, size, size, 3), dtype=np.uint8)
    with TemporaryDirectory() as folder:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        options.enable_profiling, options.profile_file_prefix = True, str(Path(folder, "profile"))
        session = onnxruntime.InferenceSession(model_dir / MODEL_FILE, options)
        for _ in range(rounds):
            session.run(None, {"image": batch})
        events = json.loads(Path(session.end_profiling()).read_text())
    return by_operator(events, rounds)


def by_operator(events: list[dict[str, Any]], runs: int) -> dict[str, float]:
    """Milliseconds a run in each kind of operator, the longest first."""
    totals: dict[str, float] = {}
    for event in events:
        if event.get("cat") == "Node" and event["name"].endswith("_kernel_time"):
            name = event["args"]["op_name"]
            totals[name] = totals.get(name, 0.0) + event["dur"] / 1000 / runs
    return dict(sorted(totals.items(), key=lambda item: -item[1]))


if __name__ == "__main__":
    with contextlib.redirect_stdout(io.StringIO()):  # the handler writes its log line there
        measured = _here(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
    print(json.dumps(asdict(measured)))
