"""Loading in another thread: the same encoder, the same errors, one heap."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from image_similarity.inference.loading import DEFAULT_MODEL_DIR, Loading, load
from image_similarity.inference.manifest import ManifestError

ROOT = Path(__file__).parents[3]

_BEGUN = """
import ctypes
from image_similarity.inference.loading import Loading

Loading({}, threads=2).encoder().warm()
ctypes.CDLL(None).malloc_stats()
"""


@pytest.mark.slow
def test_it_gives_the_encoder_that_loading_gives() -> None:
    batch = np.random.default_rng(0).integers(0, 256, (1, 224, 224, 3), dtype=np.uint8)
    begun, loaded = Loading({}, threads=2).encoder(), load(DEFAULT_MODEL_DIR, threads=1)
    assert np.array_equal(begun.encode(batch), loaded.encode(batch))


def test_errors_come_to_whoever_waits(tmp_path: Path) -> None:
    loading = Loading({"MODEL_DIR": str(tmp_path)}, threads=1)
    with pytest.raises(ManifestError, match=r"manifest.json does not exist: export the model there first"):
        loading.encoder()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="needs glibc")
def test_the_weights_are_on_the_heap_that_pictures_use() -> None:
    command = [sys.executable, "-c", _BEGUN]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    assert done.stderr.count("Arena ") == 1
