"""What the commands share: the pictures chosen, their vectors, and an end that says why."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from enum import IntEnum
from typing import TYPE_CHECKING, NoReturn

import typer

from image_similarity.cli import pictures
from image_similarity.cli.pictures import Selection, UnreadablePicture
from image_similarity.cli.targets import Refused, Unreachable
from image_similarity.cli.text import tell
from image_similarity.thresholds import NotCalibrated

if TYPE_CHECKING:
    from image_similarity.cli.output import Vectors
    from image_similarity.cli.survey import Survey

NO_PICTURE = "No pictures found. Files ending in .jpg, .jpeg, .png, .bmp or .webp are read."


class ExitCode(IntEnum):
    """What a command's end tells a script."""

    PICTURE_FAILED = 1
    CANNOT_GO_ON = 2
    INTERRUPTED = 130


def chosen(arguments: Sequence[str], *, each_file_once: bool = False) -> Selection:
    """The pictures of the arguments; what was left out of folders is told.

    Args:
        arguments: files, folders and URLs.
        each_file_once: leave out further names of one file.
    """
    selection = pictures.select(arguments)
    if each_file_once:
        selection.leave_further_names_out()
    for line in (*selection.notes, *selection.failures):
        tell(line)
    if not selection.names:
        no_picture()
    return selection


def no_picture() -> NoReturn:
    """End, where there is nothing to do."""
    fail(NO_PICTURE)


def collected(survey: "Survey", most: int, check_model: Callable[[str], object]) -> "Vectors":
    """All vectors of a survey.

    Args:
        survey: gives them.
        most: how many there may be.
        check_model: is called once with the model's name, when it is known.

    Raises:
        Unreachable: see `Survey.answers`; or the model changed on the way.
    """
    from image_similarity.cli.output import Vectors

    vectors = Vectors(most)
    for name, answer in survey.answers():
        if not vectors.names:
            check_model(answer.model)
        vectors.add(name, answer)
    return vectors


@contextmanager
def sentences() -> Iterator[None]:
    """End the command with a sentence and its exit code where something fails."""
    try:
        yield
    except (Unreachable, NotCalibrated) as error:
        fail(str(error))
    except (Refused, UnreadablePicture) as error:
        tell(str(error))
        raise typer.Exit(ExitCode.PICTURE_FAILED) from error
    except BrokenPipeError:  # `| head`: Typer ends quietly
        raise
    except OSError as error:
        fail(f"{error.filename or 'the output'} can't be written: {error.strerror}.")


def fail(message: str) -> NoReturn:
    """Say why nothing more can be done, and end."""
    tell(f"error: {message}")
    raise typer.Exit(ExitCode.CANNOT_GO_ON)


def end(survey: "Survey", selection: Selection) -> None:
    """End with the exit code that tells of failures."""
    if survey.failures or selection.failures:
        raise typer.Exit(ExitCode.PICTURE_FAILED)
