"""The stack's CloudFormation parameters: what the console shows and what CloudFormation refuses."""

from collections.abc import Mapping
from typing import Any

import aws_cdk as cdk
from constructs import Construct

from cdk_app.config import DeploymentConfig
from cdk_app.constraints import Constraint, Number, OneOf
from cdk_app.specs import Spec, specs

RULED_MAXIMA = range(1, 4)


class Parameters(Construct):
    """The parameters and their rule, from the specs; `self[name]` is a parameter's Ref."""

    def __init__(self, scope: Construct, config: DeploymentConfig) -> None:
        super().__init__(scope, "Parameters")
        self._specs = specs(config)
        self._parameters = {spec.name: self._parameter(spec) for spec in self._specs}
        self._instances_rule()

    def __getitem__(self, name: str) -> str:
        return cdk.Fn.ref(self._parameters[name].logical_id)

    def number(self, name: str) -> float:
        """A parameter's Ref where the CDK wants a number."""
        return cdk.Token.as_number({"Ref": name})

    def interface(self) -> dict[str, Any]:
        """The console's groups and labels (AWS::CloudFormation::Interface)."""
        groups: dict[str, list[str]] = {}
        for spec in self._specs:
            groups.setdefault(spec.group, []).append(spec.name)
        return {
            "ParameterGroups": [
                {"Label": {"default": group}, "Parameters": names} for group, names in groups.items()
            ],
            "ParameterLabels": {spec.name: {"default": spec.label} for spec in self._specs},
        }

    def _parameter(self, spec: Spec) -> cdk.CfnParameter:
        return cdk.CfnParameter(
            self,
            spec.name,
            default=int(spec.default) if isinstance(spec.constraint, Number) else spec.default,
            description=spec.description,
            constraint_description=_refusal(spec.constraint),
            **_rule(spec.constraint),
        )

    def _instances_rule(self) -> None:
        """Refuse a minimum over the maximum, where the maximum is small enough to list what is under it.

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
                assert_description=f"SageMakerMinInstances is over SageMakerMaxInstances, which is {limit}.",
            )

        cdk.CfnRule(self, "MinimumWithinMaximum", assertions=[assertion(limit) for limit in RULED_MAXIMA])


def _refusal(constraint: Constraint) -> str:
    """What the console says of a value that is refused; a list of choices it shows by itself."""
    return "must be one of the listed values" if isinstance(constraint, OneOf) else f"must be {constraint}"


def _rule(constraint: Constraint) -> Mapping[str, Any]:
    """The constraint as properties of a CfnParameter."""
    if isinstance(constraint, OneOf):
        return {"allowed_values": list(constraint.values)}
    if isinstance(constraint, Number):
        return {"type": "Number", "min_value": constraint.minimum, "max_value": constraint.maximum}
    return {"allowed_pattern": f"^({constraint.pattern})$"}
