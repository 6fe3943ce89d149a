"""CloudFormation's intrinsic functions, evaluated for parameter values that have been checked.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference.html
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol, TypeAlias

Json: TypeAlias = Any  # any JSON value; templates have no narrower type

NO_VALUE: Final = object()  # what AWS::NoValue resolves to: the property or list item disappears


class ResolveError(ValueError):
    """The template or a parameter is not what CloudFormation would accept; the message is a sentence."""


class Scope(Protocol):
    """What the functions below look names up in."""

    def ref(self, name: str) -> Json:
        """Value of a parameter, a pseudo parameter or a resource."""

    def attribute(self, logical_id: str, name: str) -> Json:
        """Value of a resource's attribute."""

    def condition(self, name: str) -> bool:
        """Value of a named condition."""


def evaluate(node: Json, scope: Scope) -> Json:
    """Return node with every intrinsic function replaced by its value.

    Only the chosen branch of Fn::If is evaluated. Raises ResolveError.
    """
    if isinstance(node, dict):
        if len(node) == 1:
            name, argument = next(iter(node.items()))
            if name in FUNCTIONS:
                return FUNCTIONS[name](argument, scope)
            if name.startswith("Fn::"):
                raise ResolveError(f"{name} is not supported here.")
        resolved = {key: evaluate(value, scope) for key, value in node.items()}
        return {key: value for key, value in resolved.items() if value is not NO_VALUE}
    if isinstance(node, list):
        return [value for item in node if (value := evaluate(item, scope)) is not NO_VALUE]
    return node


def evaluate_condition(node: Json, scope: Scope) -> bool:
    """Value of a condition expression (template sections Conditions and Rules). Raises ResolveError."""
    if isinstance(node, dict) and len(node) == 1:
        name, argument = next(iter(node.items()))
        if name in CONDITIONS:
            return CONDITIONS[name](argument, scope)
    raise ResolveError(f"Not a condition: {node!r}")


def as_text(value: Json) -> str:
    """Text of a scalar, as CloudFormation writes it into a string."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    raise ResolveError(f"A string is needed where the template has {value!r}.")


def _ref(name: Json, scope: Scope) -> Json:
    return scope.ref(name)


def _get_att(argument: Json, scope: Scope) -> Json:
    logical_id, attribute = argument
    return scope.attribute(logical_id, attribute)


def _if(argument: Json, scope: Scope) -> Json:
    condition, yes, no = argument
    return evaluate(yes if scope.condition(condition) else no, scope)


def _join(argument: Json, scope: Scope) -> str:
    delimiter, items = argument
    if not isinstance(delimiter, str):
        raise ResolveError("Fn::Join takes a literal delimiter, never a function.")
    values = evaluate(items, scope)
    if not isinstance(values, list):
        raise ResolveError(f"Fn::Join needs a list where the template has {values!r}.")
    return delimiter.join(as_text(value) for value in values)


def _split(argument: Json, scope: Scope) -> list[str]:
    delimiter, text = argument
    return as_text(evaluate(text, scope)).split(delimiter)


def _select(argument: Json, scope: Scope) -> Json:
    index = int(as_text(evaluate(argument[0], scope)))
    items = evaluate(argument[1], scope)
    if not 0 <= index < len(items):
        raise ResolveError(f"Fn::Select cannot select item {index} of {len(items)}.")
    return items[index]


def _sub(argument: Json, scope: Scope) -> str:
    text, local = (argument, {}) if isinstance(argument, str) else argument
    values: Mapping[str, Json] = {name: evaluate(node, scope) for name, node in local.items()}

    def replace(match: re.Match[str]) -> str:
        name = match[1]
        if name.startswith("!"):
            return "${" + name[1:] + "}"
        if name in values:
            return as_text(values[name])
        return as_text(scope.attribute(*name.split(".", 1)) if "." in name else scope.ref(name))

    return re.sub(r"\$\{([^}]+)\}", replace, text)


def _equals(argument: Json, scope: Scope) -> bool:
    left, right = (as_text(evaluate(item, scope)) for item in argument)
    return left == right


def _contains(argument: Json, scope: Scope) -> bool:
    values, wanted = (evaluate(item, scope) for item in argument)
    return as_text(wanted) in [as_text(value) for value in values]


FUNCTIONS: Final[dict[str, Callable[[Json, Scope], Json]]] = {
    "Ref": _ref,
    "Fn::GetAtt": _get_att,
    "Fn::If": _if,
    "Fn::Join": _join,
    "Fn::Split": _split,
    "Fn::Select": _select,
    "Fn::Sub": _sub,
}

CONDITIONS: Final[dict[str, Callable[[Json, Scope], bool]]] = {
    "Condition": lambda name, scope: scope.condition(name),
    "Fn::Equals": _equals,
    "Fn::Contains": _contains,
    "Fn::And": lambda items, scope: all(evaluate_condition(item, scope) for item in items),
    "Fn::Or": lambda items, scope: any(evaluate_condition(item, scope) for item in items),
    "Fn::Not": lambda items, scope: not evaluate_condition(items[0], scope),
}
