"""The template's conditions: what the parameters switch on."""

import itertools
from collections.abc import Iterator, Mapping
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
    catalogue: bool = False

    @property
    def name(self) -> str:
        """A readable name, part of logical ids."""
        name = f"{self.backend}{'Iam' if self.signed else 'Open'}{'Explorer' if self.explorer else 'Plain'}"
        return name + ("Catalogue" if self.catalogue else "")


NAMES = {"lambda": "Lambda", "sagemaker": "SageMaker"}
# Every partition but `aws`: IAM takes no wildcard for it, and Fn::Join no function as delimiter, so that
# each is a condition. Held against botocore's list by a test.
PARTITIONS = {
    "aws-cn": "InChina",
    "aws-us-gov": "InGovCloud",
    "aws-eusc": "InSovereignEurope",
    "aws-iso": "InIso",
    "aws-iso-b": "InIsoB",
    "aws-iso-e": "InIsoE",
    "aws-iso-f": "InIsoF",
}


class Conditions(Construct):
    """Conditions by name, and one for each combination of the body's axes."""

    def __init__(self, scope: Construct, parameters: Parameters, config: DeploymentConfig) -> None:
        super().__init__(scope, "Conditions")
        self._parameters = parameters
        self.backends = tuple(NAMES[name] for name in config.backends)
        for backend, value in (("Lambda", "yes-lambda"), ("SageMaker", "yes-sagemaker")):
            if backend in self.backends:
                self._equals(f"Is{backend}", "ImageSimilarity", value)
        self._equals("IsOff", "ImageSimilarity", "no")
        self.is_on = self._add("IsOn", cdk.Fn.condition_not(_holds(self["IsOff"])))
        self.is_signed = self._equals("IsSigned", "APIGatewayAuthorization", "AWS_IAM")
        self.has_explorer = self._equals("HasExplorer", "APIExplorer", "yes")
        self.has_access_logs = self._equals("HasAccessLogs", "AccessLogs", "yes")
        self._of_each_backend("WithBuckets", self._differs("HasImageBuckets", "ImageBuckets"))
        self.in_vpc = self._differs("InVpc", "SubnetIds")
        self._of_each_backend("InVpc", self.in_vpc)
        self.has_topic = self._differs("HasAlarmTopic", "AlarmTopicArn")
        self.has_key = self._differs("HasKmsKey", "KmsKeyArn")
        self.has_web_acl = self._differs("HasWebAcl", "WebAclArn")
        self.has_ceiling = self._differs("HasConcurrencyCeiling", "LambdaMaxConcurrency")
        self.auto_rate = self._equals("IsRateAuto", "ThrottlingRateLimit", "auto")
        self.auto_burst = self._equals("IsBurstAuto", "ThrottlingBurstLimit", "auto")
        self.has_catalogue = config.has_catalogue
        if self.has_catalogue:
            self._catalogue()
        for partition, name in PARTITIONS.items():
            self._add(name, cdk.Fn.condition_equals(cdk.Aws.PARTITION, partition))
        self.of = {combination: self._combination(combination) for combination in self.combinations()}

    def __getitem__(self, name: str) -> cdk.CfnCondition:
        found = self.node.find_child(name)
        assert isinstance(found, cdk.CfnCondition)  # noqa: S101 - this construct makes nothing else
        return found

    def combinations(self) -> Iterator[Combination]:
        """Every combination of the axes; without a backend there is no catalogue either."""
        for backend, signed, explorer, catalogue in itertools.product(
            (*self.backends, "Off"), (True, False), (True, False), (True, False)
        ):
            if not catalogue or (self.has_catalogue and backend != "Off"):
                yield Combination(backend, signed, explorer, catalogue)

    def by_backend(self, values: Mapping[str, object]) -> object:
        """The value of the backend that runs, by nested Fn::If; for use where the feature is on.

        Args:
            values: value by backend, for each backend whose image is built.
        """
        *others, last = self.backends
        chosen = values[last]
        for backend in reversed(others):
            chosen = pick(self[f"Is{backend}"], values[backend], chosen)
        return chosen

    def _of_each_backend(self, suffix: str, condition: cdk.CfnCondition) -> None:
        """`Is<backend><suffix>`: the condition, while that backend runs."""
        for backend in self.backends:
            both = cdk.Fn.condition_and(_holds(self[f"Is{backend}"]), _holds(condition))
            self._add(f"Is{backend}{suffix}", both)

    def _catalogue(self) -> None:
        """Which parts of the catalogue exist: its data, and what serves."""
        off = cdk.Fn.condition_equals(self._parameters["Catalogue"], "no")
        self._add("HasCatalogue", cdk.Fn.condition_not(off))
        on = cdk.Fn.condition_equals(self._parameters["Catalogue"], "yes")
        serves = self._add("IsCatalogueServing", cdk.Fn.condition_and(on, _holds(self.is_on)))
        for suffix, condition in (("InVpc", self.in_vpc), ("WithKey", self.has_key)):
            both = cdk.Fn.condition_and(_holds(serves), _holds(condition))
            self._add(f"IsCatalogueServing{suffix}", both)

    def _combination(self, combination: Combination) -> cdk.CfnCondition:
        axes = [(self.is_signed, combination.signed), (self.has_explorer, combination.explorer)]
        if self.has_catalogue and combination.backend != "Off":
            axes.append((self["IsCatalogueServing"], combination.catalogue))
        return self._add(
            f"Is{combination.name}",
            cdk.Fn.condition_and(
                _holds(self[f"Is{combination.backend}"]),
                *(_holds(axis) if wanted else cdk.Fn.condition_not(_holds(axis)) for axis, wanted in axes),
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
