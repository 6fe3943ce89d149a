"""Asks for many pictures' vectors at once, and goes on when one of them fails."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from rich.console import Console
from rich.progress import Progress

from image_similarity.cli import pictures
from image_similarity.cli.pictures import UnreadablePicture
from image_similarity.cli.targets import Answer, Refused, Target


class Survey:
    """One run over many pictures.

    Attributes:
        failures: how many pictures failed so far; each was reported on the console.
    """

    def __init__(self, target: Target, names: list[str], *, jobs: int, console: Console) -> None:
        self._target = target
        self._names = names
        self._jobs = jobs
        self._console = console
        self.failures = 0

    def answers(self) -> Iterator[tuple[str, Answer]]:
        """Each picture's name with its answer, in the order of the names, as soon as it is there.

        Raises:
            Unreachable: the target does not answer; what was not asked yet is left.
        """
        quiet = not self._console.is_terminal
        with (
            ThreadPoolExecutor(self._jobs) as pool,
            Progress(console=self._console, disable=quiet, transient=True) as progress,
        ):
            outcomes = pool.map(self._ask, self._names)
            try:
                for name, outcome in zip(
                    self._names, progress.track(outcomes, len(self._names)), strict=True
                ):
                    if isinstance(outcome, Answer):
                        yield name, outcome
                    else:
                        self.failures += 1
                        self._console.print(f"{name}: {outcome}", markup=False)
            finally:
                pool.shutdown(cancel_futures=True)

    def _ask(self, name: str) -> Answer | Refused | UnreadablePicture:
        try:
            return self._target.ask(pictures.field(name))
        except (Refused, UnreadablePicture) as error:
            return error
