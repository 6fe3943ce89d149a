"""What IAM policies allow: statements against one call, with the condition keys that the call carries.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from local.template.intrinsics import Json, as_text

Statement = Mapping[str, Json]
Match = Callable[[str, str], bool]  # (value in the policy, value of the call)


class PolicyError(ValueError):
    """A policy uses an element or an operator that is not modelled here."""


@dataclass(frozen=True)
class Call:
    """One call as IAM sees it.

    Args:
        action: such as sts:AssumeRole.
        resource: ARN that is acted on.
        service: the service principal that calls, None for a role's own session.
        context: condition keys that the call carries; one that is not here is missing.
    """

    action: str
    resource: str
    service: str | None = None
    context: Mapping[str, str] = field(default_factory=dict)


def allows(statements: Iterable[Statement], call: Call) -> bool:
    """Whether some statement allows the call and none denies it. Raises PolicyError."""
    effects = {statement["Effect"] for statement in statements if _applies(statement, call)}
    return effects == {"Allow"}


def check(statements: Iterable[Statement]) -> None:
    """Raise PolicyError where a statement can't be judged here, whoever calls."""
    allows(statements, Call(action="", resource=""))


def like(pattern: str, text: str) -> bool:
    """StringLike: * stands for any text, ? for one character."""
    expression = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(expression, text, re.DOTALL) is not None


def arn_like(pattern: str, text: str) -> bool:
    """ArnLike, which ArnEquals equals: each of the six components is compared by itself."""
    wanted, given = pattern.split(":", 5), text.split(":", 5)
    return len(wanted) == len(given) == 6 and all(map(like, wanted, given))


def listed(value: Json) -> list[Json]:
    """A list as it is, a single value as a list of one."""
    return value if isinstance(value, list) else [value]


def _same_letters(pattern: str, text: str) -> bool:
    return pattern.casefold() == text.casefold()


_OPERATORS: dict[str, tuple[Match, bool]] = {
    # name -> how one value matches, whether the operator is the negated one
    "StringEquals": (str.__eq__, False),
    "StringNotEquals": (str.__eq__, True),
    "StringEqualsIgnoreCase": (_same_letters, False),
    "StringNotEqualsIgnoreCase": (_same_letters, True),
    "StringLike": (like, False),
    "StringNotLike": (like, True),
    "ArnEquals": (arn_like, False),
    "ArnLike": (arn_like, False),
    "ArnNotEquals": (arn_like, True),
    "ArnNotLike": (arn_like, True),
    "Bool": (_same_letters, False),
}
_UNSUPPORTED = ("NotPrincipal", "NotAction", "NotResource")


def _applies(statement: Statement, call: Call) -> bool:
    for name in _UNSUPPORTED:
        if name in statement:
            raise PolicyError(f"{name} is not modelled here; use Principal, Action or Resource.")
    # All are evaluated, so that an operator that is not modelled raises an error whoever calls.
    met = [_holds(name, keys, call.context) for name, keys in statement.get("Condition", {}).items()]
    return (
        _is_principal(statement, call.service)
        and any(like(pattern.lower(), call.action.lower()) for pattern in listed(statement["Action"]))
        and any(like(pattern, call.resource) for pattern in listed(statement.get("Resource", "*")))
        and all(met)
    )


def _is_principal(statement: Statement, service: str | None) -> bool:
    principal = statement.get("Principal")
    if principal is None:  # an identity's own policy has none
        return service is None
    if principal == "*":
        return True
    return service in listed(principal.get("Service", [])) or "*" in listed(principal.get("AWS", []))


def _holds(operator: str, keys: Mapping[str, Json], context: Mapping[str, str]) -> bool:
    """Whether every key of one operator holds. Names of keys have no case."""
    given = {name.lower(): value for name, value in context.items()}
    return all(_key_holds(operator, values, given.get(key.lower())) for key, values in keys.items())


def _key_holds(operator: str, values: Json, given: str | None) -> bool:
    wanted = [as_text(value) for value in listed(values)]
    if operator == "Null":
        return (given is None) in [value == "true" for value in wanted]
    name = operator.removesuffix("IfExists")
    if name not in _OPERATORS:
        raise PolicyError(f"The condition operator {operator} is not modelled here.")
    matches, negated = _OPERATORS[name]
    if given is None:  # a missing key meets no operator but a negated one and ...IfExists
        return negated or operator != name
    return any(matches(value, given) for value in wanted) != negated
