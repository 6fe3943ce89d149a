"""Which service may do what on the stack's behalf, by the keys that services really send."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from local.gateway.snapshot import LiveStage, Route
from local.template.identifiers import PseudoParameters
from local.template.policies import Call, Statement, allows

ASSUME_ROLE = "sts:AssumeRole"
INVOKE_FUNCTION = "lambda:InvokeFunction"
INVOKE_ENDPOINT = "sagemaker:InvokeEndpoint"
ACCOUNT, ARN = "aws:SourceAccount", "aws:SourceArn"
SEND_MESSAGE = "sqs:SendMessage"
LAMBDA, SAGEMAKER, API_GATEWAY = (f"{name}.amazonaws.com" for name in ("lambda", "sagemaker", "apigateway"))
EVENTS = "events.amazonaws.com"
POLLERS = "lambda.amazonaws.com/pollers"
"""Lambda's service too, to a policy; what it sends may be other than where a function is called."""

# Condition keys that a service sends with a call, each with where it is known from. No list by AWS exists
# (https://github.com/prowler-cloud/prowler/issues/2810), so a key without evidence counts as not sent, and
# a call that has no row is refused: a new service needs a row with a source.
SENT = {
    # AWS's own trust policy for a function, lambda-trust-policy.json of the skill
    # deploying-custom-domain-rest-api: https://github.com/aws/agent-toolkit-for-aws
    (LAMBDA, ASSUME_ROLE): {ACCOUNT},
    # Of pollers, which assume the function's role to read its queue, nothing is told.
    (POLLERS, ASSUME_ROLE): set[str](),
    # https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html#eb-sqs-permissions
    (EVENTS, SEND_MESSAGE): {ARN},
    # https://docs.aws.amazon.com/sagemaker/latest/dg/security-confused-deputy-prevention.html
    (SAGEMAKER, ASSUME_ROLE): {ACCOUNT},
    # An integration's credentials, in no partition: "API Gateway does not have permission to assume the
    # provided role", seen on a live stack with aws:SourceAccount in the trust policy.
    # https://github.com/aws-solutions-library-samples/accelerated-intelligent-document-processing-on-aws/pull/479
    (API_GATEWAY, ASSUME_ROLE): set[str](),
    # https://docs.aws.amazon.com/apigateway/latest/developerguide/arn-format-reference.html for the ARN;
    # the account in use: https://github.com/cds-snc/scan-websites/pull/305
    (API_GATEWAY, INVOKE_FUNCTION): {ACCOUNT, ARN},
}


class Policies(Protocol):
    """Where policies are: in the account's services, or in a resolved stack. Names are ARNs."""

    def trust(self, role: str) -> Sequence[Statement]:
        """Statements of a role's trust policy; none for a role that does not exist."""

    def identity(self, role: str) -> Sequence[Statement]:
        """Statements of all policies of a role; none for a role that does not exist."""

    def function(self, function: str) -> Sequence[Statement]:
        """Statements of a function's resource policy; none where it has no policy."""

    def queue(self, queue: str) -> Sequence[Statement]:
        """Statements of a queue's policy; none where it has no policy."""


@dataclass(frozen=True)
class Permissions:
    """Answers for the account and region of `pseudo`, by `policies`."""

    policies: Policies
    pseudo: PseudoParameters

    def may_assume(self, service: str, role: str) -> bool:
        """Whether a service may assume a role (by ARN)."""
        return allows(self.policies.trust(role), self._call(service, ASSUME_ROLE, role))

    def may_invoke_function(self, function: str, stage: LiveStage, route: Route) -> bool:
        """Whether API Gateway may call a function (by ARN) for a route of a stage."""
        api = f"execute-api:{self.pseudo.region}:{self.pseudo.account}:{stage.api_id}"
        source = f"arn:{self.pseudo.partition}:{api}/{stage.name}/{route.method}{route.path}"
        call = self._call(API_GATEWAY, INVOKE_FUNCTION, function, source)
        return allows(self.policies.function(function), call)

    def may_invoke_endpoint(self, role: str, endpoint: str) -> bool:
        """Whether a role's session may call an endpoint (by name)."""
        where = f"{self.pseudo.region}:{self.pseudo.account}:endpoint/{endpoint}"
        arn = f"arn:{self.pseudo.partition}:sagemaker:{where}"
        return allows(self.policies.identity(role), Call(INVOKE_ENDPOINT, arn))

    def may_send(self, service: str, queue: str, source_arn: str) -> bool:
        """Whether a service may send to a queue (by ARN) for a resource of its own (by ARN)."""
        call = self._call(service, SEND_MESSAGE, queue, source_arn)
        return allows(self.policies.queue(queue), call)

    def may_on(self, role: str, action: str, resource: str, **context: str) -> bool:
        """Whether a role (by ARN) may do something on one resource (by ARN), with these condition keys."""
        return allows(self.policies.identity(role), Call(action, resource, context=context))

    def may(self, role: str, action: str, **context: str) -> bool:
        """Whether a role (by ARN) may do something on every resource, with these condition keys."""
        return allows(self.policies.identity(role), Call(action, "*", context=context))

    def _call(self, service: str, action: str, resource: str, source_arn: str = "") -> Call:
        values = {ACCOUNT: self.pseudo.account, ARN: source_arn}
        sent = SENT.get((service, action))
        if sent is None:
            raise LookupError(f"What {service} sends with {action} is not known here: add a row to SENT.")
        principal = service.partition("/")[0]
        return Call(action, resource, principal, {key: values[key] for key in sent})
