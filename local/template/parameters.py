"""Parameter values of a template: read from a command line, checked as CloudFormation checks them."""

import re
import shlex
from collections.abc import Iterator, Mapping

from local.template.intrinsics import Json, ResolveError, as_text


def parse_assignments(text: str) -> dict[str, str]:
    """Read `A=b C="d e"` into a mapping. Raises ResolveError naming the word that is not NAME=value."""
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise ResolveError(f"Parameters can't be read: {error}.") from error
    values: dict[str, str] = {}
    for word in words:
        name, separator, value = word.partition("=")
        if not separator or not name:
            raise ResolveError(f"'{word}' is not NAME=value; write for example ImageSimilarity=yes-lambda.")
        if name in values:
            raise ResolveError(f"{name} is given twice.")
        values[name] = value
    return values


def check_parameters(template: Mapping[str, Json], given: Mapping[str, str]) -> dict[str, Json]:
    """Return every parameter's value (list types split), defaults filled in.

    Raises ResolveError with one sentence a line for all values that CloudFormation would refuse.
    """
    declared: Mapping[str, Json] = template.get("Parameters", {})
    problems = [
        f"{name} is not a parameter; the parameters are {', '.join(sorted(declared))}."
        for name in given
        if name not in declared
    ]
    values: dict[str, Json] = {}
    for name, definition in declared.items():
        if name not in given and "Default" not in definition:
            problems.append(f"{name} needs a value: {definition.get('Description', 'it has no default')}")
            continue
        text = as_text(given.get(name, definition.get("Default")))
        items = _split_list(definition["Type"], text)
        refusals = [message for item in items or [text] for message in _refusals(definition, item)]
        problems += [f"{name}={text}: {message}" for message in refusals]
        values[name] = text if items is None else items
    if problems:
        raise ResolveError("\n".join(problems))
    return values


def _split_list(kind: str, text: str) -> list[str] | None:
    """Items of a list type, None for the other types."""
    if kind == "CommaDelimitedList" or kind.startswith("List<"):
        return [item.strip() for item in text.split(",")]
    return None


def _refusals(definition: Mapping[str, Json], text: str) -> Iterator[str]:
    hint = definition.get("ConstraintDescription")
    allowed = [as_text(value) for value in definition.get("AllowedValues", [])]
    if allowed and text not in allowed:
        yield f"allowed are {', '.join(allowed)}."
    pattern = definition.get("AllowedPattern")
    if pattern and not re.fullmatch(pattern, text):
        yield hint or f"must match {pattern}."
    lowest, highest = definition.get("MinLength"), definition.get("MaxLength")
    if (lowest is not None and len(text) < int(lowest)) or (highest is not None and len(text) > int(highest)):
        yield hint or f"must have {lowest or 0} to {highest or 'any number of'} characters."
    if "Number" in definition["Type"]:
        yield from _number_refusals(definition, text)


def _number_refusals(definition: Mapping[str, Json], text: str) -> Iterator[str]:
    try:
        number = float(text)
    except ValueError:
        yield "must be a number."
        return
    lowest, highest = definition.get("MinValue"), definition.get("MaxValue")
    if (lowest is not None and number < float(lowest)) or (highest is not None and number > float(highest)):
        least = "any" if lowest is None else as_text(lowest)
        most = "any" if highest is None else as_text(highest)
        yield definition.get("ConstraintDescription") or f"must be a number from {least} to {most}."
