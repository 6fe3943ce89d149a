"""A CloudFormation engine for one stack: enough of its order of operations to prove a template by running it.

What it models: creation and update in dependency order (any such order, chosen by a seed, because
CloudFormation works in parallel), replacement of resources by the provider schemas' create-only properties,
deletion in a clean-up phase after all updates, rollback to the resources of before, parameters that keep
their previous values. What it does not: drift, nested stacks, transforms, imports, time.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks-update-behaviors.html
"""

import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from local.template.identifiers import PseudoParameters
from local.template.intrinsics import Json, ResolveError, as_text
from local.template.resolve import ResolvedResource, Resolver, resolve
from tests.cloudformation.providers import PROVIDERS, Cloud, Physical, ProviderFailed
from tests.cloudformation.replacement import needs_replacement
from tests.cloudformation.types import unrecognized


@dataclass(frozen=True)
class Created:
    """A resource that the stack has."""

    logical_id: str
    type: str
    physical: Physical
    properties: Mapping[str, Json]
    depends_on: frozenset[str]
    definition: Mapping[str, Json]

    def retained(self, *, replaced: bool) -> bool:
        """Whether it stays in the account when the stack gives it up, as replaced or as not wanted."""
        policy = "UpdateReplacePolicy" if replaced else "DeletionPolicy"
        return bool(self.definition.get(policy, "Delete") != "Delete")


@dataclass(frozen=True)
class Step:
    """One operation that was done."""

    action: str  # CREATE, UPDATE, REPLACE, DELETE, RESTORE
    logical_id: str


@dataclass(frozen=True)
class Outcome:
    """How a deployment ended: a CloudFormation stack status, and why where it failed."""

    status: str
    reason: str = ""


class Engine:
    """One stack in an account.

    Args:
        cloud: the account.
        pseudo: region, account, name and id of the stack.
        on_step: called after every operation.
        fail: asked after every operation but a rollback's; a text makes that operation fail.
        seed: chooses one of the orders that the dependencies allow.
    """

    def __init__(
        self,
        cloud: Cloud,
        pseudo: PseudoParameters,
        *,
        on_step: Callable[[Step], None] = lambda step: None,
        fail: Callable[[Step], str | None] = lambda step: None,
        seed: int = 0,
    ) -> None:
        self.cloud = cloud
        self.pseudo = pseudo
        self.on_step = on_step
        self.fail = fail
        self.random = random.Random(seed)
        self.resources: dict[str, Created] = {}
        self.parameters: dict[str, str] = {}
        self.outputs: dict[str, Json] = {}
        self._count = 0
        self._superseded: list[Created] = []

    def deploy(self, template: Mapping[str, Json], parameters: Mapping[str, str]) -> Outcome:
        """Create or update the stack; parameters that are not given keep their previous values.

        Raises ResolveError for what CloudFormation refuses before it does anything.
        """
        if unknown := unrecognized(template, self.pseudo.region):
            raise ResolveError(f"Template format error: Unrecognized resource types: {unknown}")
        kind = "UPDATE" if self.resources else "CREATE"
        before = dict(self.resources)
        declared = template.get("Parameters", {})
        kept = {name: value for name, value in self.parameters.items() if name in declared}
        values = {**kept, **parameters}
        planned = resolve(template, values, pseudo=self.pseudo).resources
        resolver = Resolver(template, values, self.pseudo, self._lookup)
        try:
            for logical_id in self._order({name: item.depends_on for name, item in planned.items()}):
                self._apply(resolver.resource(logical_id), planned[logical_id].depends_on)
        except ProviderFailed as error:
            self._roll_back(before)
            return Outcome("UPDATE_ROLLBACK_COMPLETE" if before else "ROLLBACK_COMPLETE", str(error))
        gone = [item for name, item in self.resources.items() if name not in planned]
        self.resources = {name: item for name, item in self.resources.items() if name in planned}
        self._delete(gone, self._superseded)
        defaults = {name: as_text(item["Default"]) for name, item in declared.items() if "Default" in item}
        self.parameters = {**defaults, **values}
        self.outputs = resolver.outputs()
        return Outcome(f"{kind}_COMPLETE")

    def delete(self) -> Outcome:
        """Delete the stack."""
        self._delete(list(self.resources.values()))
        self.resources, self.parameters, self.outputs = {}, {}, {}
        return Outcome("DELETE_COMPLETE")

    def _apply(self, wanted: ResolvedResource, depends_on: frozenset[str]) -> None:
        current = self.resources.get(wanted.logical_id)
        if current is None:
            self._create("CREATE", wanted, depends_on)
        elif current.type != wanted.type or needs_replacement(
            wanted.type, current.properties, wanted.properties
        ):
            self._superseded.append(current)
            self._create("REPLACE", wanted, depends_on)
        elif current.properties != wanted.properties:
            updated = replace(
                current, properties=wanted.properties, depends_on=depends_on, definition=wanted.definition
            )
            PROVIDERS[wanted.type].update(self.cloud, current.physical, current.properties, wanted.properties)
            self.resources[wanted.logical_id] = updated
            self._done(Step("UPDATE", wanted.logical_id))
        else:
            self.resources[wanted.logical_id] = replace(
                current, depends_on=depends_on, definition=wanted.definition
            )

    def _create(self, action: str, wanted: ResolvedResource, depends_on: frozenset[str]) -> None:
        self._count += 1
        name = f"{self.pseudo.stack_name}-{wanted.logical_id}-{self._count:05d}"
        physical = PROVIDERS[wanted.type].create(self.cloud, name, wanted.properties)
        self.resources[wanted.logical_id] = Created(
            wanted.logical_id,
            wanted.type,
            physical,
            wanted.properties,
            depends_on,
            wanted.definition,
        )
        self._done(Step(action, wanted.logical_id))

    def _roll_back(self, before: dict[str, Created]) -> None:
        """Bring back the resources of before, then delete what was created since."""
        self.fail, fail = (lambda step: None), self.fail
        after, self.resources = self.resources, dict(self.resources)
        for logical_id in self._order({name: item.depends_on for name, item in before.items()}):
            old, new = before[logical_id], after[logical_id]
            self.resources[logical_id] = old
            if new.physical == old.physical and new.properties != old.properties:
                PROVIDERS[old.type].update(self.cloud, old.physical, new.properties, old.properties)
                self._done(Step("RESTORE", logical_id))
        known = {(item.type, item.physical.ref) for item in before.values()}
        added = [item for item in after.values() if (item.type, item.physical.ref) not in known]
        self.resources = before
        self._superseded = []
        self._delete(added)
        self.fail = fail

    def _delete(self, doomed: list[Created], superseded: list[Created] | None = None) -> None:
        self._superseded = []
        replaced = {item.logical_id: item for item in superseded or []}
        by_id = {item.logical_id: item for item in doomed} | replaced
        for logical_id in reversed(self._order({name: item.depends_on for name, item in by_id.items()})):
            item = by_id[logical_id]
            if not item.retained(replaced=logical_id in replaced):
                PROVIDERS[item.type].delete(self.cloud, item.physical, item.properties)
                self._done(Step("DELETE", logical_id))

    def _done(self, step: Step) -> None:
        self.on_step(step)
        reason = self.fail(step)
        if reason is not None:
            raise ProviderFailed(reason)

    def _lookup(self, logical_id: str, attribute: str | None) -> Json:
        physical = self.resources[logical_id].physical
        if attribute is None:
            return physical.ref
        if attribute not in physical.attributes:
            raise ResolveError(f"{logical_id} has no attribute {attribute} that is known here.")
        return physical.attributes[attribute]

    def _order(self, dependencies: Mapping[str, Iterable[str]]) -> list[str]:
        """Return the ids so that each comes after what it depends on: one of the possible orders."""
        waiting = {name: set(needs) & dependencies.keys() for name, needs in dependencies.items()}
        order: list[str] = []
        while waiting:
            ready = [name for name, needs in waiting.items() if not needs]
            if not ready:
                raise ProviderFailed(f"Circular dependency between resources: {sorted(waiting)}")
            chosen = self.random.choice(ready)
            order.append(chosen)
            del waiting[chosen]
            for needs in waiting.values():
                needs.discard(chosen)
        return order
