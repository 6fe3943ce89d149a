"""Memory after a model is loaded; in a process of its own, since the allocator is one for all."""

import subprocess
import sys
from pathlib import Path

import pytest

from image_similarity.inference import allocator
from image_similarity.inference.service import load_encoder

ROOT = Path(__file__).parents[3]

_LOADED = """
import io, resource
from PIL import Image
from image_similarity.inference.image import decode
from image_similarity.inference.manifest import Manifest
from image_similarity.inference.loading import DEFAULT_MODEL_DIR
from image_similarity.inference.service import load_service

load_service({}, threads=1)
preprocessing = Manifest.load(DEFAULT_MODEL_DIR).preprocessing
buffer = io.BytesIO()
Image.effect_noise((2048, 1536), 50).convert("RGB").save(buffer, "JPEG")
for _ in range(4):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    decode(buffer.getvalue(), preprocessing=preprocessing)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="needs glibc")
def test_a_picture_reuses_the_memory_of_the_one_before() -> None:
    command = [sys.executable, "-c", _LOADED]
    output = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=120).stdout
    page_faults = int(output)
    assert page_faults < 300  # a picture of 3 megapixels has 3072 pages


_TOUCHED = """
import ctypes, resource, sys
from image_similarity.inference import allocator

def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

libc = ctypes.CDLL(None)
with allocator.reusing_freed_memory():
    allocator.touch(libc, int(sys.argv[1]))
    before = faults()
    weights = [ctypes.c_void_p(libc.malloc(ctypes.c_size_t(9 << 20))) for _ in range(6)]
    for weight in weights:
        libc.memset(weight, 1, ctypes.c_size_t(9 << 20))
    print(faults() - before)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="needs glibc")
@pytest.mark.parametrize(("ahead", "fewest", "most"), [(0, 13_000, 15_000), (64 << 20, 0, 500)])
def test_memory_that_was_touched_ahead_costs_no_page_faults(ahead: int, fewest: int, most: int) -> None:
    command = [sys.executable, "-c", _TOUCHED, str(ahead)]
    output = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60).stdout
    assert fewest <= int(output) <= most  # 54 MB are 13,824 pages


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="needs glibc")
def test_only_a_start_on_several_cores_touches_memory_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    touched: list[int] = []
    monkeypatch.setattr(allocator, "touch", lambda _, size: touched.append(size))
    for threads in (1, 2):
        load_encoder({}, threads=threads, warm=False)
    assert touched[0] == 0
    assert touched[1] > 2**20
