"""Asks for many pictures' vectors at once, and goes on when one of them fails."""

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from image_similarity.cli.targets import Answer, Outcome, Target
from image_similarity.cli.text import stderr, tell

AHEAD = 4
"""Requests of each job that may wait for those before them: answers must not pile up."""


class Survey:
    """One run over many pictures.

    Attributes:
        failures: how many pictures failed so far; each was told on stderr.
    """

    def __init__(self, target: Target, names: Sequence[str], *, jobs: int) -> None:
        self._target = target
        self._names = names
        self._jobs = jobs
        self.failures = 0

    def answers(self) -> Iterator[tuple[str, Answer]]:
        """Each picture's name with its answer, in the order of the names, as soon as it is there.

        Raises:
            Unreachable: the target does not answer; what was not asked yet is left.
        """
        from rich import progress  # only where there is something to do

        bar = progress.Progress(
            progress.BarColumn(),
            progress.MofNCompleteColumn(),
            progress.TextColumn("{task.fields[rate]}"),
            progress.TimeRemainingColumn(),
            console=stderr(),
            disable=not stderr().is_terminal,
            transient=True,
        )
        with bar:
            task = bar.add_task("", total=len(self._names), rate="")
            for name, outcome in self._outcomes():
                speed = bar.tasks[task].speed
                bar.update(task, advance=1, rate=f"{speed:.1f} pictures/s" if speed else "")
                if isinstance(outcome, Answer):
                    yield name, outcome
                else:
                    self.failures += 1
                    tell(f"{name}: {outcome}")

    def _outcomes(self) -> Iterator[tuple[str, Outcome]]:
        pool = ThreadPoolExecutor(self._jobs)
        waiting: deque[tuple[Sequence[str], Future[list[Outcome]]]] = deque()
        try:
            for start in range(0, len(self._names), self._target.group):
                names = self._names[start : start + self._target.group]
                waiting.append((names, pool.submit(self._target.embed_many, names)))
                if len(waiting) > AHEAD * self._jobs:
                    first, future = waiting.popleft()
                    yield from zip(first, future.result(), strict=True)
            while waiting:
                first, future = waiting.popleft()
                yield from zip(first, future.result(), strict=True)
        except BaseException:  # Ctrl-C too: nobody waits for calls that are under way
            pool.shutdown(wait=False, cancel_futures=True)
            raise
        pool.shutdown()
