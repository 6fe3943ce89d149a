"""What an account's services describe, read by boto3."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from verify.aws.catalogue import CatalogueServices, Clients
from verify.aws.failures import told
from verify.aws.logs import log_groups, log_lines
from verify.facts import Alarm, Endpoint, Function, Json, LogGroup, Metric, Model, Scaling, StageSettings

INTERFACES = "AWS Lambda VPC ENI-{name}-*"


class AwsServices(CatalogueServices):
    """See `verify.cloud.Services`.

    Args:
        client: a service's client in the stack's region.
        where: partition, region and account, for ARNs.
    """

    def __init__(self, client: Clients, where: tuple[str, str, str]) -> None:
        super().__init__(client)
        self._where = where

    def function(self, name: str) -> Function:
        """See Services."""
        with told(f"The function {name} can't be read"):
            client = self._client("lambda")
            found = client.get_function_configuration(FunctionName=name)
            reserved = client.get_function_concurrency(FunctionName=name).get("ReservedConcurrentExecutions")
        vpc = found.get("VpcConfig", {})
        return Function(
            memory=found["MemorySize"],
            reserved=reserved,
            environment=found.get("Environment", {}).get("Variables", {}),
            role=found["Role"],
            subnets=tuple(vpc.get("SubnetIds", ())),
            security_groups=tuple(vpc.get("SecurityGroupIds", ())),
            log_group=found.get("LoggingConfig", {}).get("LogGroup", f"/aws/lambda/{name}"),
        )

    def model(self, name: str) -> Model:
        """See Services."""
        with told(f"The model {name} can't be read"):
            found = self._client("sagemaker").describe_model(ModelName=name)
        container = found["PrimaryContainer"]
        subnets = (found.get("VpcConfig") or {}).get("Subnets", ())
        return Model(container["Image"], container.get("Environment", {}), tuple(subnets))

    def endpoint(self, name: str) -> Endpoint:
        """See Services."""
        with told(f"The endpoint {name} can't be read"):
            client = self._client("sagemaker")
            found = client.describe_endpoint(EndpointName=name)
            config = client.describe_endpoint_config(EndpointConfigName=found["EndpointConfigName"])
        [wanted] = config["ProductionVariants"]
        running = found.get("ProductionVariants", [{}])[0]
        instances = running.get("CurrentInstanceCount", wanted["InitialInstanceCount"])
        return Endpoint(found["EndpointStatus"], wanted["VariantName"], wanted["InstanceType"], instances)

    def scaling(self, endpoint: str, variant: str) -> Scaling | None:
        """See Services."""
        resource = f"endpoint/{endpoint}/variant/{variant}"
        asked = {"ServiceNamespace": "sagemaker"}
        with told(f"The scaling of {endpoint} can't be read"):
            client = self._client("application-autoscaling")
            targets = client.describe_scalable_targets(**asked, ResourceIds=[resource])["ScalableTargets"]
            policies = client.describe_scaling_policies(**asked, ResourceId=resource)["ScalingPolicies"]
        if not targets:
            return None
        names = tuple(sorted(policy["PolicyName"] for policy in policies))
        return Scaling(targets[0]["MinCapacity"], targets[0]["MaxCapacity"], names)

    def stage(self, api: str, name: str) -> StageSettings:
        """See Services."""
        with told(f"The stage {name} can't be read"):
            found = self._client("apigateway").get_stage(restApiId=api, stageName=name)
        settings = found.get("methodSettings", {}).get("*/*", {})
        group = found.get("accessLogSettings", {}).get("destinationArn", "").partition(":log-group:")[2]
        return StageSettings(
            found["deploymentId"],
            float(settings.get("throttlingRateLimit", 0)),
            int(settings.get("throttlingBurstLimit", 0)),
            group.removesuffix(":*"),
        )

    def deployments(self, api: str) -> list[str]:
        """See Services."""
        with told("The deployments can't be read"):
            items = self._client("apigateway").get_deployments(restApiId=api, limit=500)["items"]
        return sorted(item["id"] for item in items)

    def methods(self, api: str) -> set[tuple[str, str, str]]:
        """See Services."""
        with told("The API's methods can't be read"):
            answer = self._client("apigateway").get_resources(restApiId=api, embed=["methods"], limit=500)
        return {
            (method, item["path"], details["authorizationType"])
            for item in answer["items"]
            for method, details in item.get("resourceMethods", {}).items()
        }

    def web_acl(self, api: str, stage: str) -> str:
        """See Services."""
        partition, region, _ = self._where
        arn = f"arn:{partition}:apigateway:{region}::/restapis/{api}/stages/{stage}"
        with told("The stage's web ACL can't be read"):
            found = self._client("wafv2").get_web_acl_for_resource(ResourceArn=arn)
        return str(found.get("WebACL", {}).get("ARN", ""))

    def log_groups(self, names: Sequence[str]) -> dict[str, LogGroup]:
        """See Services."""
        return log_groups(self._client("logs"), names)

    def log_lines(self, group: str, since: float) -> list[str]:
        """See Services."""
        return log_lines(self._client("logs"), group, since)

    def alarms(self, names: Sequence[str]) -> dict[str, Alarm]:
        """See Services."""
        with told("The alarms can't be read"):
            found = self._client("cloudwatch").describe_alarms(AlarmNames=list(names))["MetricAlarms"]
        return {
            item["AlarmName"]: Alarm(
                item["StateValue"], tuple(item.get("AlarmActions", ())), tuple(_watched(item))
            )
            for item in found
        }

    def dashboard(self, name: str) -> Json:
        """See Services."""
        with told(f"The dashboard {name} can't be read"):
            return json.loads(self._client("cloudwatch").get_dashboard(DashboardName=name)["DashboardBody"])

    def samples(self, metric: Metric, since: float) -> int:
        """See Services."""
        start = datetime.fromtimestamp(since, UTC)
        with told(f"{metric} can't be read"):
            found = self._client("cloudwatch").get_metric_statistics(
                Namespace=metric.namespace,
                MetricName=metric.name,
                Dimensions=[{"Name": name, "Value": value} for name, value in metric.dimensions],
                StartTime=start.replace(second=0, microsecond=0),
                EndTime=start + timedelta(hours=12),
                Period=60,
                Statistics=["SampleCount"],
            )
        return int(sum(point["SampleCount"] for point in found["Datapoints"]))

    def manifest_type(self, image: str) -> str:
        """See Services."""
        repository, tag = image.partition("/")[2].rsplit(":", 1)
        with told(f"The image {image} can't be read"):
            answer = self._client("ecr").batch_get_image(
                repositoryName=repository.partition("@")[0], imageIds=[{"imageTag": tag}]
            )
        return (
            str(answer["images"][0]["imageManifestMediaType"]) if answer["images"] else "none: no such image"
        )

    def interfaces(self, function: str) -> list[str]:
        """See Services."""
        wanted = {"Name": "description", "Values": [INTERFACES.format(name=function)]}
        with told("The network interfaces can't be read"):
            found = self._client("ec2").describe_network_interfaces(Filters=[wanted])["NetworkInterfaces"]
        return sorted(item["NetworkInterfaceId"] for item in found)

    def decision(self, role: str, action: str, function: str) -> str:
        """See Services."""
        partition, region, account = self._where
        arn = f"arn:{partition}:lambda:{region}:{account}:function:{function}"
        key = {
            "ContextKeyName": "lambda:SourceFunctionArn",
            "ContextKeyValues": [arn],
            "ContextKeyType": "string",
        }
        with told("IAM's decision can't be asked for"):
            found = self._client("iam").simulate_principal_policy(
                PolicySourceArn=role, ActionNames=[action], ContextEntries=[key]
            )
        return str(found["EvaluationResults"][0]["EvalDecision"])

    def role_of(self, function: str) -> str:
        """See Services."""
        return self.function(function).role


def _watched(alarm: dict[str, Any]) -> list[Metric]:
    """The metrics of an alarm: the one, or those of its expression."""
    if "MetricName" in alarm:
        return [_metric(alarm)]
    stats = [query["MetricStat"] for query in alarm.get("Metrics", []) if "MetricStat" in query]
    return [_metric(stat["Metric"]) for stat in stats]


def _metric(told_of: dict[str, Any]) -> Metric:
    pairs = tuple(sorted((item["Name"], item["Value"]) for item in told_of.get("Dimensions", [])))
    return Metric(told_of["Namespace"], told_of["MetricName"], pairs)
