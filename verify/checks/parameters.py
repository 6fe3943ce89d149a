"""Each parameter changed alone: the live API and its services follow, and a failed change leaves what was."""

from collections.abc import Callable, Mapping

from verify.answers import Differs, Skipped, read, refusal, same
from verify.checks import limits, operation, refusals, updates
from verify.checks import stack as whole
from verify.facts import Request
from verify.rows import Changes, Row
from verify.subject import FEATURE, Subject

CONTACT = "https://example.com/verify"
RENAMED = "verify"
DAYS = "7"
NO_ROLE = "CloudWatch Logs role ARN must be set"


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
    seen = refusals.unsigned(subject)
    refusal(subject.call("POST", FEATURE, {}, signed=True), 400, "InvalidRequest")
    if subject.parameters["APIExplorer"] == "yes":
        whole.explorer(subject)
    return f"{subject.parameters['APIGatewayAuthorization']}: {seen} without a signature"


def renamed(subject: Subject) -> str:
    """The new name answers, the old one does not."""
    same("the stage", RENAMED, subject.stage)
    refusals.invalid_request(subject)
    whole.outputs(subject)
    was = subject.kept["stage"]
    answer = subject.cloud.call(_at(subject, was))
    if answer.status != 403:
        raise Differs(f"{answer.status} at the old stage {was}")
    return f"/{RENAMED} answers, /{was} is 403"


def _at(subject: Subject, stage: str) -> Request:
    return Request("POST", f"/{stage}{FEATURE}", b"{}", {"Content-Type": "application/json"}, subject.signed)


def memory(subject: Subject) -> str:
    """The function's memory."""
    function = subject.services.function(subject.named("LambdaFunction"))
    return same("memory", int(subject.parameters["LambdaMemorySize"]), function.memory)


def access_logs(subject: Subject) -> str:
    """API Gateway's own line of a call, where they are switched on."""
    if subject.outcome and NO_ROLE in subject.outcome.reason:
        raise Skipped("the region has no CloudWatch role for API Gateway (API Gateway console, Settings)")
    limits.changed(subject)
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
        "unsigned calls are answered as the parameter says, and the Explorer says so",
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
    _row("rate-limit", to(ThrottlingRateLimit="7"), "the stage's rate", limits.rate, "ThrottlingRateLimit"),
    _row(
        "burst-limit",
        to(ThrottlingBurstLimit="1"),
        "429 `TooManyRequests` with `Retry-After` for calls over it",
        limits.burst,
        "ThrottlingBurstLimit",
        why="API Gateway throttles on a best-effort basis",
    ),
    _row(
        "max-concurrency",
        to(LambdaMaxConcurrency="1"),
        "of simultaneous calls, 200 for some and 503 `Unavailable` with `Retry-After`",
        limits.ceiling,
        "LambdaMaxConcurrency",
        why="which gateway response a throttled function leads to is not documented; a 500 or 502 "
        "means another one than `API_CONFIGURATION_ERROR`",
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
        "every log group of the stack has that retention",
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
        updates.rolled_back,
        ("lambda",),
        (updates.impossible,),
        ("WebAclArn", "ThrottlingBurstLimit"),
        fails=True,
    ),
)
