"""One Deployment for each combination of the body's axes, and which of them is live.

A Deployment is a snapshot that CloudFormation never renews by itself. docs/adr tells why there is one for
each combination, and which rules keep a parameter change live at once, never open and never stale.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_apigateway as apigateway
from constructs import Construct, IDependable

from cdk_app.conditions import Combination, Conditions, pick

HASH_LENGTH = 8


@dataclass(frozen=True)
class Permissions:
    """What API Gateway needs before it can serve routes, besides what their integrations refer to.

    Attributes:
        backends: by backend, of the feature's routes; a backend whose integration says all has none.
        explorer: of the Explorer's.
        catalogue: of the catalogue's; None where the template has none.
    """

    backends: Mapping[str, IDependable]
    explorer: IDependable
    catalogue: IDependable | None = None

    def of(self, combination: Combination) -> Iterator[IDependable]:
        """Those of what the combination serves, which its condition implies."""
        if combination.backend in self.backends:
            yield self.backends[combination.backend]
        if combination.explorer:
            yield self.explorer
        if combination.catalogue and self.catalogue is not None:
            yield self.catalogue


def live(
    scope: Construct,
    conditions: Conditions,
    api_id: str,
    *,
    snapshot: Mapping[str, Any],
    permissions: Permissions,
) -> object:
    """Make every Deployment; the id of the one that exists, by nested Fn::If.

    Args:
        scope: the API's construct.
        conditions: the stack's.
        api_id: the API.
        snapshot: all that a Deployment freezes: body, compression, and a resource policy once there is one.
        permissions: what each must wait for.
    """
    fingerprint = _fingerprint(scope, snapshot)
    ids: dict[Combination, object] = {}
    for combination in conditions.combinations():
        # The hash renews it with the template.
        deployment = apigateway.CfnDeployment(
            scope, f"Deployment{combination.name}{fingerprint}", rest_api_id=api_id
        )
        deployment.cfn_options.condition = conditions.of[combination]
        for permission in permissions.of(combination):
            deployment.node.add_dependency(permission)
        ids[combination] = {"Ref": deployment.logical_id}
    chosen = _of_backend(conditions, ids, "Off")
    for backend in conditions.backends:
        chosen = pick(conditions[f"Is{backend}"], _of_backend(conditions, ids, backend), chosen)
    return chosen


def _of_backend(conditions: Conditions, ids: Mapping[Combination, object], backend: str) -> object:
    def by_catalogue(*, signed: bool, explorer: bool) -> object:
        without = ids[Combination(backend, signed, explorer)]
        served = ids.get(Combination(backend, signed, explorer, catalogue=True))
        return without if served is None else pick(conditions["IsCatalogueServing"], served, without)

    def by_explorer(*, signed: bool) -> object:
        served = by_catalogue(signed=signed, explorer=True)
        return pick(conditions.has_explorer, served, by_catalogue(signed=signed, explorer=False))

    return pick(conditions.is_signed, by_explorer(signed=True), by_explorer(signed=False))


def _fingerprint(scope: Construct, snapshot: Mapping[str, Any]) -> str:
    resolved = json.dumps(cdk.Stack.of(scope).resolve(snapshot), sort_keys=True)
    return hashlib.sha256(resolved.encode()).hexdigest()[:HASH_LENGTH]
