"""Memory while a model loads and afterwards; in processes of their own, since the allocator is one for all."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LARGE_PAGES = Path("/sys/kernel/mm/transparent_hugepage/enabled")

_LOADED = """
import io, resource
from pathlib import Path
from PIL import Image
from inference.encoder import OnnxEncoder
from inference.image import decode

encoder = OnnxEncoder(Path("models/embedded"), threads=1)
buffer = io.BytesIO()
Image.effect_noise((2048, 1536), 50).convert("RGB").save(buffer, "JPEG")
for _ in range(4):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    decode(buffer.getvalue(), field="img", preprocessing=encoder.manifest.preprocessing)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""

_LOADING = """
from pathlib import Path
from inference import allocator

with allocator.loading(64 * 1024**2):
    weight = bytes(16 * 1024**2)
    maps = Path("/proc/self/smaps").read_text().splitlines()
    print(any("VmFlags" in line and " hg" in line for line in maps))
"""


def output_of(code: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=120
    ).stdout.strip()


@pytest.mark.skipif(sys.platform != "linux", reason="needs glibc")
def test_a_picture_reuses_the_memory_of_the_one_before() -> None:
    page_faults = int(output_of(_LOADED))
    assert page_faults < 300  # a picture of 3 megapixels has 3072 pages


@pytest.mark.skipif(
    not LARGE_PAGES.exists() or "[never]" in LARGE_PAGES.read_text(), reason="the kernel has no large pages"
)
def test_weights_lie_in_large_pages() -> None:
    assert output_of(_LOADING) == "True"
