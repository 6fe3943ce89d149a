"""All choices, at deployment by parameters and at synthesis by flags; every construct builds on them."""

from dataclasses import dataclass

from cdk_app.conditions import Conditions
from cdk_app.config import DeploymentConfig
from cdk_app.parameters import Parameters


@dataclass(frozen=True)
class Choices:
    """The stack's parameters, the conditions on them, and the flags."""

    parameters: Parameters
    conditions: Conditions
    config: DeploymentConfig
