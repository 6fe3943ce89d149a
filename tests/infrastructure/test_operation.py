"""Alarms, dashboard, time-outs and scaling."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from image_similarity.inference import telemetry
from local.template.resolve import resolve

Template = Mapping[str, Any]


@pytest.mark.parametrize("backend", ["yes-lambda", "yes-sagemaker"])
def test_alarms_notify_the_topic_if_there_is_one(template: Template, backend: str) -> None:
    topic = "arn:aws:sns:us-east-1:123456789012:alarms"
    with_topic = resolve(template, {"ImageSimilarity": backend, "AlarmTopicArn": topic})
    silent = resolve(template, {"ImageSimilarity": backend})
    alarms = with_topic.of_type("AWS::CloudWatch::Alarm")
    own = {
        "yes-lambda": {"LambdaThrottlesAlarm"},
        "yes-sagemaker": {"SageMakerHealthAlarm", "SageMakerThrottlesAlarm"},
    }
    assert {alarm.logical_id for alarm in alarms} == {"ApiErrorsAlarm", "ApiLatencyAlarm", *own[backend]}
    assert all(alarm.properties["AlarmActions"] == [topic] for alarm in alarms)
    assert all(not alarm.properties["AlarmActions"] for alarm in silent.of_type("AWS::CloudWatch::Alarm"))


@pytest.mark.parametrize("backend", ["lambda", "sagemaker"])
def test_the_dashboard_shows_the_metrics_that_the_service_writes(template: Template, backend: str) -> None:
    stack = resolve(template, {"ImageSimilarity": f"yes-{backend}"})
    text = stack.one("AWS::CloudWatch::Dashboard").properties["DashboardBody"]
    widgets = json.loads(text)["widgets"]
    assert len(widgets) == 6
    assert "${" not in text
    own = [
        line
        for widget in widgets
        for line in widget["properties"]["metrics"]
        if line[0] == telemetry.NAMESPACE
    ]
    assert own
    for _, name, *dimensions in own:
        assert dimensions[:4] == ["Stack", "ImageSimilarity", "Backend", backend], name
        assert dimensions[0:4:2] == list(telemetry.DIMENSIONS)


def test_the_function_answers_before_the_gateway_gives_up(resources: Mapping[str, Any]) -> None:
    function = resources["LambdaFunction"]["Properties"]
    assert function["Timeout"] == 28
    assert function["MemorySize"] == {"Ref": "LambdaMemorySize"}
    assert function["TracingConfig"] == {"Mode": "Active"}
    assert resources["Stage"]["Properties"]["TracingEnabled"] is True


def test_scaling_follows_the_parameters_and_keeps_what_it_reached(template: Template) -> None:
    values = {"ImageSimilarity": "yes-sagemaker", "SageMakerMinInstances": "2", "SageMakerMaxInstances": "5"}
    stack = resolve(template, values)
    target = stack.one("AWS::ApplicationAutoScaling::ScalableTarget").properties
    assert (target["MinCapacity"], target["MaxCapacity"]) == ("2", "5")
    endpoint = stack.one("AWS::SageMaker::Endpoint")
    assert target["ResourceId"] == f"endpoint/{endpoint.properties['EndpointName']}/variant/AllTraffic"
    assert endpoint.properties["RetainAllVariantProperties"] is True
    assert "SageMakerLogGroup" in endpoint.depends_on
    policy = stack.one("AWS::ApplicationAutoScaling::ScalingPolicy").properties
    tracking = policy["TargetTrackingScalingPolicyConfiguration"]
    metric = tracking["PredefinedMetricSpecification"]["PredefinedMetricType"]
    assert metric == "SageMakerVariantInvocationsPerInstance"
