"""The Lambda backend: one function from a container image, called straight by API Gateway."""

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from cdk_app import addresses, functions, iam, network
from cdk_app.alarms import NAMESPACE, PERIOD_SECONDS, Alarm, Metric
from cdk_app.backend import Output
from cdk_app.choices import Choices
from cdk_app.conditions import pick, when
from cdk_app.images import image, service_environment
from cdk_app.logs import log_group
from cdk_app.widgets import metrics, substituted, widget

TIMEOUT_SECONDS = 28  # under API Gateway's 29, so that the caller gets our answer and not a 504
# us-east-1's list price of a second with 1 GB, and of a call: https://aws.amazon.com/lambda/pricing/
DOLLARS_PER_GB_SECOND = {"x86_64": 0.0000166667, "arm64": 0.0000133334}
DOLLARS_PER_CALL = 0.0000002
SPEND_DOLLARS_AN_HOUR = 5


class LambdaBackend(Construct):
    """Function, role, log group and API Gateway's permission; all exist when it is chosen."""

    name = "Lambda"
    variables: dict[str, str] = {}  # noqa: RUF012 - nothing changes it
    outputs: tuple[Output, ...] = ()

    def __init__(self, scope: Construct, choices: Choices) -> None:
        super().__init__(scope, self.name)
        self._choices = choices
        self.image_uri = image(self, "lambda", choices.config).image_uri
        self.function = self._function()
        self.permission = functions.invoke_permission(self, self.function, addresses.execute_arn("POST/*"))
        self.integration = functions.proxy_integration(self.function)
        self.turned_away = self._metric("Throttles")
        self.alarms = (self._throttles_alarm(), self._spend_alarm())
        self.widgets = self._widgets()
        when(choices.conditions["IsLambda"], self)

    def _function(self) -> lambda_.CfnFunction:
        parameters, conditions = self._choices.parameters, self._choices.conditions
        logs = log_group(self, "LogGroup", self._choices)
        role = functions.function_role(self, "What the Image Similarity function may do", logs)
        buckets = parameters["ImageBuckets"]
        iam.read_buckets(self, role, conditions=conditions, backend=self.name, buckets=buckets)
        vpc = network.placement(
            self,
            role,
            choices=self._choices,
            backend=self.name,
            statements=network.function_statements(),
            subnets="SubnetIds",
        )
        ceiling = pick(conditions.has_ceiling, {"Ref": "LambdaMaxConcurrency"})
        return lambda_.CfnFunction(
            self,
            "Function",
            description="Vectors and similarity of images",
            package_type="Image",
            code=lambda_.CfnFunction.CodeProperty(image_uri=self.image_uri),
            architectures=[self._choices.config["architecture"]],
            role=role.attr_arn,
            memory_size=parameters.number("LambdaMemorySize"),
            reserved_concurrent_executions=cdk.Token.as_number(ceiling),
            timeout=TIMEOUT_SECONDS,
            environment=lambda_.CfnFunction.EnvironmentProperty(variables=service_environment(parameters)),
            vpc_config=vpc,
            logging_config=functions.json_logs(logs),
            tracing_config=functions.traced(conditions),
        )

    def _metric(self, name: str) -> Metric:
        return Metric("AWS/Lambda", name, "Sum", {"FunctionName": self.function.ref})

    def _throttles_alarm(self) -> Alarm:
        text = pick(
            self._choices.conditions.has_ceiling,
            "Lambda turns requests away: LambdaMaxConcurrency is reached.",
            "Lambda turns requests away: the account's concurrency is used up.",
        )
        return Alarm(
            "LambdaThrottlesAlarm", "IsLambda", text, 0, {"throttles": self.turned_away}, "throttles"
        )

    def _spend_alarm(self) -> Alarm:
        """Calls, and their seconds with the function's memory, at the list price."""
        price = f"{DOLLARS_PER_GB_SECOND[self._choices.config['architecture']]:.10f}"
        seconds = f"duration / 1000 * ${{LambdaMemorySize}} / 1024 * {price}"
        text = (
            f"Lambda costs over {SPEND_DOLLARS_AN_HOUR} dollars an hour (at us-east-1's list price): "
            "LambdaMaxConcurrency and ThrottlingRateLimit limit it."
        )
        return Alarm(
            "LambdaSpendAlarm",
            "IsLambda",
            text,
            SPEND_DOLLARS_AN_HOUR * PERIOD_SECONDS / 3600,
            {"calls": self._metric("Invocations"), "duration": self._metric("Duration")},
            {"Fn::Sub": f"{seconds} + calls * {DOLLARS_PER_CALL:.7f}"},
        )

    def _widgets(self) -> object:
        names = ("Invocations", "Errors", "Throttles", "ConcurrentExecutions")
        calls = metrics("AWS/Lambda", names, ("FunctionName", "${Function}"))
        of = ("Stack", "${AWS::StackName}", "Backend", "lambda")
        starts = metrics(NAMESPACE, ("ColdStart", "ModelLoad"), of)
        widgets = [widget("Lambda", "Sum", calls), widget("Cold starts, and loading in ms", "Sum", starts)]
        return substituted(widgets, {"Function": self.function.ref})
