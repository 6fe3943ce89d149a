"""A synthesized template and parameter values in, resolved resources out. Pure: no AWS call, no file."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from local.template.identifiers import DerivedIdentifiers, PseudoParameters
from local.template.intrinsics import NO_VALUE, Json, ResolveError, as_text, evaluate, evaluate_condition
from local.template.parameters import check_parameters


@dataclass(frozen=True)
class ResolvedResource:
    """A resource that the parameters switch on, its functions replaced by values."""

    logical_id: str
    type: str
    properties: Mapping[str, Json]
    depends_on: frozenset[str]  # logical ids, from DependsOn and from the functions that were evaluated
    definition: Mapping[str, Json] = field(repr=False)  # as in the template: policies, Metadata


@dataclass(frozen=True)
class ResolvedStack:
    """What CloudFormation would hold after creating the stack."""

    parameters: Mapping[str, str]
    conditions: Mapping[str, bool]
    resources: Mapping[str, ResolvedResource]
    outputs: Mapping[str, Json]
    pseudo: PseudoParameters

    def of_type(self, kind: str) -> list[ResolvedResource]:
        """Resources of one CloudFormation type, in the template's order."""
        return [resource for resource in self.resources.values() if resource.type == kind]

    def one(self, kind: str) -> ResolvedResource:
        """Return the only resource of a type; ResolveError when there is none or more than one."""
        resources = self.of_type(kind)
        if len(resources) != 1:
            raise ResolveError(f"The stack has {len(resources)} resources of type {kind}; one is expected.")
        return resources[0]


Lookup = Callable[[str, str | None], Json]  # (logical id, attribute or None for Ref) -> value


class Resolver:
    """Evaluates one template for one set of parameter values, resource by resource.

    Without `lookup`, Ref and GetAtt give derived identifiers; the engine passes one that reads what it
    has really created.
    """

    def __init__(
        self,
        template: Mapping[str, Json],
        parameters: Mapping[str, str],
        pseudo: PseudoParameters | None = None,
        lookup: Lookup | None = None,
    ) -> None:
        self.template = template
        self.pseudo = pseudo or PseudoParameters()
        self.parameters = check_parameters(template, parameters)
        self.definitions: Mapping[str, Json] = template.get("Resources", {})
        self._conditions: dict[str, bool] = {}
        self._lookup = lookup or self._derived
        self._derive = DerivedIdentifiers(
            self.pseudo, {name: definition["Type"] for name, definition in self.definitions.items()}
        )
        self._seen: set[str] = set()
        self._check_rules()

    @property
    def live(self) -> list[str]:
        """Logical ids whose condition holds, in the template's order."""
        return [name for name in self.definitions if self._is_live(name)]

    def resource(self, logical_id: str) -> ResolvedResource:
        """Resolve one live resource. Raises ResolveError."""
        definition = self.definitions[logical_id]
        self._seen = set()
        try:
            properties = evaluate(definition.get("Properties", {}), self)
        except ResolveError as error:
            raise ResolveError(f"{logical_id}: {error}") from error
        explicit = definition.get("DependsOn", [])
        explicit = [explicit] if isinstance(explicit, str) else explicit
        depends_on = frozenset(name for name in [*explicit, *self._seen] if self._is_live(name))
        return ResolvedResource(logical_id, definition["Type"], properties, depends_on, definition)

    def outputs(self) -> dict[str, Json]:
        """Values of the outputs whose condition holds."""
        return {
            name: evaluate(output["Value"], self)
            for name, output in self.template.get("Outputs", {}).items()
            if "Condition" not in output or self.condition(output["Condition"])
        }

    def ref(self, name: str) -> Json:
        """Value of Ref: parameter, pseudo parameter or live resource."""
        if name in self.parameters:
            return self.parameters[name]
        if name == "AWS::NoValue":
            return NO_VALUE
        if name in self.pseudo.values:
            return self.pseudo.values[name]
        return self._of_resource(name, None)

    def attribute(self, logical_id: str, name: str) -> Json:
        """Value of Fn::GetAtt on a live resource."""
        return self._of_resource(logical_id, name)

    def condition(self, name: str) -> bool:
        """Value of a named condition."""
        if name not in self._conditions:
            definitions = self.template.get("Conditions", {})
            if name not in definitions:
                raise ResolveError(f"The template has no condition {name}.")
            self._conditions[name] = evaluate_condition(definitions[name], self)
        return self._conditions[name]

    def _is_live(self, logical_id: str) -> bool:
        condition = self.definitions[logical_id].get("Condition")
        return condition is None or self.condition(condition)

    def _of_resource(self, logical_id: str, attribute: str | None) -> Json:
        if logical_id not in self.definitions:
            raise ResolveError(f"The template has no parameter or resource {logical_id}.")
        if not self._is_live(logical_id):  # CloudFormation: "Unresolved resource dependencies"
            raise ResolveError(f"{logical_id} is referred to while its condition is false.")
        self._seen.add(logical_id)
        return self._lookup(logical_id, attribute)

    def _derived(self, logical_id: str, attribute: str | None) -> Json:
        properties = self.definitions[logical_id].get("Properties", {})
        names = {
            key: evaluate(node, self)
            for key, node in properties.items()
            if key.endswith(("Name", "BucketArn")) and isinstance(node, str | dict)
        }
        if attribute is None:
            return self._derive.ref(logical_id, names)
        return self._derive.attribute(logical_id, attribute, names)

    def _check_rules(self) -> None:
        for name, rule in self.template.get("Rules", {}).items():
            if "RuleCondition" in rule and not evaluate_condition(rule["RuleCondition"], self):
                continue
            for assertion in rule["Assertions"]:
                if not evaluate_condition(assertion["Assert"], self):
                    description = assertion.get("AssertDescription", f"Rule {name} does not hold.")
                    raise ResolveError(as_text(description))


def resolve(
    template: Mapping[str, Json],
    parameters: Mapping[str, str],
    *,
    pseudo: PseudoParameters | None = None,
) -> ResolvedStack:
    """Resolve a whole template. Raises ResolveError with a sentence a user can act on."""
    resolver = Resolver(template, parameters, pseudo)
    resources = {name: resolver.resource(name) for name in resolver.live}
    conditions = {name: resolver.condition(name) for name in template.get("Conditions", {})}
    return ResolvedStack(resolver.parameters, conditions, resources, resolver.outputs(), resolver.pseudo)
