"""What each scheme of int8 makes of a model: how exact, how fast on one core, how large.

Needs torch and open_clip: runs in .venv-export.
"""

import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray

from image_similarity.inference.export import graph, parity
from image_similarity.inference.export.int8.schemes import SCHEMES, quantized
from image_similarity.inference.image import decode
from image_similarity.inference.manifest import MODEL_FILE, WEIGHTS_FILE, Preprocessing

FLOAT = "float"
ROUNDS = 25


@dataclass(frozen=True)
class Measured:
    """cosine: the lowest to the float model's vectors. milliseconds: processor time of a picture."""

    scheme: str
    cosine: float
    milliseconds: float
    megabytes: float


def measure(model: onnx.ModelProto, preprocessing: Preprocessing) -> list[Measured]:
    """Measure the float model and its int8 twins on the exporter's pictures, in turns.

    Args:
        model: of graph.simplified.
        preprocessing: its own.
    """
    files = [file.read_bytes() for file in parity.pictures()]
    pictures = np.stack([decode(file, preprocessing=preprocessing) for file in files])
    twins = {FLOAT: model, **{scheme: quantized(model, scheme, pictures) for scheme in SCHEMES}}
    sessions, sizes = {}, {}
    for name, twin in twins.items():
        if twin is not None:
            sessions[name], sizes[name] = _loaded(twin)
    vectors = {name: _vectors(session, pictures) for name, session in sessions.items()}
    best = dict.fromkeys(sessions, float("inf"))
    for _ in range(ROUNDS):
        for name, session in sessions.items():
            start = time.thread_time()
            session.run(None, {"image": pictures[:1]})
            best[name] = min(best[name], time.thread_time() - start)
    exact = vectors[FLOAT]
    return [
        Measured(name, float((exact * vectors[name]).sum(1).min()), best[name] * 1e3, sizes[name] / 1e6)
        for name in sessions
    ]


def _loaded(model: onnx.ModelProto) -> tuple[onnxruntime.InferenceSession, int]:
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    files = graph.finished(copy, "image_tower")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1  # then all its work is in this thread
    with TemporaryDirectory() as directory:
        for name, content in zip((MODEL_FILE, WEIGHTS_FILE), files, strict=True):
            (Path(directory) / name).write_bytes(content)
        session = onnxruntime.InferenceSession(
            str(Path(directory) / MODEL_FILE), options, providers=["CPUExecutionProvider"]
        )
    return session, sum(len(content) for content in files)


def _vectors(session: onnxruntime.InferenceSession, pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
    return np.concatenate([session.run(None, {"image": picture[None]})[0] for picture in pictures])
