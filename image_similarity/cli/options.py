"""The options that several commands have, and the target that they name."""

import codecs
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from image_similarity.cli.pictures import is_url
from image_similarity.cli.targets import Target, Unreachable
from image_similarity.cli.text import tell

if TYPE_CHECKING:
    from image_similarity.cli.http_target import HttpTarget

STDIN = "-"
LOCAL_URL = "http://127.0.0.1:8080/prod/image-similarity"

API = "Through an API"
"""The heading in --help of the options that an API needs."""

Stack = Annotated[
    str | None,
    typer.Option(envvar="IMAGE_SIMILARITY_STACK", help="A deployed stack's name.", rich_help_panel=API),
]
Url = Annotated[
    str | None, typer.Option(envvar="IMAGE_SIMILARITY_URL", help="The API's URL.", rich_help_panel=API)
]
Local = Annotated[
    bool, typer.Option("--local", help=f"The server of `make run`: {LOCAL_URL}", rich_help_panel=API)
]
Sign = Annotated[
    bool,
    typer.Option(
        "--sign", help="Sign with the default AWS credentials (for --url, --local).", rich_help_panel=API
    ),
]
Region = Annotated[
    str | None, typer.Option(help="The AWS region, if stack or URL do not name it.", rich_help_panel=API)
]
Jobs = Annotated[int, typer.Option(min=1, max=64, help="How many pictures to process at once.")]
Requests = Annotated[
    int, typer.Option("--jobs", min=1, max=64, help="How many requests to send at once.", rich_help_panel=API)
]
Output = Annotated[
    Path | None, typer.Option("--output", "-o", help="A .jsonl or .npy file instead of stdout.")
]
IndexFile = Annotated[
    Path | None,
    typer.Option("--index", envvar="IMAGE_SIMILARITY_INDEX", help="The index file, instead of the default."),
]


def choose_target(stack: str | None, url: str | None, local: bool, sign: bool, region: str | None) -> Target:
    """The target that the options name.

    Raises:
        Unreachable: it can't be found or used.
    """
    if sum((stack is not None, url is not None, local)) > 1:
        raise Unreachable("Give one of --stack, --url and --local.")
    if stack is None and url is None and not local:
        from image_similarity.cli.in_process import InProcess  # only this target needs ONNX Runtime

        return InProcess()
    from image_similarity.cli.stack import Api, find_api, http_target  # only these need HTTP and boto3

    if stack is not None:
        return http_target(find_api(stack, region), region, tell)
    return http_target(Api(url or LOCAL_URL, signed=sign), region, tell)


def choose_catalogue(
    stack: str | None, url: str | None, local: bool, sign: bool, region: str | None
) -> "HttpTarget":
    """The search of the catalogue that stands beside the API that the options name.

    Raises:
        Unreachable: it can't be found or used.
    """
    if sum((stack is not None, url is not None, local)) > 1:
        raise Unreachable("Give one of --stack, --url and --local.")
    from image_similarity.cli.stack import Api, find_api, http_target

    api = find_api(stack, region) if stack is not None else Api(url or LOCAL_URL, signed=sign)
    beside = f"{api.url.rstrip('/').rpartition('/')[0]}/catalogue/search"
    return http_target(Api(beside, api.signed), region, tell)


def named(sources: Sequence[str]) -> list[str]:
    """The pictures of the arguments; `-` stands for the names on standard input, by lines or zero bytes.

    Raises:
        Unreachable: a name is empty.
    """
    if not all(sources):  # Python would take it for the working directory
        raise Unreachable("A name is empty. Give files, folders or URLs.")
    if STDIN not in sources:
        return list(sources)
    data = sys.stdin.buffer.read().removeprefix(codecs.BOM_UTF8)  # which editors and PowerShell put there
    listed = data.split(b"\0") if b"\0" in data else data.splitlines()
    names = [os.fsdecode(name) for name in listed if name]
    return [one for source in sources for one in (names if source == STDIN else [source])]


def on_this_machine(sources: Sequence[str]) -> list[str]:
    """As `named`, for an index.

    Raises:
        Unreachable: a name is empty, or a URL.
    """
    names = named(sources)
    for name in names:
        if is_url(name):
            raise Unreachable(f"{name}: URLs are not indexed. Give files and folders of this machine.")
    return names


def report_problem(file: Path) -> str | None:
    """Why a report can't be written, before anything is computed for it."""
    if file.suffix not in (".html", ".htm"):
        return f"--report {file} must end in .html."
    return _place_problem("--report", file)


def output_problem(file: Path) -> str | None:
    """Why a file can't be written, before anything is computed for it."""
    if file.suffix not in (".npy", ".jsonl"):
        return f"--output {file} must end in .npy or .jsonl."
    return _place_problem("--output", file)


def _place_problem(option: str, file: Path) -> str | None:
    if not file.parent.is_dir():
        return f"{option} {file}: there is no folder {file.parent}. Make it first."
    if file.exists() and not file.is_file():
        return f"{option} {file} is not a regular file."
    return None
