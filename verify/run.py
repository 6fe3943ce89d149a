"""A run over the rows: on each backend in turn, parameters changed for those that need it, and put back."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from verify.answers import Differs, Skipped
from verify.changing import Changing
from verify.cloud import Cloud
from verify.facts import CloudFailed, Outcome
from verify.rows import SWITCH, Backend, Changes, Result, Row, Verdict
from verify.subject import Pictures, Subject

KEPT = ("AWS::S3Vectors::Index", "AWS::DynamoDB::Table", "AWS::SQS::Queue", "AWS::Events::Rule")
"""What a catalogue that is paused keeps as it is."""


@dataclass(frozen=True)
class Choice:
    """What is to be run, and with what.

    Args:
        rows: in their order.
        last: those of them that look at the whole run.
        pictures: what calls are made with.
        supplied: names that rows need, with values.
        quick: leave the backend as it is.
        delete: run the rows that delete the stack.
    """

    rows: Sequence[Row]
    last: Sequence[Row]
    pictures: Pictures
    supplied: Mapping[str, str] = field(default_factory=dict)
    quick: bool = False
    delete: bool = False


def plan(cloud: Cloud, choice: Choice) -> list[tuple[Backend, list[Row]]]:
    """The rows of each backend, the one found first, without those of the end.

    On each, nothing is changed before what needs no change has been seen.
    """
    here = found(cloud)
    others: list[Backend] = [] if choice.quick else [name for name in SWITCH if name != here]
    groups: list[tuple[Backend, list[Row]]] = []
    for backend in (here, *others):
        rows = [
            row
            for row in choice.rows
            if row not in choice.last
            and not row.deletes
            and (backend in row.backends or (not row.backends and backend == here))
        ]
        if rows:
            groups.append((backend, sorted(rows, key=lambda row: bool(row.steps))))
    return groups


def found(cloud: Cloud) -> Backend:
    """The backend that the stack is on."""
    value = cloud.stack().parameters["ImageSimilarity"]
    return next(name for name, switched in SWITCH.items() if switched == value)


class Run:
    """One run; `results` grows while it goes on."""

    def __init__(self, cloud: Cloud, choice: Choice, say: Callable[[str], None]) -> None:
        self._cloud, self._choice, self._say = cloud, choice, say
        self._changing = Changing(cloud, say)
        self._kept: dict[str, Any] = {}
        self.results: list[Result] = []

    @property
    def times(self) -> Sequence[tuple[str, float]]:
        """Seconds of each update, by what it changed."""
        return self._changing.times

    def start(self) -> None:
        """Run every row; whatever happens, put the parameters back.

        Raises CloudFailed where they can't be put back, or where the stack can't be read.
        """
        here = found(self._cloud)
        try:
            for backend, rows in plan(self._cloud, self._choice):
                self._group(backend, rows)
        finally:
            self._changing.to_own()
        for row in self._choice.rows:
            if row in self._choice.last:
                self._look(row, here, self._subject())
        for row in self._choice.rows:
            if row.deletes and self._choice.delete:
                self._look(row, here, self._subject())
            elif row.deletes:
                self._add(row, here, "skipped", "only with DELETE=1")

    def _subject(self, outcome: Outcome | None = None) -> Subject:
        choice = self._choice
        return Subject(
            self._cloud, choice.pictures, choice.supplied, outcome, self._changing.passages, self._kept
        )

    def _group(self, backend: Backend, rows: Sequence[Row]) -> None:
        """The rows of one backend."""
        refused = self._switch(backend)
        if refused:
            for row in rows:
                self._add(row, backend, *refused)
            return
        applied: tuple[Changes, ...] = ()
        outcome = None
        for row in rows:
            missing = [name for name in row.needs if name not in self._choice.supplied]
            if missing:
                self._add(
                    row, backend, "skipped", f"needs WITH={' '.join(f'{name}=...' for name in missing)!r}"
                )
                continue
            try:
                if row.steps != applied:
                    applied = ()
                    self._changing.to_base()
                    outcome, applied = self._step(row), row.steps
            except (CloudFailed, Differs) as error:
                self._add(row, backend, "fail", f"the change was refused: {error}")
            except Skipped as reason:
                self._add(row, backend, "skipped", str(reason))
            else:
                self._judge(row, backend, outcome if row.steps else None)

    def _switch(self, backend: Backend) -> tuple[Verdict, str] | None:
        """Go to a backend; the verdict and the reason for its rows where that can't be."""
        self._changing.to_base()
        value = SWITCH[backend]
        if self._cloud.stack().parameters["ImageSimilarity"] == value:
            return None
        if value not in self._cloud.allowed("ImageSimilarity"):
            return "skipped", f"the stack's images leave out {value}"
        try:
            outcome = self._changing.rebase({"ImageSimilarity": value})
        except CloudFailed as error:
            return "fail", f"the change was refused: {error}"
        return None if outcome.worked else ("fail", f"the change failed, {outcome.status}: {outcome.reason}")

    def _step(self, row: Row) -> Outcome | None:
        """Take a row's steps; how the last one taken ended."""
        outcome = None
        self._remember()
        for step in row.steps:
            outcome = self._changing.apply(step(self._subject()))
            if not outcome.worked:
                break
        return outcome

    def _remember(self) -> None:
        """What checks compare with after a change."""
        subject = self._subject()
        endpoints = subject.stack.of_type("AWS::SageMaker::Endpoint")
        self._kept |= {
            "time": self._cloud.now(),
            "stage": subject.stage,
            "burst": subject.services.stage(subject.api, subject.stage).burst,
            "acl": subject.parameters["WebAclArn"],
            "endpoint": endpoints[0].name if endpoints else "",
            "catalogue": {
                name: item.physical for name, item in subject.stack.resources.items() if item.type in KEPT
            },
        }

    def _judge(self, row: Row, backend: Backend, outcome: Outcome | None) -> None:
        if outcome and not outcome.worked and not row.fails:
            self._add(row, backend, "fail", f"the change failed, {outcome.status}: {outcome.reason}")
        else:
            self._look(row, backend, self._subject(outcome))

    def _look(self, row: Row, backend: Backend, subject: Subject) -> None:
        try:
            self._add(row, backend, "pass", row.check(subject))
        except Skipped as reason:
            self._add(row, backend, "skipped", str(reason))
        except (Differs, CloudFailed) as seen:
            self._add(row, backend, "fail", str(seen))
        except (KeyError, TypeError, ValueError) as error:
            # What a service or the API said is of another shape than the check reads.
            self._add(row, backend, "fail", f"not to be read: {type(error).__name__}: {error}")

    def _add(self, row: Row, backend: Backend, verdict: Verdict, seen: str) -> None:
        self.results.append(Result(row, backend, verdict, seen))
        self._say(f"{verdict:<8}{row.name} ({backend}): {seen}")
