"""How the catalogue is monitored: its alarms, and its row on the dashboard."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aws_cdk import aws_lambda as lambda_

from cdk_app import function_alarms
from cdk_app.alarms import NAMESPACE, Alarm, Metric
from cdk_app.catalogue.events import Queues
from cdk_app.choices import Choices
from cdk_app.conditions import Conditions, pick
from cdk_app.widgets import bare, metrics, widget

KEPT, SERVING = "HasCatalogue", "IsCatalogueServing"
PICTURES = ("Indexed", "Deleted", "Failed", "Later")
"""What happened to them (image_similarity/catalogue/telemetry.py); Later: they are tried again."""
LATE_SECONDS = 3600
PAUSED_TOO_LONG_SECONDS = 10 * 24 * 3600


@dataclass(frozen=True)
class Watched:
    """What the catalogue consists of, for its alarms and widgets."""

    queues: Queues
    indexer: lambda_.CfnFunction
    answerer: lambda_.CfnFunction

    @property
    def turned_away(self) -> Metric:
        """Calls that were not answered because Lambda was full."""
        return function_alarms.counted(self.answerer, "Throttles")

    def alarms(self, choices: Choices) -> tuple[Alarm, ...]:
        """Of its functions, and of its events."""
        return (*self._of_functions(choices), *self._of_events(choices.conditions))

    def _of_functions(self, choices: Choices) -> tuple[Alarm, ...]:
        """What callers are refused, and what indexing and answering cost.

        What is thrown back while indexing comes again, and in the end is among the dead letters.
        """
        return (
            function_alarms.throttles_alarm(
                "CatalogueThrottlesAlarm", SERVING, choices, self.answerer, "the catalogue's calls"
            ),
            function_alarms.spend_alarm(
                "CatalogueSpendAlarm",
                SERVING,
                choices,
                {"Index": self.indexer, "Answer": self.answerer},
                who="The catalogue's functions cost",
                bounds="CatalogueConcurrency, LambdaMaxConcurrency and ThrottlingRateLimit",
            ),
        )

    def _of_events(self, conditions: Conditions) -> tuple[Alarm, ...]:
        """What loses events, and what is late; also while it is paused, as long as events are kept."""
        queue, dead = self.queues.queue.attr_queue_name, self.queues.dead.attr_queue_name
        rule = self.queues.rule.ref
        waiting = Metric("AWS/SQS", "ApproximateNumberOfMessagesVisible", "Maximum", {"QueueName": dead})
        age = Metric("AWS/SQS", "ApproximateAgeOfOldestMessage", "Maximum", {"QueueName": queue})
        failed = Metric("AWS/Events", "FailedInvocations", "Sum", {"RuleName": rule})
        serving = conditions[SERVING]
        late = pick(
            serving,
            "Changes in the buckets have waited for over an hour: the catalogue's function fails, or "
            "can't keep up (CatalogueConcurrency).",
            "The catalogue has been paused for 10 days; after 14 days events are lost, and a sync is needed.",
        )
        return (
            Alarm(
                "CatalogueDeadLettersAlarm",
                KEPT,
                "Some pictures failed five times to be indexed: fix what the log reports, then redrive the "
                "dead letters to the output CatalogueQueue.",
                0,
                {"waiting": waiting},
                "waiting",
            ),
            Alarm(
                "CatalogueAgeAlarm",
                KEPT,
                late,
                pick(serving, LATE_SECONDS, PAUSED_TOO_LONG_SECONDS),
                {"age": age},
                "age",
            ),
            Alarm(
                "CatalogueEventsAlarm",
                KEPT,
                "Events from the buckets did not reach the catalogue's queue: fix that, then sync.",
                0,
                {"failed": failed},
                "failed",
                periods=1,
            ),
        )

    def widgets(self) -> object:
        """The dashboard's row, JSON after a comma."""
        names: Mapping[str, str] = {
            "Queue": self.queues.queue.attr_queue_name,
            "Dead": self.queues.dead.attr_queue_name,
            "Index": self.indexer.ref,
            "Answer": self.answerer.ref,
        }
        visible, age = "ApproximateNumberOfMessagesVisible", "ApproximateAgeOfOldestMessage"
        waiting: list[list[Any]] = [
            ["AWS/SQS", visible, "QueueName", "${Queue}"],
            ["AWS/SQS", visible, "QueueName", "${Dead}", {"label": "dead letters"}],
            ["AWS/SQS", age, "QueueName", "${Queue}", {"label": "oldest, s", "yAxis": "right"}],
        ]
        calls = ("Invocations", "Errors", "Throttles")
        lines: list[list[Any]] = [
            *metrics("AWS/Lambda", calls, ("FunctionName", "${Index}")),
            *metrics("AWS/Lambda", calls, ("FunctionName", "${Answer}")),
        ]
        own = ("Stack", "${AWS::StackName}", "Backend", "catalogue")
        row = [
            widget("Catalogue: queue", "Maximum", waiting),
            widget("Catalogue: pictures", "Sum", metrics(NAMESPACE, PICTURES, own)),
            widget("Catalogue: calls of its functions", "Sum", lines),
        ]
        return {"Fn::Sub": [f",{bare(row)}", names]}
