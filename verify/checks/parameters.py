"""Each parameter changed alone: the live API and its services follow, and a failed change leaves what was."""

from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

from verify.checks import contract, operation
from verify.checks import stack as whole
from verify.cloud import Answer, Request
from verify.rows import Changes, Row
from verify.subject import FEATURE, Differs, Skipped, Subject, expect, read, refusal, same

FLOOD, AT_ONCE, HEAVY = 300, 16, 8
NO_ACL = "arn:{partition}:wafv2:{region}:{account}:regional/webacl/none/00000000-0000-4000-8000-000000000000"
CONTACT = "https://example.com/verify"
RENAMED = "verify"
DAYS = "7"
NO_ROLE = "CloudWatch Logs role ARN must be set"
NO_RESERVE = "UnreservedConcurrentExecution"


def to(**changes: str) -> Changes:
    """The same changes whatever the stack is like."""
    return lambda subject: changes


def other(name: str, one: str, two: str) -> Changes:
    """The value that the stack does not have."""
    return lambda subject: {name: two if subject.parameters[name] == one else one}


def environment(subject: Subject) -> Mapping[str, str]:
    """Environment of what runs the feature."""
    if subject.on_sagemaker:
        return subject.services.model(subject.named("SageMakerModel")).environment
    return subject.services.function(subject.named("LambdaFunction")).environment


def authorization(subject: Subject) -> str:
    """Unsigned calls are answered as the parameter says, signed ones always."""
    seen = contract.unsigned(subject)
    refusal(subject.call("POST", FEATURE, {}, signed=True), 400, "InvalidRequest")
    if subject.parameters["APIExplorer"] == "yes":
        whole.explorer(subject)
    return f"{subject.parameters['APIGatewayAuthorization']}: {seen} without a signature"


def renamed(subject: Subject) -> str:
    """The new name answers, the old one does not."""
    same("the stage", RENAMED, subject.stage)
    contract.invalid_request(subject)
    whole.outputs(subject)
    was = subject.kept["stage"]
    answer = subject.cloud.call(_at(subject, was))
    if answer.status != 403:
        raise Differs(f"{answer.status} at the old stage {was}")
    return f"/{RENAMED} answers, /{was} is 403"


def _at(subject: Subject, stage: str) -> Request:
    return Request("POST", f"/{stage}{FEATURE}", b"{}", {"Content-Type": "application/json"}, subject.signed)


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
    function = subject.services.function(subject.named("LambdaFunction"))
    same("reserved", int(subject.parameters["LambdaMaxConcurrency"]), function.reserved)
    expect(subject.post({"img": subject.pictures.first}), 200)
    body = {"img_1": subject.pictures.first, "img_2": subject.pictures.second}
    return _mixed(at_once(subject, 3 * HEAVY, HEAVY, body), 200, 503, "Unavailable")


def changed(subject: Subject) -> None:
    """Raise Differs where the change itself failed; for rows that look at why."""
    if subject.outcome and not subject.outcome.worked:
        raise Differs(f"the change failed, {subject.outcome.status}: {subject.outcome.reason}")


def memory(subject: Subject) -> str:
    """The function's memory."""
    function = subject.services.function(subject.named("LambdaFunction"))
    return same("memory", int(subject.parameters["LambdaMemorySize"]), function.memory)


def access_logs(subject: Subject) -> str:
    """API Gateway's own line of a call, where they are switched on."""
    if subject.outcome and NO_ROLE in subject.outcome.reason:
        raise Skipped("the region has no CloudWatch role for API Gateway (API Gateway console, Settings)")
    changed(subject)
    settings = subject.services.stage(subject.api, subject.stage)
    if subject.parameters["AccessLogs"] == "no":
        return same("access log", "", settings.access_log_group) + "none"
    request_id = read(subject.post({"url": 1}))["requestId"]

    def look() -> str:
        lines = subject.services.log_lines(settings.access_log_group, subject.began)
        if not [line for line in lines if f'"requestId":"{request_id}"' in line and '"status":"400"' in line]:
            raise Differs(f"{len(lines)} lines, none of the call {request_id}")
        return f"a line with the caller's requestId in {settings.access_log_group}"

    return subject.until(operation.LOG_SECONDS, look)


def retention(subject: Subject) -> str:
    """Every log group of the stack."""
    names = [item.name for item in subject.stack.of_type("AWS::Logs::LogGroup")]
    groups = subject.services.log_groups(names)
    wanted = int(subject.parameters["LogRetentionDays"])
    wrong = sorted(name for name in names if name not in groups or groups[name].retention != wanted)
    if wrong:
        raise Differs(f"not {wanted} days: {', '.join(wrong)}")
    return f"{len(names)} groups, {wanted} days"


def url_hosts(subject: Subject) -> str:
    """`none` refuses what was fetched before."""
    answer = subject.post({"url": subject.pictures.url})
    return refusal(answer, 400, "SourceNotAllowed")


def contact(subject: Subject) -> str:
    """The setting of what sends the User-Agent."""
    return same("USER_AGENT_CONTACT", CONTACT, environment(subject).get("USER_AGENT_CONTACT"))


def bucket(subject: Subject) -> Mapping[str, str]:
    """A bucket that nobody has."""
    return {"ImageBuckets": f"image-similarity-verify-{subject.cloud.account}-{subject.cloud.region}"}


def buckets(subject: Subject) -> str:
    """A listed bucket is asked, another one is not."""
    listed, unlisted = subject.parameters["ImageBuckets"], "image-similarity-verify-unlisted"
    refusal(subject.post({"url": f"s3://{unlisted}/a.jpg"}), 400, "SourceNotAllowed")
    return (
        f"{refusal(subject.post({'url': f's3://{listed}/a.jpg'}), 400, 'SourceUnavailable')} of a listed one"
    )


def nothing_there(subject: Subject) -> str:
    """Without the feature its routes are gone, and the API keeps its address."""
    refusal(subject.call("POST", FEATURE, {}, signed=subject.signed), 403, "Forbidden")
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
    contract.invalid_request(subject)
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


def _row(
    name: str,
    change: Changes,
    expected: str,
    check: Callable[[Subject], str],
    *changed: str,
    quick: bool = False,
    why: str = "",
    fails: bool = False,
) -> Row:
    return Row(
        name,
        f"{' and '.join(f'`{item}`' for item in changed)} changed",
        expected,
        check,
        ("lambda",),
        (change,),
        changed,
        fails=fails,
        quick=quick,
        why=why,
    )


ROWS = (
    _row(
        "authorization",
        other("APIGatewayAuthorization", "AWS_IAM", "NONE"),
        "unsigned calls are answered as the parameter says, and the Explorer tells it",
        authorization,
        "APIGatewayAuthorization",
        quick=True,
    ),
    _row(
        "explorer-switched",
        other("APIExplorer", "yes", "no"),
        "the page comes and goes",
        whole.explorer,
        "APIExplorer",
        quick=True,
    ),
    _row("memory", operation.new_memory, "the function's memory", memory, "LambdaMemorySize", quick=True),
    _row(
        "cold-start",
        operation.new_memory,
        "under Lambda's 10 s of initialization",
        operation.cold_start,
        "LambdaMemorySize",
        quick=True,
        why="the first start pulls the image",
    ),
    _row(
        "stage-name",
        to(APIGatewayStageName=RENAMED),
        "the new name answers, the old one is 403",
        renamed,
        "APIGatewayStageName",
    ),
    _row("rate-limit", to(ThrottlingRateLimit="7"), "the stage's rate", rate, "ThrottlingRateLimit"),
    _row(
        "burst-limit",
        to(ThrottlingBurstLimit="1"),
        "429 `TooManyRequests` with `Retry-After` for calls over it",
        burst,
        "ThrottlingBurstLimit",
        why="API Gateway throttles by best effort",
    ),
    _row(
        "max-concurrency",
        to(LambdaMaxConcurrency="1"),
        "200 for some calls at once, for the others 503 `Unavailable` with `Retry-After`",
        ceiling,
        "LambdaMaxConcurrency",
        why="which gateway response a throttled function comes to is not documented; a 500 or 502 means another one than `API_CONFIGURATION_ERROR`",
        fails=True,
    ),
    _row(
        "access-logs",
        other("AccessLogs", "yes", "no"),
        "a line of API Gateway's with the caller's `requestId`",
        access_logs,
        "AccessLogs",
        why="needs the region's CloudWatch role for API Gateway",
        fails=True,
    ),
    _row(
        "log-retention",
        other("LogRetentionDays", DAYS, "14"),
        "every log group of the stack keeps lines as long",
        retention,
        "LogRetentionDays",
    ),
    _row(
        "url-hosts",
        to(UrlHosts="none"),
        "400 `SourceNotAllowed` for a URL that was fetched before",
        url_hosts,
        "UrlHosts",
    ),
    _row(
        "user-agent-contact", to(UserAgentContact=CONTACT), "the function has it", contact, "UserAgentContact"
    ),
    _row(
        "image-buckets",
        bucket,
        "400 `SourceUnavailable` for a listed bucket that does not exist, `SourceNotAllowed` for others",
        buckets,
        "ImageBuckets",
    ),
    Row(
        "rollback",
        "an update that fails (a web ACL that does not exist)",
        "`UPDATE_ROLLBACK_COMPLETE`, and everything as before",
        rolled_back,
        ("lambda",),
        (impossible,),
        ("WebAclArn", "ThrottlingBurstLimit"),
        fails=True,
    ),
)
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
        "none is answered 5xx",
        served_always,
        quick=True,
        why="API Gateway and Lambda are consistent after a while, not at once",
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
