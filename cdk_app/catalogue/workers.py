"""The catalogue's two functions, from the Lambda image: one indexes what waits, one answers calls."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from cdk_app import functions, iam, network
from cdk_app.catalogue import permissions
from cdk_app.catalogue.events import INDEX_TIMEOUT_SECONDS, WINDOW_SECONDS
from cdk_app.choices import Choices
from cdk_app.conditions import pick
from cdk_app.images import service_environment
from cdk_app.lambda_backend import TIMEOUT_SECONDS
from cdk_app.logs import log_group

SERVING = "CatalogueServing"
"""What `network.placement` calls a backend: the condition `Is...`, while the functions are there."""
BATCH = 100


@dataclass(frozen=True)
class Work:
    """What a function does.

    Attributes:
        description: for people, after "the function that".
        command: the handler in the image, `module.function`.
        timeout: seconds.
        caller: who assumes its role, as `iam.SENDS_SOURCE_ACCOUNT` names it.
        recursive: whether it is called by what it sends.
        bounded: whether LambdaMaxConcurrency bounds it, as it does what callers call.
    """

    description: str
    command: str
    timeout: int
    caller: str
    recursive: bool = False
    bounded: bool = False


# A sync sends its next step to the queue that it was called from. Lambda takes that for a loop and stops it
# after about 16 calls, unless it is told that it is meant. A sync ends by its own deadline.
# https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html
INDEXING = Work(
    "indexes pictures", "catalogue.index", INDEX_TIMEOUT_SECONDS, "lambda-pollers", recursive=True
)
ANSWERING = Work("answers the catalogue's calls", "catalogue.answer", TIMEOUT_SECONDS, "lambda", bounded=True)


class Worker(Construct):
    """One function with its role and log group.

    Args:
        scope: the catalogue.
        worker_id: the construct's id.
        choices: parameters, conditions and flags.
        work: what it does.
        image_uri: the Lambda image.
        statements: what it may do, beside its log lines and traces.
        variables: of its environment, beside those of every container.
    """

    def __init__(
        self,
        scope: Construct,
        worker_id: str,
        choices: Choices,
        *,
        work: Work,
        image_uri: str,
        statements: Sequence[iam.Statement],
        variables: Mapping[str, str],
    ) -> None:
        super().__init__(scope, worker_id)
        logs = log_group(self, "LogGroup", choices)
        role = functions.function_role(
            self,
            f"What the function may do that {work.description}",
            logs,
            caller=work.caller,
            policies=[iam.policy("UseTheCatalogue", statements)],
        )
        # Until ImageBuckets is given, cfn-lint sees the ARN of a bucket without a name.
        role.cfn_options.metadata = {"cfn-lint": {"config": {"ignore_checks": ["W1033"]}}}
        self.key_policy = permissions.key_policy(self, role, choices)
        vpc = network.placement(
            self,
            role,
            choices=choices,
            backend=SERVING,
            statements=network.function_statements(),
            subnets="SubnetIds",
        )
        environment = {**service_environment(choices.parameters), **variables}
        self.function = lambda_.CfnFunction(
            self,
            "Function",
            description=f"The function of Image Similarity that {work.description}",
            package_type="Image",
            code=lambda_.CfnFunction.CodeProperty(image_uri=image_uri),
            image_config=lambda_.CfnFunction.ImageConfigProperty(command=[work.command]),
            architectures=[choices.config["architecture"]],
            role=role.attr_arn,
            memory_size=choices.parameters.number("LambdaMemorySize"),
            reserved_concurrent_executions=functions.ceiling(choices) if work.bounded else None,
            timeout=work.timeout,
            environment=lambda_.CfnFunction.EnvironmentProperty(variables=environment),
            vpc_config=vpc,
            logging_config=functions.json_logs(logs),
            tracing_config=functions.traced(choices.conditions),
            recursive_loop="Allow" if work.recursive else None,
        )


def mapping(
    scope: Construct, choices: Choices, worker: Worker, queue: sqs.CfnQueue
) -> lambda_.CfnEventSourceMapping:
    """Lambda's pollers between queue and function.

    MaximumConcurrency and no reserved concurrency: what a throttled function does not take counts as
    received, and ends among the dead letters unread.
    https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html

    Where the queue has a key, the function's name comes through a reference to the policy that lets its role
    use it: the mapping is refused before that. DependsOn can't say so (see `network.placement`).
    """
    concurrency = lambda_.CfnEventSourceMapping.ScalingConfigProperty(
        maximum_concurrency=choices.parameters.number("CatalogueConcurrency")
    )
    name = worker.function.ref
    after = cdk.Fn.select(0, cdk.Fn.split("|", cdk.Fn.join("|", [name, worker.key_policy.ref])))
    return lambda_.CfnEventSourceMapping(
        scope,
        "Mapping",
        event_source_arn=queue.attr_arn,
        function_name=cdk.Token.as_string(pick(choices.conditions.has_key, after, name)),
        batch_size=BATCH,
        maximum_batching_window_in_seconds=WINDOW_SECONDS,
        function_response_types=["ReportBatchItemFailures"],
        scaling_config=concurrency,
    )
