"""The SageMaker backend: a real-time endpoint that scales with its load, called straight by API Gateway."""

import aws_cdk as cdk
from aws_cdk import aws_applicationautoscaling as scaling
from aws_cdk import aws_ecr_assets as ecr_assets
from aws_cdk import aws_iam
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from cdk_app import addresses, iam, network, sagemaker_integration
from cdk_app.alarms import Alarm, Metric, own
from cdk_app.backend import Output
from cdk_app.choices import Choices
from cdk_app.conditions import when
from cdk_app.images import image, model_name, service_environment
from cdk_app.logs import log_group
from cdk_app.widgets import metrics, substituted, widget

NAME_PREFIX = "image-similarity"
VARIANT = "AllTraffic"
# Minutes of an instance's start: model data is in the image, so a container that is not up by then is broken.
STARTUP_SECONDS = 300
# Driver of CUDA 12.4 and newer; SageMaker's default host has an older one.
# https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ProductionVariant.html
GPU_HOST = "al2-ami-sagemaker-inference-gpu-3-1"
# Percent of the time in which an instance's processors or its gate are in use, as the container measures it:
# the next instance is up before the others are full. Requests are no measure: one may have 64 images (ADR 8).
TARGET_LOAD = 50
SCALE_OUT_SECONDS, SCALE_IN_SECONDS = 60, 300


FAILED_SHARE = 0.05


class SageMakerBackend(Construct):
    """Model, endpoint, scaling, roles and log group; all exist when the backend is chosen."""

    name = "SageMaker"
    permission = None  # the role that API Gateway assumes is part of the integration

    def __init__(self, scope: Construct, choices: Choices) -> None:
        super().__init__(scope, self.name)
        self._choices, self._parameters = choices, choices.parameters
        # One endpoint for each instance type: Application Auto Scaling refuses a new type on a scaled one.
        self._stack_part = addresses.stack_part()
        size = cdk.Fn.join("-", cdk.Fn.split(".", self._parameters["SageMakerInstanceType"]))
        name = cdk.Fn.sub(f"{NAME_PREFIX}-${{Stack}}-${{Size}}", {"Stack": self._stack_part, "Size": size})
        model = self._model(image(self, "sagemaker", choices.config))
        # SageMaker prescribes the name; made here first, it has a retention and goes with the stack.
        logs = log_group(self, "LogGroup", choices, cdk.Fn.join("", ["/aws/sagemaker/Endpoints/", name]))
        endpoint = self._endpoint(name, model)
        endpoint.add_resource_dependency(logs)
        self._endpoint_name = endpoint.attr_endpoint_name
        self._scaling()
        self.integration = sagemaker_integration.integration(
            self._invoke_role().attr_arn, model_name(choices.config)
        )
        self.variables = {"endpoint": self._endpoint_name}
        self.turned_away = own("Errors", "Sum", "sagemaker", Code="Unavailable")
        self.alarms = (self._health_alarm(), self._throttles_alarm())
        self.widgets = self._widgets()
        self.outputs = (Output("SageMakerEndpointName", self._endpoint_name, "The endpoint behind the API"),)
        when(choices.conditions["IsSageMaker"], self)

    def _stack_arn(self, tail: str) -> str:
        """The prefix of this stack's endpoints: the old one keeps working while a new one takes over."""
        return iam.arn(f"{tail}{NAME_PREFIX}-${{Stack}}-*", Stack=self._stack_part)

    def _model(self, container: ecr_assets.DockerImageAsset) -> sagemaker.CfnModel:
        role = iam.service_role(
            self,
            "Role",
            service="sagemaker",
            description="What the Image Similarity endpoint may do",
            policies=[iam.policy("RunEndpoint", self._run_statements(container.repository.repository_arn))],
        )
        buckets = self._parameters["ImageBuckets"]
        conditions = self._choices.conditions
        iam.read_buckets(self, role, conditions=conditions, backend=self.name, buckets=buckets)
        vpc = network.placement(
            self,
            role,
            choices=self._choices,
            backend=self.name,
            statements=network.model_statements(),
            subnets="Subnets",
        )
        return sagemaker.CfnModel(
            self,
            "Model",
            execution_role_arn=role.attr_arn,
            primary_container=sagemaker.CfnModel.ContainerDefinitionProperty(
                image=container.image_uri, environment=service_environment(self._parameters)
            ),
            vpc_config=vpc,
        )

    def _run_statements(self, repository_arn: str) -> list[iam.Statement]:
        namespace = {"cloudwatch:namespace": "/aws/sagemaker/Endpoints"}
        pull = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
        return [
            iam.allow(pull, repository_arn),
            iam.allow(["ecr:GetAuthorizationToken"], "*"),
            iam.allow(
                ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
                self._stack_arn("logs:log-group:/aws/sagemaker/Endpoints/"),
            ),
            iam.allow(["cloudwatch:PutMetricData"], "*", StringEquals=namespace),
        ]

    def _endpoint(self, name: str, model: sagemaker.CfnModel) -> sagemaker.CfnEndpoint:
        variant = sagemaker.CfnEndpointConfig.ProductionVariantProperty(
            variant_name=VARIANT,
            model_name=model.attr_model_name,
            instance_type=self._parameters["SageMakerInstanceType"],
            # Not one: the stage points to a new endpoint before Application Auto Scaling can add to it.
            initial_instance_count=self._parameters.number("SageMakerMinInstances"),
            initial_variant_weight=1,
            container_startup_health_check_timeout_in_seconds=STARTUP_SECONDS,
            inference_ami_version=GPU_HOST if self._choices.config["accelerator"] == "gpu" else None,
        )
        settings = sagemaker.CfnEndpointConfig(self, "EndpointConfig", production_variants=[variant])
        return sagemaker.CfnEndpoint(
            self,
            "Endpoint",
            endpoint_name=name,
            endpoint_config_name=settings.attr_endpoint_config_name,
            retain_all_variant_properties=True,  # an update keeps the number that scaling has reached
        )

    def _scaling(self) -> None:
        target = scaling.CfnScalableTarget(
            self,
            "ScalableTarget",
            service_namespace="sagemaker",
            scalable_dimension="sagemaker:variant:DesiredInstanceCount",
            resource_id=cdk.Fn.join("", ["endpoint/", self._endpoint_name, f"/variant/{VARIANT}"]),
            min_capacity=self._parameters.number("SageMakerMinInstances"),
            max_capacity=self._parameters.number("SageMakerMaxInstances"),
        )
        load = own("Load", "Average", "sagemaker")
        tracking = scaling.CfnScalingPolicy.TargetTrackingScalingPolicyConfigurationProperty(
            target_value=TARGET_LOAD,
            customized_metric_specification=scaling.CfnScalingPolicy.CustomizedMetricSpecificationProperty(
                namespace=load.namespace,
                metric_name=load.name,
                dimensions=[
                    scaling.CfnScalingPolicy.MetricDimensionProperty(name=name, value=str(value))
                    for name, value in load.dimensions.items()
                ],
                statistic="Average",
                unit="Percent",
            ),
            scale_out_cooldown=SCALE_OUT_SECONDS,
            scale_in_cooldown=SCALE_IN_SECONDS,
        )
        scaling.CfnScalingPolicy(
            self,
            "ScalingPolicy",
            policy_name="Load",
            policy_type="TargetTrackingScaling",
            scaling_target_id=target.ref,
            target_tracking_scaling_policy_configuration=tracking,
        )

    def _invoke_role(self) -> aws_iam.CfnRole:
        """What API Gateway assumes to call the endpoint."""
        return iam.service_role(
            self,
            "InvokeRole",
            service="apigateway",
            description="Lets API Gateway call the Image Similarity endpoint",
            policies=[
                iam.policy(
                    "InvokeEndpoint",
                    [iam.allow(["sagemaker:InvokeEndpoint"], self._stack_arn("sagemaker:endpoint/"))],
                )
            ],
        )

    def _variant(self) -> dict[str, object]:
        return {"EndpointName": self._endpoint_name, "VariantName": VARIANT}

    def _health_alarm(self) -> Alarm:
        """Failures, except refusals by a busy container, which have their own alarm.

        SageMaker counts every 5xx of the container among the endpoint's.
        """
        text = "The endpoint fails more than 5 % of its requests; being full does not count here."
        counted = {
            "failures": Metric("AWS/SageMaker", "Invocation5XXErrors", "Sum", self._variant()),
            "calls": Metric("AWS/SageMaker", "Invocations", "Sum", self._variant()),
            "away": self.turned_away,
        }
        share = "(failures - FILL(away, 0)) / calls"
        return Alarm("SageMakerHealthAlarm", "IsSageMaker", text, FAILED_SHARE, counted, share)

    def _throttles_alarm(self) -> Alarm:
        text = "The endpoint turns requests away: its queues are full, and scaling has not caught up."
        return Alarm(
            "SageMakerThrottlesAlarm", "IsSageMaker", text, 0, {"throttles": self.turned_away}, "throttles"
        )

    def _widgets(self) -> object:
        of = ("EndpointName", "${Endpoint}", "VariantName", VARIANT)
        calls = metrics("AWS/SageMaker", ("Invocations", "Invocation4XXErrors", "Invocation5XXErrors"), of)
        load = metrics("/aws/sagemaker/Endpoints", ("CPUUtilization", "MemoryUtilization"), of)
        widgets = [widget("Endpoint", "Sum", calls), widget("Load of the instances, %", "Average", load)]
        return substituted(widgets, {"Endpoint": self._endpoint_name})
