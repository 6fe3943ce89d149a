"""Alarms: what one watches, and how it is made."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from cdk_app.choices import Choices
from cdk_app.conditions import Conditions, pick

PERIOD_SECONDS = 300
# The namespace and dimensions of the service's own metrics: image_similarity/inference/telemetry.py,
# embedded metric format. Errors have the dimension Code as well.
NAMESPACE = "ImageSimilarity"


@dataclass(frozen=True)
class Metric:
    """One metric with its statistic over a period; values may be functions of CloudFormation."""

    namespace: str
    name: str
    statistic: str
    dimensions: Mapping[str, object]

    def stat(self) -> dict[str, Any]:
        """As a MetricStat of CloudFormation, for use in Fn::If."""
        return {
            "Metric": {
                "Namespace": self.namespace,
                "MetricName": self.name,
                "Dimensions": [{"Name": name, "Value": value} for name, value in self.dimensions.items()],
            },
            "Period": PERIOD_SECONDS,
            "Stat": self.statistic,
        }


@dataclass(frozen=True)
class While:
    """A metric of something that is there under a condition alone, and with it the metric in an alarm."""

    condition: cdk.CfnCondition
    metric: Metric


@dataclass(frozen=True)
class Alarm:
    """One alarm: `expression` over the threshold in `periods` of three; missing data is no alarm.

    Args:
        alarm_id: the construct's id.
        condition: the name of the condition under which it exists.
        description: what is wrong, and what to do; may be a function of CloudFormation.
        threshold: in the expression's unit; may be a function of CloudFormation.
        metrics: by the name that the expression uses; a MetricStat where CloudFormation chooses one, a While
            where it may leave one out, for which the expression then has no use.
        expression: metric math, or the name of the one metric.
        periods: 1 where each single case counts, which may all be in one period.
    """

    alarm_id: str
    condition: str
    description: object
    threshold: float | Mapping[str, object]
    metrics: Mapping[str, Metric | While | object]
    expression: object
    periods: int = 2


def own(name: str, statistic: str, backend: object, **dimensions: str) -> Metric:
    """A metric that the service writes itself."""
    return Metric(NAMESPACE, name, statistic, {"Stack": cdk.Aws.STACK_NAME, "Backend": backend, **dimensions})


def of_the_running(conditions: Conditions, metrics: Mapping[str, Metric]) -> Metric | object:
    """The running backend's metric, given those of all backends whose image is built."""
    if len(metrics) == 1:
        return next(iter(metrics.values()))
    return conditions.by_backend({name: metric.stat() for name, metric in metrics.items()})


def make(scope: Construct, choices: Choices, alarm: Alarm) -> None:
    """Make the alarm; it notifies the topic, if there is one."""
    topic = pick(choices.conditions.has_topic, choices.parameters["AlarmTopicArn"])
    actions = [cdk.Token.as_string(topic)]
    made = cloudwatch.CfnAlarm(
        scope,
        alarm.alarm_id,
        alarm_description=cdk.Token.as_string(alarm.description),
        evaluation_periods=3,
        datapoints_to_alarm=alarm.periods,
        threshold=cdk.Token.as_number(alarm.threshold),
        comparison_operator="GreaterThanThreshold",
        treat_missing_data="notBreaching",
        alarm_actions=actions,
        ok_actions=actions,
        **_watched(alarm),
    )
    made.cfn_options.condition = choices.conditions[alarm.condition]


def _watched(alarm: Alarm) -> dict[str, Any]:
    """One metric as it is, or the expression over several."""
    metric = alarm.metrics.get(str(alarm.expression))
    if isinstance(metric, Metric):
        return _single(metric)
    result = cloudwatch.CfnAlarm.MetricDataQueryProperty(
        id="result", expression=cdk.Token.as_string(alarm.expression), return_data=True
    )
    return {"metrics": [result, *(_query(name, metric) for name, metric in alarm.metrics.items())]}


def _query(
    name: str, metric: Metric | While | object
) -> cloudwatch.CfnAlarm.MetricDataQueryProperty | cdk.IResolvable:
    if isinstance(metric, While):
        query = {"Id": name, "MetricStat": metric.metric.stat(), "ReturnData": False}
        return cdk.Token.as_any(pick(metric.condition, query))
    stat = _stat(metric) if isinstance(metric, Metric) else cdk.Token.as_any(metric)
    return cloudwatch.CfnAlarm.MetricDataQueryProperty(id=name, metric_stat=stat, return_data=False)


def _stat(metric: Metric) -> cloudwatch.CfnAlarm.MetricStatProperty:
    of = cloudwatch.CfnAlarm.MetricProperty(
        namespace=metric.namespace, metric_name=metric.name, dimensions=_dimensions(metric)
    )
    return cloudwatch.CfnAlarm.MetricStatProperty(metric=of, period=PERIOD_SECONDS, stat=metric.statistic)


def _dimensions(metric: Metric) -> list[cloudwatch.CfnAlarm.DimensionProperty]:
    return [
        cloudwatch.CfnAlarm.DimensionProperty(name=name, value=cdk.Token.as_string(value))
        for name, value in metric.dimensions.items()
    ]


def _single(metric: Metric) -> dict[str, Any]:
    percentile = metric.statistic.startswith("p")
    return {
        "namespace": metric.namespace,
        "metric_name": metric.name,
        "dimensions": _dimensions(metric),
        "statistic": None if percentile else metric.statistic,
        "extended_statistic": metric.statistic if percentile else None,
        "period": PERIOD_SECONDS,
    }
