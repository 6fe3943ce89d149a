"""Alarms and a dashboard: of the API, of the service's own metrics, and of the backend that runs."""

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from cdk_app import alarms
from cdk_app.alarms import NAMESPACE, Alarm, Metric, While
from cdk_app.backend import Backend
from cdk_app.catalogue.construct import Catalogue
from cdk_app.choices import Choices
from cdk_app.conditions import pick
from cdk_app.rest_api import RestApi, throttles
from cdk_app.widgets import Widget, bare, metrics, widget

FAILED_SHARE = 0.05
USED_SHARE = 0.8
SLOW_MILLISECONDS = 10_000
API = ["ApiName", "${Api}", "Stage", "${Stage}"]
SERVICE = ["Stack", "${AWS::StackName}", "Backend", "${Backend}"]


class Observability(Construct):
    """Everything under the feature's condition, or under that of the backend it watches."""

    def __init__(
        self,
        scope: Construct,
        choices: Choices,
        *,
        title: str,
        api: RestApi,
        backends: Sequence[Backend],
        catalogue: Catalogue | None,
    ) -> None:
        super().__init__(scope, "Observability")
        self._choices = choices
        self._api = {"ApiName": title, "Stage": api.stage_name}
        self._backends = {backend.name: backend for backend in backends}
        self._running = choices.conditions.by_backend({name: name.lower() for name in self._backends})
        self._catalogue = catalogue
        own = [alarm for backend in backends for alarm in backend.alarms]
        own += catalogue.alarms if catalogue else ()
        for alarm in (self._errors_alarm(), self._latency_alarm(), self._requests_alarm(), *own):
            alarms.make(self, choices, alarm)
        self._dashboard()

    def _metric(self, name: str, statistic: str) -> Metric:
        return Metric("AWS/ApiGateway", name, statistic, self._api)

    def _errors_alarm(self) -> Alarm:
        """Of the feature's requests and the catalogue's calls alone.

        API Gateway counts preflights and the Explorer's too. Requests that were turned away because a backend
        or the catalogue's function was full are for the alarms of these. A batch is answered 200 whatever
        becomes of its images, so those that broke are added.
        """
        conditions = self._choices.conditions
        away = {name: backend.turned_away for name, backend in self._backends.items()}
        counted: dict[str, Metric | While | object] = {
            "failures": self._metric("5XXError", "Sum"),
            "answers": alarms.own("Latency", "SampleCount", self._running),
            "away": alarms.of_the_running(conditions, away),
            "broken": alarms.own("BrokenBatches", "Sum", self._running),
        }
        share: object = _share("FILL(answers, 0)", "FILL(away, 0)")
        if self._catalogue:
            serving = conditions["IsCatalogueServing"]
            counted["catalogue"] = alarms.own("Latency", "SampleCount", "catalogue")
            counted["catalogueAway"] = While(serving, self._catalogue.turned_away)
            answered = "FILL(answers, 0) + FILL(catalogue, 0)"
            with_it = _share(answered, "FILL(away, 0) - FILL(catalogueAway, 0)")
            share = pick(serving, with_it, _share(answered, "FILL(away, 0)"))
        text = (
            "More than 5 % of the requests got a 5xx, or are batches in which an image failed on our "
            "side; requests that were turned away because a backend is busy do not count here."
        )
        return Alarm("ApiErrorsAlarm", "IsOn", text, FAILED_SHARE, counted, share)

    def _latency_alarm(self) -> Alarm:
        text = "One request in a hundred takes over 10 seconds."
        latency = {"latency": self._metric("Latency", "p99")}
        return Alarm("ApiLatencyAlarm", "IsOn", text, SLOW_MILLISECONDS, latency, "latency")

    def _requests_alarm(self) -> Alarm:
        text = "Requests use over 80 % of ThrottlingRateLimit: the bill nears its limit; callers may get 429."
        rate, _ = throttles(self._choices)
        share = {"Fn::Sub": ["requests / (PERIOD(requests) * ${Rate})", {"Rate": rate}]}
        requests = {"requests": self._metric("Count", "Sum")}
        return Alarm("ApiRequestsAlarm", "IsOn", text, USED_SHARE, requests, share)

    def _dashboard(self) -> None:
        conditions = self._choices.conditions
        values = {
            "Api": self._api["ApiName"],
            "Stage": self._api["Stage"],
            "Backend": self._running,
            "Own": conditions.by_backend({name: item.widgets for name, item in self._backends.items()}),
        }
        body = f'{{"widgets":[{bare(_common_widgets())},${{Own}}]}}'
        if self._catalogue:
            values["Catalogue"] = pick(conditions["IsCatalogueServing"], self._catalogue.widgets, "")
            body = body.replace("${Own}", "${Own}${Catalogue}")
        text = cdk.Token.as_string({"Fn::Sub": [body, values]})
        dashboard = cloudwatch.CfnDashboard(self, "Dashboard", dashboard_body=text)
        dashboard.cfn_options.condition = conditions.is_on


def _share(answered: str, away: str) -> str:
    """The share of failures among what was answered at all."""
    failed = f"(failures - {away} + FILL(broken, 0))"
    return f"{failed} / ({failed} + {answered})"


def _common_widgets() -> list[Widget]:
    """The API's metrics and the service's own."""
    errors = f'{{{NAMESPACE},Stack,Backend,Code}} MetricName="Errors" Stack="${{AWS::StackName}}"'
    requests = metrics("AWS/ApiGateway", ("Count", "4XXError", "5XXError"), API)
    steps = metrics(NAMESPACE, ("Latency", "Fetch", "Decode", "Encode"), SERVICE)
    images = metrics(NAMESPACE, ("Images", "FailedImages"), SERVICE)
    latency = [*metrics("AWS/ApiGateway", ("Latency",), API), ["...", {"stat": "p50"}]]
    return [
        widget("Requests", "Sum", requests),
        widget("Latency seen by callers, ms", "p99", latency),
        widget("Steps of a request, ms", "p50", steps),
        widget("Errors by code", "Sum", [[{"expression": f"SEARCH('{errors}', 'Sum')"}]]),
        widget("Images, and images that failed in batches", "Sum", images),
    ]
