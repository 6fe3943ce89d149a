"""The command `pairs`: near-duplicates, in groups."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from image_similarity.cli.options import (
    IndexFile,
    Local,
    Region,
    Requests,
    Sign,
    Stack,
    Url,
    choose_target,
    named,
    on_this_machine,
    report_problem,
)
from image_similarity.cli.running import ExitCode, chosen, collected, fail, no_picture, sentences
from image_similarity.cli.text import counted, tell
from image_similarity.cli.thresholds import Find, Threshold, choose

if TYPE_CHECKING:
    from image_similarity.alike import Grouping
    from image_similarity.cli.output import Vectors


def pairs(
    sources: Annotated[
        list[str], typer.Argument(metavar="DIR|FILE...", help="The pictures; - reads their names from stdin.")
    ],
    threshold: Annotated[
        float | None, typer.Option(min=0, max=1, help="The lowest similarity of any two in a group.")
    ] = None,
    find: Annotated[
        Find | None,
        typer.Option(help="A --threshold by name, from the model's calibration. Default: copies."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object per group, with each pair's similarity.")
    ] = False,
    report: Annotated[
        Path | None,
        typer.Option(help="Write one .html file: each group's pictures, which one to keep, and why."),
    ] = None,
    index: IndexFile = None,
    stack: Stack = None,
    url: Url = None,
    local: Local = False,
    sign: Sign = False,
    region: Region = None,
    jobs: Requests = 4,
) -> None:
    """Find the near-duplicates in folders: groups of pictures of which any two are alike.

    Each group is printed with the lowest similarity of two of its pictures, the largest group first.
    Vectors are kept in an index: the next run computes, or sends, only new and changed pictures.
    """
    if threshold is not None and find is not None:
        fail("Give one of --threshold and --find.")
    if report is not None and (problem := report_problem(report)):
        fail(problem)
    with sentences():
        remote = stack is not None or url is not None or local
        if remote:
            selection = chosen(named(sources), each_file_once=True)
            from image_similarity.cli.remembering import remembering
            from image_similarity.cli.survey import Survey

            with remembering(choose_target(stack, url, local, sign, region), selection.names) as target:
                survey = Survey(target, selection.names, jobs=jobs)
                count = len(selection.names)
                vectors = collected(survey, count, lambda model: choose(model, threshold, find))
            failed = bool(survey.failures or selection.failures)
        else:
            vectors, failed = _kept(on_this_machine(sources), index)
        if vectors.names:
            _show(vectors, choose(vectors.model, threshold, find), as_json=as_json, report=report)
        else:
            tell(f"No picture could be read{'' if report is None else ': no report was written'}.")
    if failed:
        raise typer.Exit(ExitCode.PICTURE_FAILED)


def _kept(sources: Sequence[str], file: Path | None) -> tuple["Vectors", bool]:
    """The vectors of an index that was brought up to date, and whether a picture failed."""
    from image_similarity.cli.index_file import bring_up_to_date, opened
    from image_similarity.cli.output import Vectors
    from image_similarity.cli.progress import progress

    with opened(file, needed=False) as index:
        with progress("looking through folders"):
            inventory = index.look_through(sources)
        update = bring_up_to_date(index, inventory)
        if not inventory.names and not inventory.failures:
            no_picture()
        keys, rows = index.vectors(inventory.once())
        names = [inventory.names[key] for key in keys]
        return Vectors.of(names, rows, index.encoder.name), update.failures > 0


def _show(vectors: "Vectors", least: Threshold, *, as_json: bool, report: Path | None) -> None:
    from image_similarity import alike
    from image_similarity.cli.output import GroupWriter
    from image_similarity.cli.progress import progress

    with progress("comparing all with all"):
        grouping = alike.alike_groups(vectors.array, least.value)
    if report is not None:  # first: `| head` ends the command
        _write_report(report, vectors, least, grouping)
    writer = GroupWriter(vectors, least.value, as_json)
    for group in grouping.groups:
        writer.show(group)
    tell(
        f"{counted(len(vectors.names), 'picture')}, {counted(len(grouping.groups), 'group')} of "
        f"near-duplicates, any two with a similarity of {least.value:g} or more ({least.source})."
    )
    if grouping.left:
        many = len(grouping.left) > 1
        tell(
            f"{len(grouping.left):,} more {'are' if many else 'is'} like one of a group, but not like all "
            f"of it. A lower --threshold shows {'them' if many else 'it'}."
        )


def _write_report(file: Path, vectors: "Vectors", least: Threshold, grouping: "Grouping") -> None:
    from image_similarity import alike
    from image_similarity.cli.progress import progress
    from image_similarity.cli.report import Group, Report

    groups = [
        Group([vectors.names[row] for row in group], group, alike.weakest(vectors.array, group))
        for group in grouping.groups
    ]
    with progress("looking at groups", len(groups)) as advance:
        Report(vectors.model, least.value, least.source, vectors.array, groups).write(file, advance)
    tell(f"The report is in {file}.")
