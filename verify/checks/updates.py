"""Updates as such: one that fails, the feature switched off, and what callers saw of all of them."""

from collections.abc import Mapping

from verify.answers import Differs, Skipped, expect, refusal, same
from verify.checks import contract, refusals
from verify.checks import stack as whole
from verify.rows import Row
from verify.subject import FEATURE, Subject

NO_ACL = "arn:{partition}:wafv2:{region}:{account}:regional/webacl/none/00000000-0000-4000-8000-000000000000"


def nothing_there(subject: Subject) -> str:
    """Without the feature its routes are gone, and the API keeps its address."""
    refusal(subject.call("POST", FEATURE, {}, signed=False), 403, "Forbidden")
    expect(subject.call("POST", FEATURE, {}), 403)  # in whatever words API Gateway has for a signed one
    whole.routes(subject)
    whole.outputs(subject)
    return f"403 Forbidden; {whole.root(subject)}"


def impossible(subject: Subject) -> Mapping[str, str]:
    """A web ACL that does not exist, beside a limit that would be live at once."""
    partition = subject.stack.id.split(":")[1]
    arn = NO_ACL.format(partition=partition, region=subject.cloud.region, account=subject.cloud.account)
    limit = "61" if subject.parameters["ThrottlingBurstLimit"] != "61" else "62"
    return {"WebAclArn": arn, "ThrottlingBurstLimit": limit}


def rolled_back(subject: Subject) -> str:
    """The update failed, and the stack is and answers as before."""
    assert subject.outcome is not None  # noqa: S101 - the row has a step
    if subject.outcome.status != "UPDATE_ROLLBACK_COMPLETE":
        raise Differs(f"{subject.outcome.status}: {subject.outcome.reason}")
    burst_limit = subject.services.stage(subject.api, subject.stage).burst
    same("burst", subject.kept["burst"], burst_limit)
    same("WebAclArn", subject.kept["acl"], subject.parameters["WebAclArn"])
    refusals.invalid_request(subject)
    return f"{subject.outcome.status}, and it answers as before"


def served_always(subject: Subject) -> str:
    """Over all updates: no signed call failed."""
    failed = [
        f"{passage.title}: {tick.signed}"
        for passage in subject.passages
        for tick in passage.ticks
        if tick.failed
    ]
    if failed:
        raise Differs("; ".join(failed[:5]))
    return _counted(subject)


def never_open(subject: Subject) -> str:
    """Over all updates before and after which calls had to be signed: no unsigned call was answered."""
    opened = [
        f"{passage.title}: {tick.unsigned}"
        for passage in subject.passages
        for tick in passage.ticks
        if passage.always_signed and tick.unsigned != 403
    ]
    if opened:
        raise Differs("; ".join(opened[:5]))
    if not any(passage.always_signed and passage.ticks for passage in subject.passages):
        raise Skipped("in no update of this run calls had to be signed before and after")
    return _counted(subject)


def _counted(subject: Subject) -> str:
    calls = sum(len(passage.ticks) for passage in subject.passages)
    if not calls:
        raise Skipped("no parameter was changed in this run")
    return f"{calls} calls in {len(subject.passages)} updates"


def alike(subject: Subject) -> str:
    """The same picture's vector on both backends."""
    one, two = subject.kept.get("vector-lambda"), subject.kept.get("vector-sagemaker")
    if one is None or two is None:
        raise Skipped("only one backend was called in this run")
    apart = max(abs(left - right) for left, right in zip(one, two, strict=True))
    if apart > contract.TOLERANCE:
        raise Differs(f"{apart:.6f} apart")
    return f"{apart:.6f} apart"


OFF = (
    Row(
        "off",
        "`ImageSimilarity=no`",
        "403 `Forbidden`; the API stays, with its root and its page",
        nothing_there,
        ("off",),
    ),
)


AFTER_UPDATES = (
    Row(
        "served-always",
        "signed calls during all changes but those of the stage's name",
        "no answer is a 5xx",
        served_always,
        quick=True,
        why="API Gateway and Lambda are eventually consistent",
    ),
    Row(
        "never-open",
        "unsigned calls during changes from `AWS_IAM` to `AWS_IAM`",
        "403, always",
        never_open,
        quick=True,
    ),
    Row("alike", "one picture's vector on both backends", "the same within 1e-5", alike),
)
