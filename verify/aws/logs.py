"""CloudWatch Logs, read by boto3."""

from collections.abc import Sequence
from typing import Any

from verify.aws.failures import told
from verify.facts import LogGroup


def log_groups(client: Any, names: Sequence[str]) -> dict[str, LogGroup]:  # noqa: ANN401 - made at run time
    """See `verify.cloud.Services`."""
    found: dict[str, LogGroup] = {}
    for name in names:
        with told(f"The log group {name} can't be read"):
            groups = client.describe_log_groups(logGroupNamePrefix=name)["logGroups"]
        found |= {
            group["logGroupName"]: LogGroup(group.get("retentionInDays"), group.get("kmsKeyId", ""))
            for group in groups
            if group["logGroupName"] == name
        }
    return found


def log_lines(client: Any, group: str, since: float) -> list[str]:  # noqa: ANN401 - made at run time
    """See `verify.cloud.Services`."""
    with told(f"The lines of {group} can't be read"):
        pages = client.get_paginator("filter_log_events").paginate(
            logGroupName=group, startTime=int(since * 1000)
        )
        events = [event for page in pages for event in page["events"]]
    return [str(event["message"]) for event in sorted(events, key=lambda event: int(event["timestamp"]))]
