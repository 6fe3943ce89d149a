"""The stack's CloudFormation parameters: what the console shows and what CloudFormation refuses."""

from collections.abc import Mapping
from typing import Any

import aws_cdk as cdk
from constructs import Construct

from cdk_app.catalogue.rows import in_template
from cdk_app.config import PAIRS, ROWS, DeploymentConfig
from cdk_app.constraints import Constraint, Number, OneOf
from cdk_app.parameter_rows import PARAMETERS
from cdk_app.table import Row

RULED_MAXIMA = range(1, 4)
# Of the regions in cfn-lint's schemas; where a type is missing, CloudFormation refuses the template itself
# ("Unrecognized resource types"), whatever its conditions: -c catalogue=absent is for these.
WITHOUT_S3_VECTORS = ("il-central-1", "me-central-1")


class Parameters(Construct):
    """The parameters and their rules, from the table; `self[name]` is a parameter's Ref."""

    def __init__(self, scope: Construct, config: DeploymentConfig) -> None:
        super().__init__(scope, "Parameters")
        self._rows = [row for row in PARAMETERS if row.present(config.flags)]
        self._parameters = {row.name: self._parameter(row, config) for row in self._rows}
        self._instances_rule()
        if in_template(config.flags):
            self._catalogue_rule(config)
        for pair in PAIRS:
            self._pair_rules(*(ROWS[flag].name for flag in pair))

    def __getitem__(self, name: str) -> str:
        return cdk.Fn.ref(self._parameters[name].logical_id)

    def number(self, name: str) -> float:
        """A parameter's Ref for use where the CDK wants a number."""
        return cdk.Token.as_number({"Ref": self._parameters[name].logical_id})

    def interface(self) -> dict[str, Any]:
        """The console's groups and labels (AWS::CloudFormation::Interface)."""
        groups: dict[str, list[str]] = {}
        for row in self._rows:
            groups.setdefault(row.group, []).append(row.name)
        return {
            "ParameterGroups": [
                {"Label": {"default": group}, "Parameters": names} for group, names in groups.items()
            ],
            "ParameterLabels": {row.name: {"default": row.label} for row in self._rows},
        }

    def _parameter(self, row: Row, config: DeploymentConfig) -> cdk.CfnParameter:
        rule, default = row.parameter_rule(config.flags), row.parameter_default(config.flags)
        return cdk.CfnParameter(
            self,
            row.name,
            default=int(default) if isinstance(rule, Number) else default,
            description=row.text,
            constraint_description=_refusal(rule),
            **_properties(rule),
        )

    def _instances_rule(self) -> None:
        """Refuse a minimum above the maximum, if the maximum is small enough to list the values below it.

        Rules compare for equality only, so larger maxima are left to Application Auto Scaling to refuse.
        """
        lowest, highest = self["SageMakerMinInstances"], self["SageMakerMaxInstances"]

        def assertion(limit: int) -> cdk.CfnRuleAssertion:
            counts = [str(count) for count in range(1, limit + 1)]
            return cdk.CfnRuleAssertion(
                assert_=cdk.Fn.condition_or(
                    cdk.Fn.condition_not(cdk.Fn.condition_equals(highest, str(limit))),
                    cdk.Fn.condition_contains(counts, lowest),
                ),
                assert_description=f"SageMakerMinInstances is above SageMakerMaxInstances, which is {limit}.",
            )

        cdk.CfnRule(self, "MinimumWithinMaximum", assertions=[assertion(limit) for limit in RULED_MAXIMA])

    def _catalogue_rule(self, config: DeploymentConfig) -> None:
        """Refuse a catalogue without buckets, without its functions' image, and without S3 Vectors."""
        here = cdk.Fn.condition_contains(list(WITHOUT_S3_VECTORS), cdk.Aws.REGION)
        needed = {
            "Catalogue needs ImageBuckets, which is empty: list the buckets to index, or choose no.": (
                cdk.Fn.condition_not(cdk.Fn.condition_equals(self["ImageBuckets"], ""))
            ),
            "Catalogue can only be no: this region has no Amazon S3 Vectors.": cdk.Fn.condition_not(here),
        }
        off = cdk.Fn.condition_equals(self["Catalogue"], "no")
        if not config.has_catalogue:
            text = (
                "Catalogue can only be no: the template was made without the Lambda image (-c images=both)."
            )
            needed = {text: off}
        cdk.CfnRule(
            self,
            "CatalogueNeeds",
            rule_condition=cdk.Fn.condition_not(off),
            assertions=[
                cdk.CfnRuleAssertion(assert_=holds, assert_description=text) for text, holds in needed.items()
            ],
        )

    def _pair_rules(self, one: str, other: str) -> None:
        """Refuse either of two parameters without the other."""
        for given, needed in ((one, other), (other, one)):
            assertion = cdk.CfnRuleAssertion(
                assert_=cdk.Fn.condition_not(cdk.Fn.condition_equals(self[needed], "")),
                assert_description=f"{given} requires {needed}, which is empty: give both, or neither.",
            )
            cdk.CfnRule(
                self,
                f"{given}Need{needed}",
                rule_condition=cdk.Fn.condition_not(cdk.Fn.condition_equals(self[given], "")),
                assertions=[assertion],
            )


def _refusal(constraint: Constraint) -> str:
    """What the console says about a refused value; it shows a list of choices itself."""
    return "must be one of the listed values" if isinstance(constraint, OneOf) else f"must be {constraint}"


def _properties(constraint: Constraint) -> Mapping[str, Any]:
    """The constraint as properties of a CfnParameter."""
    if isinstance(constraint, OneOf):
        return {"allowed_values": list(constraint.values)}
    if isinstance(constraint, Number):
        return {"type": "Number", "min_value": constraint.minimum, "max_value": constraint.maximum}
    return {"allowed_pattern": f"^({constraint.pattern})$", "max_length": constraint.max_length}
