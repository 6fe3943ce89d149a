"""The template's conditions: what the parameters switch on."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import aws_cdk as cdk
from constructs import Construct

from cdk_app.config import DeploymentConfig
from cdk_app.parameters import Parameters


@dataclass(frozen=True)
class Combination:
    """One set of values of the parameters that the API's body depends on."""

    backend: str
    signed: bool
    explorer: bool

    @property
    def name(self) -> str:
        """A readable name, part of logical ids."""
        return f"{self.backend}{'Iam' if self.signed else 'Open'}{'Explorer' if self.explorer else 'Plain'}"


class Conditions(Construct):
    """Conditions by name, and one for each combination of the body's axes."""

    def __init__(self, scope: Construct, parameters: Parameters, config: DeploymentConfig) -> None:
        super().__init__(scope, "Conditions")
        self._parameters = parameters
        self.backends = tuple(
            {"lambda": "Lambda", "sagemaker": "SageMaker"}[name] for name in config.backends
        )
        for backend, value in (("Lambda", "yes-lambda"), ("SageMaker", "yes-sagemaker")):
            if backend in self.backends:
                self._equals(f"Is{backend}", "ImageSimilarity", value)
        self._equals("IsOff", "ImageSimilarity", "no")
        self.is_on = self._add("IsOn", cdk.Fn.condition_not(_holds(self["IsOff"])))
        self.is_signed = self._equals("IsSigned", "APIGatewayAuthorization", "AWS_IAM")
        self.has_explorer = self._equals("HasExplorer", "APIExplorer", "yes")
        self.has_access_logs = self._equals("HasAccessLogs", "AccessLogs", "yes")
        has_buckets = self._differs("HasImageBuckets", "ImageBuckets")
        for backend in self.backends:
            both = cdk.Fn.condition_and(_holds(self[f"Is{backend}"]), _holds(has_buckets))
            self._add(f"Is{backend}WithBuckets", both)
        self.has_topic = self._differs("HasAlarmTopic", "AlarmTopicArn")
        for partition, name in (("aws-cn", "InChina"), ("aws-us-gov", "InGovCloud")):
            self._add(name, cdk.Fn.condition_equals(cdk.Aws.PARTITION, partition))
        self.of = {combination: self._combination(combination) for combination in self.combinations()}

    def __getitem__(self, name: str) -> cdk.CfnCondition:
        found = self.node.find_child(name)
        assert isinstance(found, cdk.CfnCondition)  # noqa: S101 - this construct makes nothing else
        return found

    def combinations(self) -> Iterator[Combination]:
        """Every combination of backend, authorization and Explorer."""
        for backend, signed, explorer in itertools.product(
            (*self.backends, "Off"), (True, False), (True, False)
        ):
            yield Combination(backend, signed, explorer)

    def _combination(self, combination: Combination) -> cdk.CfnCondition:
        signed, explorer = _holds(self.is_signed), _holds(self.has_explorer)
        return self._add(
            f"Is{combination.name}",
            cdk.Fn.condition_and(
                _holds(self[f"Is{combination.backend}"]),
                signed if combination.signed else cdk.Fn.condition_not(signed),
                explorer if combination.explorer else cdk.Fn.condition_not(explorer),
            ),
        )

    def _equals(self, name: str, parameter: str, value: str) -> cdk.CfnCondition:
        return self._add(name, cdk.Fn.condition_equals(self._parameters[parameter], value))

    def _differs(self, name: str, parameter: str) -> cdk.CfnCondition:
        empty = cdk.Fn.condition_equals(self._parameters[parameter], "")
        return self._add(name, cdk.Fn.condition_not(empty))

    def _add(self, name: str, expression: cdk.ICfnConditionExpression) -> cdk.CfnCondition:
        return cdk.CfnCondition(self, name, expression=expression)


def _holds(condition: cdk.CfnCondition) -> cdk.ICfnConditionExpression:
    """The condition as an expression, which it is; the stubs of aws_cdk don't say so."""
    return cast("cdk.ICfnConditionExpression", condition)


def pick(condition: cdk.CfnCondition, then: object, otherwise: object = None) -> dict[str, object]:
    """Fn::If as raw CloudFormation; `otherwise` None leaves the property out (AWS::NoValue)."""
    nothing = {"Ref": "AWS::NoValue"}
    return {"Fn::If": [condition.logical_id, then, nothing if otherwise is None else otherwise]}


def when(condition: cdk.CfnCondition, scope: Construct) -> None:
    """Put every resource under `scope` that has no condition of its own under this one."""
    for child in scope.node.find_all():
        if isinstance(child, cdk.CfnResource) and child.cfn_options.condition is None:
            child.cfn_options.condition = condition
