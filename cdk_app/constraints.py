"""Which values are allowed: one rule, used by CloudFormation for parameters and by synth for flags."""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class OneOf:
    """A value of a closed list."""

    values: tuple[str, ...]

    def accepts(self, value: str) -> bool:
        """Whether the value keeps the rule."""
        return value in self.values

    def __str__(self) -> str:
        return f"one of {', '.join(self.values)}"


@dataclass(frozen=True)
class Number:
    """A whole number in a range; no upper end where `maximum` is None."""

    minimum: int
    maximum: int | None = None

    def accepts(self, value: str) -> bool:
        """Whether the value keeps the rule."""
        if not re.fullmatch(r"[0-9]{1,9}", value):
            return False
        return self.minimum <= int(value) and (self.maximum is None or int(value) <= self.maximum)

    def __str__(self) -> str:
        return f"a whole number, {self.minimum} " + (f"to {self.maximum}" if self.maximum else "or more")


@dataclass(frozen=True)
class Pattern:
    """A text that a regular expression matches whole (the syntax that Python and CloudFormation share).

    Args:
        pattern: the expression, without anchors.
        meaning: what it says, in words; it completes "must be".
        max_length: characters at most, None for no limit of its own.
    """

    pattern: str
    meaning: str
    max_length: int | None = None

    def accepts(self, value: str) -> bool:
        """Whether the value keeps the rule."""
        if self.max_length is not None and len(value) > self.max_length:
            return False
        return re.fullmatch(self.pattern, value) is not None

    def __str__(self) -> str:
        return self.meaning + (f", at most {self.max_length} characters" if self.max_length else "")


Constraint = OneOf | Number | Pattern
