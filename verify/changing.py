"""Changes of parameters: what callers see meanwhile, how long each takes, and the way back."""

from collections.abc import Callable, Mapping

from verify.answers import Skipped
from verify.cloud import Cloud
from verify.facts import CloudFailed, Outcome, Request
from verify.subject import FEATURE, JSON, Passage, Tick

AUTHORIZATION, STAGE = "APIGatewayAuthorization", "APIGatewayStageName"


class Changing:
    """The parameters of one stack during a run.

    `own` are those that it had at first; `base` those that a group of rows starts from.
    """

    def __init__(self, cloud: Cloud, say: Callable[[str], None]) -> None:
        self._cloud, self._say = cloud, say
        self.own: Mapping[str, str] = dict(cloud.stack().parameters)
        self.base: Mapping[str, str] = self.own
        self.passages: list[Passage] = []
        self.times: list[tuple[str, float]] = []

    def to_base(self) -> None:
        """Put back what the steps of a row changed. Raises CloudFailed where it does not work."""
        self._restore(self.base)

    def to_own(self) -> None:
        """Put back everything. Raises CloudFailed where it does not work."""
        self.base = self.own
        self._restore(self.own)

    def rebase(self, changes: Mapping[str, str]) -> Outcome:
        """Give the following rows another base. Raises CloudFailed where the change is refused."""
        outcome = self.apply(changes)
        if outcome.worked:
            self.base = {**self.own, **changes}
        return outcome

    def apply(self, changes: Mapping[str, str]) -> Outcome:
        """Change parameters, calling the API meanwhile.

        Raises:
            CloudFailed: the change is refused.
            Skipped: it would change nothing.
        """
        before = self._cloud.stack().parameters
        if all(before[name] == value for name, value in changes.items()):
            raise Skipped(f"the stack has that already: {', '.join(changes)}")
        title = ", ".join(f"{name}={value or '(empty)'}" for name, value in changes.items())
        self._say(f"... {title}")
        signed = {before[AUTHORIZATION], changes.get(AUTHORIZATION, before[AUTHORIZATION])} == {"AWS_IAM"}
        passage = Passage(title, always_signed=signed)
        outcome = self._cloud.update(changes, lambda: self._tick(passage, before[STAGE]))
        if STAGE not in changes:  # the old name is to go, whoever calls it
            self.passages.append(passage)
        self.times.append((title, outcome.seconds))
        return outcome

    def _tick(self, passage: Passage, stage: str) -> None:
        passage.ticks.append(Tick(self._status(stage, signed=True), self._status(stage, signed=False)))

    def _status(self, stage: str, *, signed: bool) -> int:
        try:
            answer = self._cloud.call(Request("POST", f"/{stage}{FEATURE}", b"{}", JSON, signed))
        except CloudFailed:
            return 0
        return answer.status

    def _restore(self, wanted: Mapping[str, str]) -> None:
        now = self._cloud.stack().parameters
        changes = {name: value for name, value in wanted.items() if now[name] != value}
        if not changes:
            return
        outcome = self.apply(changes)
        if not outcome.worked:
            raise CloudFailed(f"The parameters were not put back, {outcome.status}: {outcome.reason}")
