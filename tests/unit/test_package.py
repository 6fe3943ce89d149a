"""The package as somebody installs it: what is in it, and that it works without the checkout."""

import subprocess
import sys
import tomllib
import zipfile
from email import message_from_bytes
from importlib.metadata import entry_points
from pathlib import Path

import pytest
import yaml

import image_similarity

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=120)
    (file,) = folder.glob("*.whl")
    return zipfile.ZipFile(file)


def test_the_wheel_holds_the_package_and_its_model_alone(wheel: zipfile.ZipFile) -> None:
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "image_similarity"]
    tracked = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    files = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert files == {name for name in tracked if (ROOT / name).exists()}
    assert {"image_similarity/py.typed", "image_similarity/models/embedded/model.onnx.data"} <= files


def test_the_version_stands_in_one_place(wheel: zipfile.ZipFile) -> None:
    (metadata,) = (name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    assert message_from_bytes(wheel.read(metadata))["Version"] == image_similarity.__version__
    assert "version" not in tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    document = yaml.safe_load((ROOT / "api_explorer" / "openapi.yaml").read_text("utf-8"))
    assert document["info"]["version"] == image_similarity.__version__


def test_the_installed_package_works_without_the_checkout(wheel: zipfile.ZipFile, tmp_path: Path) -> None:
    wheel.extractall(tmp_path / "installed")
    photograph = ROOT / "image_similarity" / "inference" / "export" / "pictures" / "sunset.jpg"
    code = (
        "import sys; sys.path.insert(0, sys.argv.pop(1))\n"
        "import image_similarity\n"
        "from image_similarity.cli.app import main\n"
        "print(image_similarity.__file__, image_similarity.compare(sys.argv[2], sys.argv[2]))\n"
        "main()"
    )
    arguments = [str(tmp_path / "installed"), "compare", str(photograph), str(photograph)]
    command = [sys.executable, "-I", "-c", code, *arguments]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True, timeout=120)
    location, score, printed = done.stdout.split()
    assert location.startswith(str(tmp_path))
    assert (float(score), printed) == (1.0, "1.000000")


def test_the_command_is_an_entry_point() -> None:
    (command,) = entry_points(group="console_scripts", name="image-similarity")
    assert command.value == "image_similarity.cli.app:main"
