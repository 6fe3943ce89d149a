"""What the images leave out of the packages: not the libraries of an accepted format."""

import base64
import os
import shutil
import subprocess
import sys
from pathlib import Path

import PIL
import pytest

from tests.unit.inference.image.test_formats import PICTURES

pytestmark = pytest.mark.slow
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
    for name in ("numpy/f2py", "onnxruntime/capi"):
        (folder / name).mkdir(parents=True)
    for name in ("PIL", "pillow.libs", "boto3", "botocore"):
        shutil.copytree(PACKAGES / name, folder / name)
    subprocess.run(["sh", PRUNE, folder], check=True, timeout=200)
    for name in ("numpy", "onnxruntime"):
        shutil.rmtree(folder / name, ignore_errors=True)  # the real ones are elsewhere
    return folder


@pytest.mark.parametrize("kind", PICTURES)
def test_every_accepted_format_is_decoded_by_the_pruned_packages(pruned: Path, kind: str) -> None:
    data = base64.b64encode(PICTURES[kind])
    process = subprocess.run(
        [sys.executable, "-c", DECODE, pruned], input=data, capture_output=True, check=False, timeout=200
    )
    assert process.returncode == 0, process.stderr.decode()


# Region and endpoint are never asked for: making clients calls nothing.
CLIENTS = """
import sys
sys.path.insert(0, sys.argv[1])
import botocore
assert botocore.__file__.startswith(sys.argv[1]), botocore.__file__
from image_similarity.catalogue.on_aws import ANSWERING, INDEXING, Settings, connect
from image_similarity.inference.sources import s3
for patience in (ANSWERING, INDEXING):
    parts = connect(Settings(("photos",), "vectors", "pictures-0", "table", "https://queue"), patience)
    assert parts.store.link("s3://photos/a.jpg", 900).startswith("https://photos.s3.")
s3._client()
"""


def test_every_service_that_the_functions_call_stays(pruned: Path) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(PRUNE.parents[1]),
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_ACCESS_KEY_ID": "test-key",
        "AWS_SECRET_ACCESS_KEY": "test-secret",
    }
    command = [sys.executable, "-c", CLIENTS, str(pruned)]
    process = subprocess.run(
        command, env=environment, capture_output=True, check=False, timeout=200, text=True
    )
    assert process.returncode == 0, process.stderr
    kept = {path.name for path in (pruned / "botocore" / "data").iterdir() if path.is_dir()}
    assert kept == {"s3", "sts", "s3vectors", "sqs", "dynamodb"}


def test_decoders_of_other_formats_go(pruned: Path) -> None:
    left = {path.name.partition("-")[0] for path in (pruned / "pillow.libs").iterdir()}
    assert "libwebp" in left
    assert left.isdisjoint({"libavif", "libfreetype", "libpng16"})
