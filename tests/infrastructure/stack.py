"""A stack under test: every operation of its engine is followed by what must hold at every moment."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from local.synthesis import Assembly, synthesize
from local.template.intrinsics import as_text
from tests.cloudformation.engine import Outcome, Step
from tests.cloudformation.providers.rules import refused
from tests.infrastructure.account import Account
from tests.infrastructure.wanted import check_stack, routes

ROOT = Path(__file__).resolve().parents[2]


def assembled(**flags: str) -> Assembly:
    """The cloud assembly of the repository's app, from .cache where nothing has changed.

    With BuildKit, whatever this machine has.
    """
    return synthesize(ROOT, ROOT / ".cache", {"builder": "buildkit", **flags}, print)


class Stack:
    """One stack in an account."""

    def __init__(self, bootstrapped: Account, template: Mapping[str, Any]) -> None:
        self.account = bootstrapped
        self.engine = bootstrapped.engine
        self.template = template
        self.defaults = {name: as_text(item["Default"]) for name, item in template["Parameters"].items()}
        self.parameters: dict[str, str] = {}
        self.done: list[Step] = []
        self._may_be_open: set[tuple[str, str]] = set()
        self.engine.on_step = self._check_step

    def deploy(self, **changes: str) -> Outcome:
        """Deploy changes of parameters; `parameters` follow where it works."""
        after = {**self.defaults, **self.parameters, **changes}
        states = [self.parameters, after] if self.parameters else [after]
        self._may_be_open = {
            (method, path)
            for state in states
            for method, path, authorization, _ in routes(state)
            if authorization == "NONE"
        }
        self.done = []
        outcome = self.engine.deploy(self.template, changes)
        if not outcome.reason:
            self.parameters = after
        return outcome

    def become(self, **changes: str) -> None:
        """Deploy and check everything that can be seen afterwards."""
        outcome = self.deploy(**changes)
        assert outcome.status in ("CREATE_COMPLETE", "UPDATE_COMPLETE"), outcome
        check_stack(self.account, self.parameters)

    def _check_step(self, step: Step) -> None:
        self.done.append(step)
        self.account.forget(self.template["Resources"].get(step.logical_id, {"Type": "::"})["Type"])
        for stage in self.account.cloud.stages():
            for route in stage.snapshot.routes:
                if route.authorization == "NONE":
                    assert (route.method, route.path) in self._may_be_open, f"{route} is open after {step}"
                self.account.check_callable(stage, route)
        if step.logical_id.startswith("Catalogue"):
            assert list(refused(self.account.cloud)) == [], f"events are lost after {step}"

    def delete(self) -> None:
        """Delete the stack; nothing may be left in any service."""
        assert self.engine.delete().status == "DELETE_COMPLETE"
        assert self.account.inventory() == {}
