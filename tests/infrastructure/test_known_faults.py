"""Of faults that others met on AWS, which the engine and its checks see, and which not, and why."""

import copy
import re
import traceback
from collections.abc import Mapping

import pytest

from local.template.intrinsics import ResolveError
from tests.cloudformation.engine import Step
from tests.infrastructure.account import WEB_ACLS, Account, account
from tests.infrastructure.known_faults import FAULTS, Fault
from tests.infrastructure.stack import assembled
from tests.infrastructure.wanted import check_requests

SEEDS = 4  # orders that CloudFormation may choose: one that shows the fault is enough


def symptom(fault: Fault, *, broken: bool = True) -> str:
    """What goes wrong with the fault, in one of some orders; nothing where all is green."""
    return next((seen for seed in range(SEEDS) if (seen := _symptom(fault, seed, broken=broken))), "")


def _symptom(fault: Fault, seed: int, *, broken: bool) -> str:
    template = copy.deepcopy(dict(assembled().template))
    if broken:
        fault.change(template)
    special = dict(fault.account)
    with account(assembled(), seed=seed, log_role=special.get("log_role", True)) as bootstrapped:
        bootstrapped.cloud.concurrency = special.get("concurrency", 1000)
        if group := special.get("log_group"):
            bootstrapped.client("logs").create_log_group(logGroupName=group)
        state = {name: str(item["Default"]) for name, item in template["Parameters"].items()}
        try:
            for change in (fault.before, fault.after):
                if change is None:
                    continue
                change = {name: WEB_ACLS[0] if value == "ACL" else value for name, value in change.items()}
                state |= change
                if reason := _deployed(bootstrapped, template, change):
                    return reason
                check_requests(bootstrapped, state)
        except (AssertionError, ResolveError, ValueError) as seen:
            # An assertion of a module that pytest does not rewrite has no text: its line stands for it.
            return f"{seen} {traceback.extract_tb(seen.__traceback__)[-1].line}"
    return ""


def _deployed(bootstrapped: Account, template: Mapping[str, object], change: Mapping[str, str]) -> str:
    """The reason of a failure; AssertionError where a live route can't be called after some step."""

    def callable_(step: Step) -> None:
        bootstrapped.forget("AWS::Lambda")
        bootstrapped.forget("AWS::IAM")
        bootstrapped.forget("AWS::SageMaker")
        for stage in bootstrapped.cloud.stages():
            for route in stage.snapshot.routes:
                bootstrapped.check_callable(stage, route)

    bootstrapped.engine.on_step = callable_
    return bootstrapped.engine.deploy(template, change).reason


@pytest.mark.parametrize("name", FAULTS)
def test_what_is_seen_of_a_known_fault(name: str) -> None:
    fault = FAULTS[name]
    seen = symptom(fault)
    if fault.seen is None:
        assert seen == "", "it is seen: say so in the table"
        assert fault.why_not
    else:
        assert re.search(fault.seen, seen), seen or "nothing is seen"


def test_the_table_has_twenty_faults_of_others() -> None:
    assert len({fault.issue for fault in FAULTS.values()}) == len(FAULTS) == 20
    assert sum(fault.seen is not None for fault in FAULTS.values()) >= 15
