"""What the stack needs from any backend."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from constructs import IDependable

from cdk_app.alarms import Alarm, Metric
from cdk_app.openapi import Json


@dataclass(frozen=True)
class Output:
    """One output of the stack."""

    name: str
    value: str
    description: str


class Backend(Protocol):
    """One way to run the feature. Its resources exist under the condition `Is<name>`."""

    @property
    def name(self) -> str:
        """Part of conditions and logical ids: `Lambda` or `SageMaker`."""

    @property
    def integration(self) -> Json:
        """API Gateway's integration of the feature's routes."""

    @property
    def permission(self) -> IDependable | None:
        """What must exist before a route to it is served, besides what the integration refers to."""

    @property
    def variables(self) -> Mapping[str, str]:
        """Stage variables, values that may change without a Deployment."""

    @property
    def alarms(self) -> Sequence[Alarm]:
        """The alarms that only this backend needs."""

    @property
    def turned_away(self) -> Metric:
        """Requests that it refused because it was busy; they have their own alarm."""

    @property
    def widgets(self) -> object:
        """Its part of the dashboard: widgets as JSON without the list's brackets."""

    @property
    def outputs(self) -> Sequence[Output]:
        """Outputs of the stack while it runs."""
