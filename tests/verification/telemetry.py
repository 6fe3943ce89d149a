"""CloudWatch: what backends write becomes log lines and metrics, where their roles allow it."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from local.template.policies import Call, allows
from tests.cloudformation.providers import Cloud
from tests.cloudformation.providers.policies import CloudPolicies
from tests.verification.pools import Pool

Dimensions = Mapping[str, str]


class Telemetry:
    """Takes lines and values, and hands them to the mocked services when they are read.

    Args:
        cloud: the account.
        now: seconds since 1970.
    """

    def __init__(self, cloud: Cloud, now: Callable[[], float]) -> None:
        self._cloud, self._now = cloud, now
        self._followed: dict[str, tuple[Pool, str, str]] = {}
        self._lines: list[tuple[str, int, str]] = []
        self._values: list[tuple[str, dict[str, Any]]] = []

    def follow(self, pool: Pool, group: str, role: str) -> None:
        """Take what a backend's processes write from now on."""
        if pool.name not in self._followed:
            pool.lines()  # another stack's
        self._followed[pool.name] = (pool, group, role)

    def write(self, group: str, role: str, lines: list[str]) -> None:
        """Lines of a backend into its log group; those of a role that may not are lost, as on AWS.

        Metrics come out of the lines: the embedded metric format.
        """
        partition = "aws-cn" if self._cloud.region.startswith("cn-") else "aws"
        where = f"arn:{partition}:logs:{self._cloud.region}:123456789012:log-group:{group}:log-stream:any"
        statements = CloudPolicies(self._cloud).identity(role)
        if not allows(statements, Call("logs:PutLogEvents", where)):
            return
        for line in lines:
            self.log(group, line)
            record = _record(line)
            for directive in record.get("_aws", {}).get("CloudWatchMetrics", []):
                for names in directive["Dimensions"]:
                    dimensions = {name: record[name] for name in names}
                    for metric in directive["Metrics"]:
                        self.value(directive["Namespace"], metric["Name"], dimensions, record[metric["Name"]])

    def log(self, group: str, line: str) -> None:
        """One line into a log group."""
        if line.strip():
            self._lines.append((group, int(self._now() * 1000), line))

    def value(self, namespace: str, name: str, dimensions: Dimensions, value: float = 1.0) -> None:
        """One value of a metric."""
        datum = {
            "MetricName": name,
            "Dimensions": [{"Name": key, "Value": item} for key, item in dimensions.items()],
            "Timestamp": datetime.fromtimestamp(self._now(), UTC),
            "Value": value,
        }
        self._values.append((namespace, datum))

    def flush(self) -> None:
        """Hand over what was taken, and what backends have written since."""
        for pool, group, role in self._followed.values():
            self.write(group, role, [line for line in pool.lines() if line.startswith("{")])
        lines, self._lines = self._lines, []
        values, self._values = self._values, []
        for group in {group for group, _, _ in lines}:
            events = [{"timestamp": moment, "message": text} for name, moment, text in lines if name == group]
            self._put_events(group, events)
        for namespace in {namespace for namespace, _ in values}:
            data = [datum for name, datum in values if name == namespace]
            for start in range(0, len(data), 20):
                self._cloud.client("cloudwatch").put_metric_data(
                    Namespace=namespace, MetricData=data[start : start + 20]
                )

    def _put_events(self, group: str, events: list[dict[str, Any]]) -> None:
        client = self._cloud.client("logs")
        try:
            client.create_log_stream(logGroupName=group, logStreamName="all")
        except client.exceptions.ResourceAlreadyExistsException:
            pass
        except client.exceptions.ResourceNotFoundException:
            return  # nobody made the group, and no role here may
        client.put_log_events(logGroupName=group, logStreamName="all", logEvents=events)


def _record(line: str) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except ValueError:
        return {}
    return record if isinstance(record, dict) else {}
