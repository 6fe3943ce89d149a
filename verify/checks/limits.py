"""Limits of requests: what is over them is told when to come again."""

from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from verify.answers import Differs, Skipped, expect, refusal, same
from verify.facts import Answer
from verify.subject import Subject

FLOOD, AT_ONCE, HEAVY = 300, 16, 8
NO_RESERVE = "UnreservedConcurrentExecution"
BOUNDED = ("LambdaFunction", "CatalogueAnswerFunction")
"""Functions that callers reach."""


def rate(subject: Subject) -> str:
    """The stage's rate limit."""
    wanted = float(subject.parameters["ThrottlingRateLimit"])
    return same("rate", wanted, subject.services.stage(subject.api, subject.stage).rate)


def burst(subject: Subject) -> str:
    """Calls at once over the burst limit are refused, and told when to come again."""
    wanted = int(subject.parameters["ThrottlingBurstLimit"])
    same("burst", wanted, subject.services.stage(subject.api, subject.stage).burst)
    answers = at_once(subject, FLOOD, AT_ONCE, {})
    return _mixed(answers, 400, 429, "TooManyRequests")


def at_once(subject: Subject, count: int, workers: int, body: Mapping[str, str]) -> list[Answer]:
    """Many calls from several threads."""
    with ThreadPoolExecutor(workers) as threads:
        return list(threads.map(lambda _: subject.post(body), range(count)))


def _mixed(answers: list[Answer], served: int, refused: int, code: str) -> str:
    """How many were served and how many were refused, as there must be both. Raises Differs."""
    counted = Counter(answer.status for answer in answers)
    told = ", ".join(f"{count} x {status}" for status, count in sorted(counted.items()))
    if counted.keys() != {served, refused}:
        raise Differs(told)
    for answer in answers:
        if answer.status == refused:
            refusal(answer, refused, code)
            if not answer.headers.get("retry-after"):
                raise Differs(f"{told}, {refused} without Retry-After")
    return f"{told} with Retry-After"


def ceiling(subject: Subject) -> str:
    """Calls over LambdaMaxConcurrency are told that it is full."""
    if subject.outcome and NO_RESERVE in subject.outcome.reason:
        raise Skipped(f"the account has no concurrency to reserve: {subject.outcome.reason}")
    changed(subject)
    for name in BOUNDED:
        if name in subject.stack.resources:
            reserved = subject.services.function(subject.named(name)).reserved
            same(f"reserved for {name}", int(subject.parameters["LambdaMaxConcurrency"]), reserved)
    expect(subject.post({"img": subject.pictures.first}), 200)
    body = {"img_1": subject.pictures.first, "img_2": subject.pictures.second}
    return _mixed(at_once(subject, 3 * HEAVY, HEAVY, body), 200, 503, "Unavailable")


def changed(subject: Subject) -> None:
    """Raise Differs where the change itself failed; for rows that look at why."""
    if subject.outcome and not subject.outcome.worked:
        raise Differs(f"the change failed, {subject.outcome.status}: {subject.outcome.reason}")
