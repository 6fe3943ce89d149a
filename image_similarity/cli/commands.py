"""The commands. Results go to stdout; progress and failures go to stderr.

What computes is imported when a command runs, so that --help and --version start at once.
"""

import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer

from image_similarity.cli.options import (
    Jobs,
    Local,
    Output,
    Region,
    Sign,
    Stack,
    Url,
    choose_target,
    output_problem,
)
from image_similarity.cli.running import chosen, collected, end, fail, sentences
from image_similarity.cli.text import tell, write
from image_similarity.cli.thresholds import Find, choose


def embed(
    sources: Annotated[list[str], typer.Argument(metavar="FILE|URL|DIR...", help="The pictures.")],
    file: Output = None,
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
    if file is not None and (problem := output_problem(file)):
        fail(problem)
    selection = chosen(sources)
    with sentences():
        from image_similarity.cli.output import line
        from image_similarity.cli.survey import Survey

        survey = Survey(choose_target(stack, url, local, sign, region), selection.names, jobs=jobs)
        if file is not None and file.suffix == ".npy":
            vectors = collected(survey, len(selection.names), lambda model: model)
            if vectors.names:
                vectors.save(file)
        else:
            with file.open("w", encoding="utf-8") if file else nullcontext(sys.stdout) as lines:
                for name, answer in survey.answers():
                    lines.write(line(name, answer) + "\n")
    end(survey, selection)


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
        write(f"{choose_target(stack, url, local, sign, region).compare(first, second):.6f}")


def pairs(
    folder: Annotated[Path, typer.Argument(metavar="DIR", exists=True, file_okay=False, help="The folder.")],
    threshold: Annotated[
        float | None, typer.Option(min=0, max=1, help="The least similarity of any two of a group.")
    ] = None,
    find: Annotated[
        Find | None,
        typer.Option(help="The same by name, from the model's calibration. Without both: copies."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object a group, with the similarity of each pair.")
    ] = False,
    stack: Stack = None,
    url: Url = None,
    local: Local = False,
    sign: Sign = False,
    region: Region = None,
    jobs: Jobs = 4,
) -> None:
    """Find the near-duplicates in a folder: groups of pictures of which any two are alike.

    Each group is printed with the lowest similarity of two of its pictures, the largest group first.
    """
    if threshold is not None and find is not None:
        fail("Give one of --threshold and --find.")
    selection = chosen([str(folder)], each_file_once=True)
    with sentences():
        from image_similarity import alike
        from image_similarity.cli.output import GroupWriter
        from image_similarity.cli.survey import Survey

        survey = Survey(choose_target(stack, url, local, sign, region), selection.names, jobs=jobs)
        count = len(selection.names)
        vectors = collected(survey, count, lambda model: choose(model, threshold, find))
        if vectors.names:
            least = choose(vectors.model, threshold, find)
            grouping = alike.alike_groups(vectors.array, least.value)
            writer = GroupWriter(vectors, least.value, as_json)
            for group in grouping.groups:
                writer.show(group)
            tell(
                f"{len(vectors.names)} pictures, {len(grouping.groups)} groups of near-duplicates, of which "
                f"any two have a similarity of {least.value:g} or more ({least.source})."
            )
            if grouping.left:
                tell(
                    f"{len(grouping.left)} more are alike to one of a group, but not to all of it. A lower "
                    "--threshold shows them."
                )
    end(survey, selection)
