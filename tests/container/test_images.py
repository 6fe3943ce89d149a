"""What is in the images and what is not, and builds that must not succeed."""

import json

import pytest

from tests.container.bases import ROOT
from tests.container.conftest import Images
from tests.container.engine import EngineError

FOLDERS = {"lambda": "/var/task", "sagemaker": "/opt/app"}
MAX_OWN_MEGABYTES = 200
"""Libraries, model and code: what comes on top of the base."""


def inspect(images: Images, backend: str) -> dict[str, object]:
    (found,) = json.loads(images.engine.docker("image", "inspect", images.names[backend]))
    configuration: dict[str, object] = found["Config"]
    return configuration


def inside(images: Images, backend: str, script: str) -> list[str]:
    """Lines that a shell script prints inside the image."""
    run = [
        "run",
        "--rm",
        "--network=none",
        "--user=0",
        "--entrypoint=sh",
        images.names[backend],
        "-c",
        script,
    ]
    return images.engine.docker(*run).split("\n")[:-1]


def test_the_images_start_as_their_platforms_start_them(images: Images) -> None:
    assert inspect(images, "lambda")["Entrypoint"] == ["python3.12", "-m", "awslambdaric"]
    assert inspect(images, "lambda")["Cmd"] == ["handler.handler"]
    assert inspect(images, "lambda")["User"] == "1000:1000"
    assert inspect(images, "sagemaker")["Cmd"] == ["serve"]


@pytest.mark.parametrize("backend", FOLDERS)
def test_nothing_stands_in_the_last_stage_that_no_request_needs(images: Images, backend: str) -> None:
    script = (
        "find / -xdev \\( -name 'torch*' -o -name open_clip -o -name nvidia -o -path '*-packages/pip' "
        "-o -name ensurepip -o -path '*/inference/export' -o -path '*/numpy/*/tests' \\) -type d; "
        "for tool in gcc cc ld make pip pip3; do command -v $tool; done; true"
    )
    assert inside(images, backend, script) == []


@pytest.mark.parametrize("backend", FOLDERS)
def test_all_python_is_compiled_and_readable_by_anyone(images: Images, backend: str) -> None:
    folder = FOLDERS[backend]
    sources = inside(images, backend, f"find {folder} -name '*.py' | wc -l")
    compiled = inside(images, backend, f"find {folder} -name '*.pyc' | wc -l")
    assert int(sources[0]) > 500
    assert compiled == sources
    assert inside(images, backend, f"find {folder} /opt/model ! -perm -o=r") == []


@pytest.mark.parametrize("backend", FOLDERS)
def test_libraries_model_and_code_are_small(images: Images, backend: str) -> None:
    own = inside(images, backend, f"du -sm --total {FOLDERS[backend]} /opt/model | tail -1")
    assert int(own[0].split()[0]) <= MAX_OWN_MEGABYTES


@pytest.mark.parametrize("backend", FOLDERS)
@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"BASE": "registry.example/python:3.12"}, "BASE=registry.example/python:3.12 is not pinned"),
        ({"MODEL": "ViT-B-32", "PRETRAINED": "laion2b_s34b_b79k"}, "is not pinned yet: run `make pin`"),
        ({"MODEL": "ViT-B-32", "PRETRAINED": "no_such_tag"}, "is not in supply_chain/pins.json"),
        ({"PRECISION": "int8"}, "The embedded model comes as fp16 alone"),
    ],
    ids=["base", "weights", "unknown", "precision"],
)
def test_what_is_not_pinned_is_not_built(
    images: Images, backend: str, arguments: dict[str, str], sentence: str
) -> None:
    images.engine.docker("tag", "localhost/standin-python", "registry.example/python:3.12")
    options = [part for name, value in arguments.items() for part in ("--build-arg", f"{name}={value}")]
    dockerfile = f"{ROOT}/{backend}/Dockerfile"
    with pytest.raises(EngineError, match=sentence):
        images.engine.build(ROOT, "localhost/refused", "-f", dockerfile, *images.arguments[backend], *options)
