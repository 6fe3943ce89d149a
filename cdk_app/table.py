"""The one table of a deployment's settings: a row for each stack parameter and each other flag.

The defaults, the CloudFormation parameters, the console's groups and labels, the checks of the flags and
the tables of docs/deploy.md all come from the rows. Nothing here needs the CDK.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from cdk_app.constraints import Constraint, OneOf

Flags = Mapping[str, str]
Choices = Callable[[Flags], tuple[str, ...]]


@dataclass(frozen=True)
class Row:
    """One flag, and the stack parameter whose default it sets, if there is one.

    Args:
        flag: the context key.
        name: the CloudFormation parameter; empty for what only synthesis can decide.
        group: the console's heading; for a flag alone, what it is about.
        label: the console's label.
        default: the flag's default.
        rule: what the flag may be.
        text: what it does, for the console and the documents.
        offers: values that the parameter offers, where other flags decide it, the first for a flag's value
            that is not among them; None where the rule says all.
        words: the flag's values in the parameter's words, where they differ.
        present: whether the template has the parameter, where other flags decide it.
    """

    flag: str
    default: str
    rule: Constraint | Callable[[Flags], Constraint]
    text: str
    group: str
    name: str = ""
    label: str = ""
    offers: Choices | None = None
    words: Mapping[str, str] = field(default_factory=dict)
    present: Callable[[Flags], bool] = lambda _: True

    def flag_rule(self, flags: Flags) -> Constraint:
        """What the flag may be, given the others."""
        return self.rule(flags) if callable(self.rule) else self.rule

    def parameter_rule(self, flags: Flags) -> Constraint:
        """What the parameter may be."""
        rule = self.flag_rule(flags)
        if self.offers is not None:
            rule = OneOf(self.offers(flags))
        if isinstance(rule, OneOf):
            return OneOf(tuple(self.words.get(value, value) for value in rule.values))
        return rule

    def parameter_default(self, flags: Flags) -> str:
        """The parameter's default."""
        value = flags[self.flag]
        if self.offers is not None and value not in (offered := self.offers(flags)):
            value = offered[0]
        return self.words.get(value, value)
