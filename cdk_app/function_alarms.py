"""Alarms of functions: calls that Lambda turns away, and what the others cost."""

from collections.abc import Mapping

from aws_cdk import aws_lambda as lambda_

from cdk_app.alarms import PERIOD_SECONDS, Alarm, Metric
from cdk_app.choices import Choices
from cdk_app.conditions import pick

# us-east-1's list price of a second with 1 GB, and of a call: https://aws.amazon.com/lambda/pricing/
DOLLARS_PER_GB_SECOND = {"x86_64": 0.0000166667, "arm64": 0.0000133334}
DOLLARS_PER_CALL = 0.0000002
SPEND_DOLLARS_AN_HOUR = 5


def counted(function: lambda_.CfnFunction, name: str) -> Metric:
    """Lambda's own metric of a function, summed up."""
    return Metric("AWS/Lambda", name, "Sum", {"FunctionName": function.ref})


def throttles_alarm(
    alarm_id: str, condition: str, choices: Choices, function: lambda_.CfnFunction, calls: str
) -> Alarm:
    """Calls are turned away; `calls` names them in the alarm's text."""
    text = pick(
        choices.conditions.has_ceiling,
        f"Lambda turns {calls} away: LambdaMaxConcurrency is reached.",
        f"Lambda turns {calls} away: the account's concurrency is used up.",
    )
    return Alarm(alarm_id, condition, text, 0, {"throttles": counted(function, "Throttles")}, "throttles")


def spend_alarm(
    alarm_id: str,
    condition: str,
    choices: Choices,
    functions: Mapping[str, lambda_.CfnFunction],
    *,
    who: str,
    bounds: str,
) -> Alarm:
    """Calls, and their seconds with the functions' memory, at the list price.

    Args:
        alarm_id: the construct's id.
        condition: the name of the condition under which it exists.
        choices: parameters, conditions and flags.
        functions: by what is put behind the names of their metrics.
        who: begins the alarm's text, as "Lambda costs".
        bounds: the parameters that bound it.
    """
    price = f"{DOLLARS_PER_GB_SECOND[choices.config['architecture']]:.10f}"
    wanted = {"calls": "Invocations", "duration": "Duration"}
    metrics = {
        f"{name}{suffix}": counted(function, metric)
        for suffix, function in functions.items()
        for name, metric in wanted.items()
    }

    def total(name: str) -> str:
        """Of several functions some may have had no call, which is no data point."""
        names = [f"{name}{suffix}" for suffix in functions]
        return f"({' + '.join(f'FILL({one}, 0)' for one in names)})" if len(names) > 1 else names[0]

    text = (
        f"{who} over {SPEND_DOLLARS_AN_HOUR} dollars an hour (at us-east-1's list price): {bounds} limit it."
    )
    seconds = f"{total('duration')} / 1000 * ${{LambdaMemorySize}} / 1024 * {price}"
    return Alarm(
        alarm_id,
        condition,
        text,
        SPEND_DOLLARS_AN_HOUR * PERIOD_SECONDS / 3600,
        metrics,
        {"Fn::Sub": f"{seconds} + {total('calls')} * {DOLLARS_PER_CALL:.7f}"},
    )
