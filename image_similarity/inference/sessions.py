"""Sessions of ONNX Runtime: one of a whole model, or two of its halves, loaded side by side."""

import logging
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from image_similarity.inference import runtime
from image_similarity.inference.manifest import HALVES, MODEL_FILE, Manifest, ManifestError

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

CUDA = "CUDAExecutionProvider"
# In order of preference: the first that this build of ONNX Runtime has; the CPU is always there.
# TF32 would round products to 10 bits on recent GPUs, but vectors must not depend on the hardware.
_PROVIDERS: dict[str, dict[str, str]] = {CUDA: {"use_tf32": "0"}, "CPUExecutionProvider": {}}
logger = logging.getLogger(__name__)


class Chain:
    """Sessions that each take what the one before gives. Thread-safe.

    Attributes:
        input_shape: of the first one's input; text stands for any size.

    Raises:
        ManifestError: a session's output is not the next one's input.
    """

    def __init__(self, sessions: "list[InferenceSession]") -> None:
        for one, after in pairwise(sessions):
            given, taken = one.get_outputs()[0].name, after.get_inputs()[0].name
            if given != taken:
                raise ManifestError(
                    f"{HALVES[0]} gives {given!r}, but {HALVES[1]} takes {taken!r}: export the model again"
                )
        self._steps = [(session, session.get_inputs()[0].name) for session in sessions]
        self.input_shape: list[int | str] = sessions[0].get_inputs()[0].shape

    def run(self, value: Any) -> Any:  # noqa: ANN401
        """The last one's output for the first one's input, both NumPy arrays."""
        for session, name in self._steps:
            (value,) = session.run(None, {name: value})
        return value


def open_chain(model_dir: Path, manifest: Manifest, threads: int) -> Chain:
    """The sessions of an artifact: with several threads, one for each half if it has halves, loaded at once.

    ONNX Runtime converts and packs weights in one thread, which takes half of a cold start: docs/adr/0012.

    Raises:
        ManifestError: a file is missing or is not a model.
    """
    if threads == 1 or not manifest.halves or has_cuda():
        return Chain([open_session(model_dir / MODEL_FILE, threads)])
    with ThreadPoolExecutor(max_workers=len(HALVES), thread_name_prefix="half") as pool:
        return Chain(list(pool.map(lambda name: open_session(model_dir / name, threads), HALVES)))


def open_session(model: Path, threads: int) -> "InferenceSession":
    """A session of a model's file, on a GPU if there is one; raises ManifestError if it is not a model."""
    onnxruntime = runtime.import_onnxruntime()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # After a run its threads would spin, waiting for the next one, on the cores that the other half needs.
    options.add_session_config_entry("session.force_spinning_stop", "1")
    available = onnxruntime.get_available_providers()
    providers = [entry for entry in _PROVIDERS.items() if entry[0] in available]
    if CUDA in available:
        onnxruntime.preload_dlls()  # CUDA and cuDNN are in wheels, where no loader looks
    try:
        session: InferenceSession = onnxruntime.InferenceSession(model, options, providers=providers)
    except Exception as error:  # ONNX Runtime has no common base class for its own errors
        raise ManifestError(f"{model.name} is not loadable by ONNX Runtime: {error}") from error
    if CUDA in available and CUDA not in session.get_providers():
        logger.warning("no CUDA device or driver was found: computing on the processor")
    return session


def has_cuda() -> bool:
    """Whether this build of ONNX Runtime is one for GPUs."""
    return CUDA in runtime.import_onnxruntime().get_available_providers()
