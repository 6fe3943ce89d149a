"""What the images leave out of the packages: not the libraries of an accepted format."""

import base64
import shutil
import subprocess
import sys
from pathlib import Path

import PIL
import pytest

from tests.unit.inference.image.test_formats import PICTURES

PACKAGES = Path(PIL.__file__).parent.parent
PRUNE = Path(__file__).parents[3] / "supply_chain" / "prune.sh"
# A process that finds Pillow in the pruned folder, and all other packages where they are.
DECODE = """
import base64, sys
sys.path.insert(0, sys.argv[1])
import PIL
assert PIL.__file__.startswith(sys.argv[1]), PIL.__file__
from image_similarity.inference.image import decode
from image_similarity.inference.manifest import Preprocessing
print(decode(base64.b64decode(sys.stdin.read()), preprocessing=Preprocessing(size=64)).mean())
"""


@pytest.fixture(scope="module")
def pruned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("packages")
    for name in ("botocore/data/s3", "numpy/f2py", "onnxruntime/capi"):
        (folder / name).mkdir(parents=True)
    for name in ("PIL", "pillow.libs"):
        shutil.copytree(PACKAGES / name, folder / name)
    subprocess.run(["sh", PRUNE, folder], check=True, timeout=60)
    return folder


@pytest.mark.parametrize("kind", PICTURES)
def test_every_accepted_format_is_decoded_by_the_pruned_packages(pruned: Path, kind: str) -> None:
    data = base64.b64encode(PICTURES[kind])
    for name in ("numpy", "botocore", "onnxruntime"):
        shutil.rmtree(pruned / name, ignore_errors=True)  # the real ones are elsewhere
    process = subprocess.run(
        [sys.executable, "-c", DECODE, pruned], input=data, capture_output=True, check=False, timeout=60
    )
    assert process.returncode == 0, process.stderr.decode()


def test_decoders_of_other_formats_go(pruned: Path) -> None:
    left = {path.name.partition("-")[0] for path in (pruned / "pillow.libs").iterdir()}
    assert "libwebp" in left
    assert left.isdisjoint({"libavif", "libfreetype", "libpng16"})
