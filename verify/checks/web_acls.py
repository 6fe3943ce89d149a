"""A web ACL before the stage: there, kept, replaced."""

from collections.abc import Mapping

from verify.answers import Differs
from verify.checks import contract
from verify.checks.parameters import RENAMED
from verify.rows import Changes
from verify.subject import Subject


def given(*names: str) -> Changes:
    """Parameters of those names with the values that the owner supplied."""
    return lambda subject: {name: subject.supplied[name] for name in names}


def _acl(subject: Subject, wanted: str) -> str:
    def look() -> str:
        seen = subject.services.web_acl(subject.api, subject.stage)
        if seen != wanted:
            raise Differs(f"before the stage {subject.stage} is {seen or 'none'}")
        return f"before the stage {subject.stage}"

    seen = subject.until(120, look)
    contract.vector(subject)
    return seen


def web_acl(subject: Subject) -> str:
    """The supplied web ACL is before the stage, which still answers."""
    return _acl(subject, subject.supplied["WebAclArn"])


def other_acl(subject: Subject) -> Mapping[str, str]:
    """The second web ACL."""
    return {"WebAclArn": subject.supplied["OtherWebAclArn"]}


def replaced_acl(subject: Subject) -> str:
    """The second web ACL is before the stage, now that the first has been cleaned up."""
    return _acl(subject, subject.supplied["OtherWebAclArn"])


def acl_after_rollback(subject: Subject) -> str:
    """An update to a web ACL that does not exist has failed: the first one still stands before the stage."""
    if subject.outcome is None or subject.outcome.status != "UPDATE_ROLLBACK_COMPLETE":
        raise Differs(f"{subject.outcome}")
    return web_acl(subject)


def rename_too(_: Subject) -> Mapping[str, str]:
    """Another stage, the web ACL kept."""
    return {"APIGatewayStageName": RENAMED}
