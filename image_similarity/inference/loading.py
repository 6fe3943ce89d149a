"""Loading the encoder, on two cores if there are two.

Little is imported here, so that a start can begin with this and go on with its other imports meanwhile.
"""

import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from image_similarity.inference import allocator, runtime
from image_similarity.inference.encoder import OnnxEncoder

DEFAULT_MODEL_DIR = Path(__file__).resolve().parent.parent / "models" / "embedded"


def model_dir(environ: Mapping[str, str]) -> Path:
    """The folder of the artifact that MODEL_DIR names; by default that of the bundled `embedded` model."""
    return Path(environ.get("MODEL_DIR", DEFAULT_MODEL_DIR))


def load(folder: Path, *, threads: int) -> OnnxEncoder:
    """The encoder of an artifact, with the process's memory tuned for serving, see `allocator`.

    Args:
        folder: the artifact's.
        threads: threads that one embedding may use; with more than one, loading uses a second core too.

    Raises:
        ManifestError: the artifact is missing, incomplete or not the one its manifest describes.
    """
    with allocator.reusing_freed_memory():
        return OnnxEncoder(folder, threads=threads)


class Loading:
    """An encoder that is loaded in another thread: ONNX Runtime lets this one run.

    Attributes:
        begun: when, on the clock of `time.perf_counter`.
    """

    def __init__(self, environ: Mapping[str, str], *, threads: int) -> None:
        """Begin; MODEL_DIR and `threads` as for `load`."""
        self.begun = time.perf_counter()
        runtime.import_onnxruntime()  # here: in the other thread it would take turns with imports
        allocator.keep_for_pictures()  # now: an existing thread would keep its own heap
        pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="load")
        self._encoder = pool.submit(load, model_dir(environ), threads=threads)
        pool.shutdown(wait=False)

    def encoder(self) -> OnnxEncoder:
        """Wait for it; errors are those of `load`."""
        return self._encoder.result()
