"""Parameter values of a template: read from a command line, checked as CloudFormation checks them."""

import re
import shlex
from collections.abc import Iterator, Mapping

from local.template.intrinsics import Json, ResolveError, as_text

TYPES = {"String", "Number"}
KEYS = {
    "AllowedPattern",
    "AllowedValues",
    "ConstraintDescription",
    "Default",
    "Description",
    "MaxLength",
    "MaxValue",
    "MinValue",
    "Type",
}


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


def check_parameters(template: Mapping[str, Json], given: Mapping[str, str]) -> dict[str, str]:
    """Return every parameter's value, defaults filled in.

    Raises ResolveError with one sentence a line for all values that CloudFormation would refuse.
    """
    declared: Mapping[str, Json] = template.get("Parameters", {})
    problems = [
        f"{name} is not a parameter; the parameters are {', '.join(sorted(declared))}."
        for name in given
        if name not in declared
    ]
    values: dict[str, str] = {}
    for name, definition in declared.items():
        if definition["Type"] not in TYPES or definition.keys() - KEYS:
            problems.append(f"{name} has properties that are not modelled here: {dict(definition)}.")
            continue
        if name not in given and "Default" not in definition:
            problems.append(f"{name} needs a value: {definition.get('Description', 'it has no default')}")
            continue
        values[name] = as_text(given.get(name, definition.get("Default")))
        problems += [f"{name}={values[name]}: {message}" for message in _refusals(definition, values[name])]
    if problems:
        raise ResolveError("\n".join(problems))
    return values


def _refusals(definition: Mapping[str, Json], text: str) -> Iterator[str]:
    allowed = [as_text(value) for value in definition.get("AllowedValues", [])]
    if allowed and text not in allowed:
        yield f"allowed are {', '.join(allowed)}."
    longest = definition.get("MaxLength")
    if longest is not None and len(text) > int(longest):
        yield f"must have at most {as_text(longest)} characters, and has {len(text)}."
    pattern = definition.get("AllowedPattern")
    if pattern and not re.fullmatch(pattern, text):
        yield definition.get("ConstraintDescription") or f"must match {pattern}."
    if definition["Type"] == "Number":
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
