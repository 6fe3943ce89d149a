"""The commands. Results go to stdout; progress and failures go to stderr."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from enum import IntEnum
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console

from image_similarity.cli import groups, output, pictures
from image_similarity.cli.pictures import UnreadablePicture
from image_similarity.cli.stack import Api, find_api, http_target
from image_similarity.cli.survey import Survey
from image_similarity.cli.targets import InProcess, Refused, Target, Unreachable
from image_similarity.folder import image_files
from image_similarity.inference import runtime

LOCAL_URL = "http://127.0.0.1:8080/prod/image-similarity"
NO_PICTURE = (
    "There is no picture in what you gave: files ending in .jpg, .jpeg, .png, .bmp or .webp are taken."
)
app = typer.Typer(
    help=(
        "Vectors, similarities and near-duplicates of pictures (JPEG, PNG, BMP; files, folders or URLs). "
        "Without --stack, --url or --local everything is computed in this process. "
        "Exit codes: 0 all done, 1 a picture failed, 2 wrong use or nothing answers."
    ),
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
stderr = Console(stderr=True, highlight=False, soft_wrap=True)


class ExitCode(IntEnum):
    """What a command's end tells a script."""

    PICTURE_FAILED = 1
    CANNOT_GO_ON = 2


Stack = Annotated[str | None, typer.Option(envvar="IMAGE_SIMILARITY_STACK", help="A deployed stack's name.")]
Url = Annotated[str | None, typer.Option(envvar="IMAGE_SIMILARITY_URL", help="The API's own URL.")]
Local = Annotated[bool, typer.Option("--local", help=f"The server of `make run`: {LOCAL_URL}")]
Sign = Annotated[
    bool, typer.Option("--sign", help="Sign with the default AWS credentials (for --url, --local).")
]
Region = Annotated[str | None, typer.Option(help="The AWS region, where stack or URL do not tell it.")]
Jobs = Annotated[int, typer.Option(min=1, max=64, help="Requests at the same time.")]


def main() -> None:
    """The entry point of the command `image-similarity`."""
    runtime.prepare()
    app(prog_name="image-similarity")


@app.command()
def embed(
    sources: Annotated[list[str], typer.Argument(metavar="FILE|URL|DIR...", help="The pictures.")],
    file: Annotated[
        Path | None, typer.Option("--output", "-o", help="A .jsonl or .npy file, instead of stdout.")
    ] = None,
    stack: Stack = None,
    url: Url = None,
    local: Local = False,
    sign: Sign = False,
    region: Region = None,
    jobs: Jobs = 4,
) -> None:
    """Write each picture's vector, as JSON lines, or as an .npy array (a row each) and a .json of its names.

    Vectors of different models can't be compared: the output names the model.
    """
    if file is not None and file.suffix not in (".npy", ".jsonl"):
        fail(f"--output {file} must end in .npy or .jsonl.")
    names = list(pictures.expand(sources)) or fail(NO_PICTURE)
    with sentences():
        survey = Survey(choose_target(stack, url, local, sign, region), names, jobs=jobs, console=stderr)
        if file is not None and file.suffix == ".npy":
            answers = dict(survey.answers())
            if answers:
                output.save_array(file, answers)
        else:
            with file.open("w", encoding="utf-8") if file else nullcontext(sys.stdout) as lines:
                for name, answer in survey.answers():
                    lines.write(output.line(name, answer) + "\n")
    end(survey)


@app.command()
def compare(
    first: Annotated[str, typer.Argument(metavar="A", help="A file or URL.")],
    second: Annotated[str, typer.Argument(metavar="B", help="A file or URL.")],
    stack: Stack = None,
    url: Url = None,
    local: Local = False,
    sign: Sign = False,
    region: Region = None,
) -> None:
    """Print the similarity of two pictures: 1 is the same picture, 0.5 means unrelated directions."""
    with sentences():
        payload = field_of(first, "_1") | field_of(second, "_2")
        answer = choose_target(stack, url, local, sign, region).ask(payload)
        typer.echo(f"{answer.content['similarity']:.6f}")


@app.command()
def pairs(
    folder: Annotated[Path, typer.Argument(metavar="DIR", exists=True, file_okay=False, help="The folder.")],
    threshold: Annotated[float, typer.Option(min=0, max=1, help="How alike near-duplicates are.")] = 0.95,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a group.")] = False,
    stack: Stack = None,
    url: Url = None,
    local: Local = False,
    sign: Sign = False,
    region: Region = None,
    jobs: Jobs = 4,
) -> None:
    """Find the near-duplicates in a folder: groups of pictures that are alike.

    Each group is printed with the lowest similarity of two of its pictures, the largest group first.
    """
    names = [str(path) for path in image_files(folder)] or fail(NO_PICTURE)
    with sentences():
        survey = Survey(choose_target(stack, url, local, sign, region), names, jobs=jobs, console=stderr)
        answers = dict(survey.answers())
    found: list[list[int]] = []
    if answers:
        similarities = groups.scores(output.matrix(list(answers.values())))
        found = groups.near_duplicates(similarities, threshold)
        kept = list(answers)
        for group in found:
            weakest = groups.weakest_link(similarities, group)
            output.show_group(weakest, [kept[index] for index in group], as_json=as_json)
    stderr.print(f"{len(answers)} pictures, {len(found)} groups of near-duplicates.")
    end(survey)


def choose_target(stack: str | None, url: str | None, local: bool, sign: bool, region: str | None) -> Target:
    """The target that the options name.

    Raises:
        Unreachable: it can't be found or used.
    """
    if sum((stack is not None, url is not None, local)) > 1:
        raise Unreachable("Give one of --stack, --url and --local.")
    if stack is not None:
        return http_target(find_api(stack, region), region)
    if url is not None or local:
        return http_target(Api(url or LOCAL_URL, signed=sign), region)
    return InProcess()


def field_of(picture: str, slot: str) -> dict[str, str]:
    """One picture of a pair as a field; a failure names the picture."""
    try:
        return pictures.field(picture, slot)
    except UnreadablePicture as error:
        raise UnreadablePicture(f"{picture}: {error}") from error


@contextmanager
def sentences() -> Iterator[None]:
    """End the command with a sentence and its exit code where something fails."""
    try:
        yield
    except Unreachable as error:
        fail(str(error))
    except (Refused, UnreadablePicture) as error:
        stderr.print(str(error), markup=False)
        raise typer.Exit(ExitCode.PICTURE_FAILED) from error


def fail(message: str) -> NoReturn:
    """Say why nothing more can be done, and end."""
    stderr.print(f"error: {message}", markup=False)
    raise typer.Exit(ExitCode.CANNOT_GO_ON)


def end(survey: Survey) -> None:
    """End with the exit code that tells of failures."""
    if survey.failures:
        raise typer.Exit(ExitCode.PICTURE_FAILED)
