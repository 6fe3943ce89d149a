"""What needs something of the account that its owner names: web ACLs, a VPC, a key, a topic."""

from collections.abc import Callable, Mapping

from verify.answers import Differs, same
from verify.checks import contract, operation, updates
from verify.checks.web_acls import acl_after_rollback, given, other_acl, rename_too, replaced_acl, web_acl
from verify.rows import Changes, Row
from verify.subject import Subject

VPC = ("SubnetIds", "SecurityGroupIds")
INTERFACE_SECONDS = 45 * 60
DENIED = "explicitDeny"
NETWORK_ACTION = "ec2:DescribeSubnets"


def inside(subject: Subject) -> str:
    """The backend runs in the VPC, and fetches through its NAT."""
    wanted = tuple(subject.supplied["SubnetIds"].split(","))
    if subject.on_sagemaker:
        seen = subject.services.model(subject.named("SageMakerModel")).subnets
    else:
        function = subject.services.function(subject.named("LambdaFunction"))
        groups = tuple(subject.supplied["SecurityGroupIds"].split(","))
        same("security groups", sorted(groups), sorted(function.security_groups))
        seen = function.subnets
    same("subnets", sorted(wanted), sorted(seen))
    return f"{len(seen)} subnets; {contract.by_url(subject)}"


def denied(subject: Subject) -> str:
    """The function's own code may not use the permissions by which Lambda makes its interfaces."""
    name = subject.named("LambdaFunction")
    seen = subject.services.decision(subject.services.role_of(name), NETWORK_ACTION, name)
    return same(NETWORK_ACTION, DENIED, seen)


def left(subject: Subject) -> str:
    """No network interface stays behind a function that has left its VPC."""
    name = subject.named("LambdaFunction")
    same("subnets", (), subject.services.function(name).subnets)

    def look() -> str:
        interfaces = subject.services.interfaces(name)
        if interfaces:
            raise Differs(f"left: {', '.join(interfaces)}")
        return "none"

    return subject.until(INTERFACE_SECONDS, look, 60.0)


def emptied(_: Subject) -> Mapping[str, str]:
    """Out of the VPC again."""
    return dict.fromkeys(VPC, "")


def key(subject: Subject) -> str:
    """Every log group has the key, and lines still arrive."""
    names = [item.name for item in subject.stack.of_type("AWS::Logs::LogGroup")]
    groups = subject.services.log_groups(names)
    wrong = sorted(
        name for name in names if name not in groups or groups[name].key != subject.supplied["KmsKeyArn"]
    )
    if wrong:
        raise Differs(f"without the key: {', '.join(wrong)}")
    return f"{len(names)} groups; {operation.log_line(subject)}"


def topic(subject: Subject) -> str:
    """Every alarm tells the topic."""
    names = [item.name for item in subject.stack.of_type("AWS::CloudWatch::Alarm")]
    alarms = subject.services.alarms(names)
    silent = sorted(
        name
        for name in names
        if name not in alarms or alarms[name].actions != (subject.supplied["AlarmTopicArn"],)
    )
    if silent:
        raise Differs(f"tell it not: {', '.join(silent)}")
    return f"{len(names)} alarms"


def _row(
    name: str,
    what: str,
    expected: str,
    check: Callable[[Subject], str],
    steps: tuple[Changes, ...],
    *needs: str,
    why: str = "",
    fails: bool = False,
    backend: str = "lambda",
) -> Row:
    names = tuple(item for item in needs if not item.startswith("Other"))
    backends = ("lambda",) if backend == "lambda" else ("lambda", "sagemaker")
    return Row(name, what, expected, check, backends, steps, names, needs, fails, why=why)  # type: ignore[arg-type]


ACL, TWO = ("WebAclArn",), ("WebAclArn", "OtherWebAclArn")
ROWS = (
    _row("web-acl", "a web ACL", "in front of the stage, which answers", web_acl, (given(*ACL),), *ACL),
    _row(
        "web-acl-renamed",
        "a stage with a web ACL gets another name",
        "the web ACL is in front of the new one",
        web_acl,
        (given(*ACL), rename_too),
        *ACL,
        why="whether CloudFormation's handler checks which ACL it removes is not documented",
    ),
    _row(
        "web-acl-replaced",
        "a web ACL that is replaced",
        "the second one, also after the clean-up",
        replaced_acl,
        (given(*ACL), other_acl),
        *TWO,
        why="as above",
    ),
    _row(
        "web-acl-rollback",
        "a web ACL whose replacement is rolled back",
        "the first one still",
        acl_after_rollback,
        (given(*ACL), updates.impossible),
        *ACL,
        fails=True,
        why="as above",
    ),
    _row(
        "vpc",
        "joining a VPC",
        "subnets and security groups as given; calls by URL work through the NAT",
        inside,
        (given(*VPC),),
        *VPC,
        backend="both",
        why="interfaces, NAT and endpoints are the account's own",
    ),
    _row(
        "vpc-denied",
        "the function's code and its role's network permissions",
        "`explicitDeny`",
        denied,
        (given(*VPC),),
        *VPC,
        why="IAM evaluates `lambda:SourceFunctionArn`",
    ),
    _row(
        "vpc-left",
        "leaving a VPC",
        "no network interface of the function is left within 45 minutes",
        left,
        (given(*VPC), emptied),
        *VPC,
        why="Lambda deletes interfaces some minutes later, using a policy that the same update deletes",
    ),
    _row(
        "kms-key",
        "log groups with a key",
        "the key on every group of the stack, and lines still arrive",
        key,
        (given("KmsKeyArn"),),
        "KmsKeyArn",
        backend="both",
        why="the key's policy must let CloudWatch Logs use it",
    ),
    _row(
        "alarm-topic",
        "a topic for alarms",
        "every alarm notifies it",
        topic,
        (given("AlarmTopicArn"),),
        "AlarmTopicArn",
    ),
)
