"""The Lambda backend: one function from a container image, called straight by API Gateway."""

from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from cdk_app import addresses, function_alarms, functions, iam, network
from cdk_app.alarms import NAMESPACE, Alarm
from cdk_app.backend import Output
from cdk_app.choices import Choices
from cdk_app.conditions import when
from cdk_app.images import image, service_environment
from cdk_app.logs import log_group
from cdk_app.widgets import metrics, substituted, widget

TIMEOUT_SECONDS = 28  # under API Gateway's 29, so that the caller gets our answer and not a 504


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
        self.turned_away = function_alarms.counted(self.function, "Throttles")
        self.alarms = self._alarms()
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
        return lambda_.CfnFunction(
            self,
            "Function",
            description="Vectors and similarity of images",
            package_type="Image",
            code=lambda_.CfnFunction.CodeProperty(image_uri=self.image_uri),
            architectures=[self._choices.config["architecture"]],
            role=role.attr_arn,
            memory_size=parameters.number("LambdaMemorySize"),
            reserved_concurrent_executions=functions.ceiling(self._choices),
            timeout=TIMEOUT_SECONDS,
            environment=lambda_.CfnFunction.EnvironmentProperty(variables=service_environment(parameters)),
            vpc_config=vpc,
            logging_config=functions.json_logs(logs),
            tracing_config=functions.traced(conditions),
        )

    def _alarms(self) -> tuple[Alarm, ...]:
        return (
            function_alarms.throttles_alarm(
                "LambdaThrottlesAlarm", "IsLambda", self._choices, self.function, "requests"
            ),
            function_alarms.spend_alarm(
                "LambdaSpendAlarm",
                "IsLambda",
                self._choices,
                {"": self.function},
                who="Lambda costs",
                bounds="LambdaMaxConcurrency and ThrottlingRateLimit",
            ),
        )

    def _widgets(self) -> object:
        names = ("Invocations", "Errors", "Throttles", "ConcurrentExecutions")
        calls = metrics("AWS/Lambda", names, ("FunctionName", "${Function}"))
        of = ("Stack", "${AWS::StackName}", "Backend", "lambda")
        starts = metrics(NAMESPACE, ("ColdStart", "ModelLoad"), of)
        widgets = [widget("Lambda", "Sum", calls), widget("Cold starts, and loading in ms", "Sum", starts)]
        return substituted(widgets, {"Function": self.function.ref})
