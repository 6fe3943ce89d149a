"""The commands `embed` and `compare`. Results go to stdout; progress and failures go to stderr.

What computes is imported when a command runs, so that --help and --version start at once.
"""

import json
import sys
from contextlib import nullcontext
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
    named,
    output_problem,
)
from image_similarity.cli.running import chosen, collected, end, fail, sentences
from image_similarity.cli.text import tell, write
from image_similarity.cli.thresholds import in_words
from image_similarity.version import __version__

DECIMALS = 6


def embed(
    sources: Annotated[
        list[str],
        typer.Argument(metavar="FILE|URL|DIR...", help="The pictures; - reads their names from stdin."),
    ],
    file: Output = None,
    jobs: Jobs = 4,
    stack: Stack = None,
    url: Url = None,
    local: Local = False,
    sign: Sign = False,
    region: Region = None,
) -> None:
    """Write each picture's vector, as JSON lines, or as an .npy array (one row each) and a .json of names.

    Vectors of different models can't be compared: the output names the model.
    """
    if file is not None and (problem := output_problem(file)):
        fail(problem)
    with sentences():
        selection = chosen(named(sources))
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
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
    stack: Stack = None,
    url: Url = None,
    local: Local = False,
    sign: Sign = False,
    region: Region = None,
) -> None:
    """Print the similarity of two pictures: 1 is the same picture, 0.5 means unrelated directions.

    Its meaning, from the model's calibration, goes to stderr.
    """
    with sentences():
        similarity, model = choose_target(stack, url, local, sign, region).compare(first, second)
        meaning = in_words(model, similarity)
        if as_json:
            facts = {
                "sources": [first, second],
                "similarity": round(similarity, DECIMALS),
                "meaning": meaning,
            }
            write(json.dumps({**facts, "model": model, "version": __version__}))
            return
        write(f"{similarity:.{DECIMALS}f}")
        if meaning is not None:
            tell(meaning)
