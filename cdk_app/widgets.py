"""Pieces of a dashboard's body, texts for Fn::Sub.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

Widget = dict[str, Any]


def metrics(namespace: str, names: Sequence[str], dimensions: Sequence[str]) -> list[list[Any]]:
    """A widget's metrics; a dot stands for what the line above says, an ellipsis for all of it."""
    first, *others = names
    return [[namespace, first, *dimensions], *([".", name, *"." * len(dimensions)] for name in others)]


def widget(title: str, statistic: str, lines: list[list[Any]]) -> Widget:
    """A graph."""
    properties = {
        "title": title,
        "region": "${AWS::Region}",
        "stat": statistic,
        "metrics": lines,
    }
    return {"type": "metric", "width": 12, "properties": properties}


def bare(widgets: Sequence[Widget]) -> str:
    """The widgets as JSON without the list's brackets."""
    return json.dumps(widgets, separators=(",", ":"))[1:-1]


def substituted(widgets: Sequence[Widget], names: Mapping[str, str]) -> object:
    """The widgets as JSON without the brackets, names filled in."""
    return {"Fn::Sub": [bare(widgets), dict(names)]}
