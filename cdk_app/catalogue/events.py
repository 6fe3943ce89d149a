"""From the buckets' events to the queue: a rule, the queue, and a second one for what can't be delivered."""

from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from cdk_app import addresses, iam
from cdk_app.choices import Choices
from cdk_app.conditions import pick

INDEX_TIMEOUT_SECONDS = 300
WINDOW_SECONDS = 20
# What the event source mapping asks for, or messages come again while they are worked on:
# https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
VISIBILITY_SECONDS = 6 * INDEX_TIMEOUT_SECONDS + WINDOW_SECONDS
# The longest possible, for a paused catalogue:
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html
RETENTION_SECONDS = 14 * 24 * 3600
RECEIVES = 5
LONG_POLL_SECONDS = 20
# EventBridge's own defaults, written down: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-retry-policy.html
RETRY_SECONDS, RETRIES = 24 * 3600, 185
DETAIL_TYPES = ("Object Created", "Object Deleted", "Object Restore Completed")


@dataclass(frozen=True)
class Queues:
    """What waits to be indexed, what could not be, and the rule that fills them."""

    queue: sqs.CfnQueue
    dead: sqs.CfnQueue
    rule: events.CfnRule


def queues(scope: Construct, choices: Choices) -> Queues:
    """Make both queues, their policies, and then the rule.

    The policies come first: EventBridge does not repeat what a queue refuses. So they name the rule before it
    exists, and the rule has a name of its own, from the stack's id.
    """
    dead = _queue(scope, "DeadLetters", choices, None)
    redrive = {"deadLetterTargetArn": dead.attr_arn, "maxReceiveCount": RECEIVES}
    queue = _queue(scope, "Queue", choices, redrive)
    rule = _rule(scope, choices, queue, dead)
    for name, made in (("QueuePolicy", queue), ("DeadLettersPolicy", dead)):
        rule.add_dependency(_policy(scope, name, made))
    return Queues(queue, dead, rule)


def _queue(scope: Construct, queue_id: str, choices: Choices, redrive: object) -> sqs.CfnQueue:
    """A queue with a generated name: one that was deleted can't be made again for 60 seconds."""
    has_key = choices.conditions.has_key
    return sqs.CfnQueue(
        scope,
        queue_id,
        visibility_timeout=VISIBILITY_SECONDS,
        message_retention_period=RETENTION_SECONDS,
        receive_message_wait_time_seconds=LONG_POLL_SECONDS,
        kms_master_key_id=cdk.Token.as_string(pick(has_key, choices.parameters["KmsKeyArn"])),
        sqs_managed_sse_enabled=cdk.Token.as_any(pick(has_key, then=False, otherwise=True)),
        redrive_policy=redrive,
    )


def _rule(scope: Construct, choices: Choices, queue: sqs.CfnQueue, dead: sqs.CfnQueue) -> events.CfnRule:
    """The rule: 1,024 characters of bucket names stay under the 2,048 of a pattern."""
    names = cdk.Fn.split(",", choices.parameters["ImageBuckets"])
    pattern = {
        "source": ["aws.s3"],
        "account": [cdk.Aws.ACCOUNT_ID],
        "detail-type": list(DETAIL_TYPES),
        "detail": {"bucket": {"name": names}},
    }
    target = events.CfnRule.TargetProperty(
        id="Queue",
        arn=queue.attr_arn,
        retry_policy=events.CfnRule.RetryPolicyProperty(
            maximum_event_age_in_seconds=RETRY_SECONDS, maximum_retry_attempts=RETRIES
        ),
        dead_letter_config=events.CfnRule.DeadLetterConfigProperty(arn=dead.attr_arn),
    )
    return events.CfnRule(
        scope,
        "Rule",
        name=addresses.own_name(),
        description="Objects in ImageBuckets that are created, changed or deleted",
        event_pattern=pattern,
        targets=[target],
    )


def _policy(scope: Construct, policy_id: str, queue: sqs.CfnQueue) -> sqs.CfnQueuePolicy:
    """Let the one rule send, and nobody without TLS do anything."""
    rule = iam.arn(f"events:rule/{addresses.OWN_NAME}", Stack=addresses.stack_part())
    send = iam.allow(["sqs:SendMessage"], queue.attr_arn, ArnEquals={"aws:SourceArn": rule})
    plain = iam.deny(["sqs:*"], queue.attr_arn, Bool={"aws:SecureTransport": "false"})
    statements = [{**send, "Principal": {"Service": "events.amazonaws.com"}}, {**plain, "Principal": "*"}]
    return sqs.CfnQueuePolicy(scope, policy_id, queues=[queue.ref], policy_document=iam.document(statements))
