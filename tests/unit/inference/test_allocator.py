"""Memory after a model is loaded; in a process of its own, since the allocator is one for all."""

import subprocess
import sys
from pathlib import Path

import pytest

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
