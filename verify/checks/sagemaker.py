"""What SageMaker alone has: an image that it accepts, an endpoint that scales and is replaced."""

from collections.abc import Mapping

from verify.answers import Differs, Skipped, expect, same
from verify.facts import CloudFailed, Metric
from verify.rows import Backend, Row
from verify.subject import Subject

ON: tuple[Backend, ...] = ("sagemaker",)
DOCKER = "application/vnd.docker.distribution.manifest.v2+json"
VARIANT_METRIC_SECONDS = 420
INSTANCE_SECONDS = 15 * 60


def manifest(subject: Subject) -> str:
    """The media type of the manifest that the builder wrote and the registry kept."""
    image = subject.services.model(subject.named("SageMakerModel")).image
    return same("manifest", DOCKER, subject.services.manifest_type(image))


def in_service(subject: Subject) -> str:
    """The endpoint is up, on the instances that the parameters say."""
    endpoint = subject.services.endpoint(subject.one("AWS::SageMaker::Endpoint"))
    same("status", "InService", endpoint.status)
    same("type", subject.parameters["SageMakerInstanceType"], endpoint.instance_type)
    least, most = (int(subject.parameters[f"SageMaker{end}Instances"]) for end in ("Min", "Max"))
    if not least <= endpoint.instances <= most:
        raise Differs(f"{endpoint.instances} instances, not {least} to {most}")
    return f"{endpoint.instances} x {endpoint.instance_type}"


def scaling(subject: Subject) -> str:
    """The variant is registered, with a policy."""
    name = subject.one("AWS::SageMaker::Endpoint")
    seen = subject.services.scaling(name, subject.services.endpoint(name).variant)
    if seen is None:
        raise Differs("not registered")
    least, most = (int(subject.parameters[f"SageMaker{end}Instances"]) for end in ("Min", "Max"))
    same("bounds", (least, most), (seen.least, seen.most))
    if not seen.policies:
        raise Differs("no scaling policy")
    return f"{seen.least} to {seen.most} instances by {', '.join(seen.policies)}"


def instance_metrics(subject: Subject) -> str:
    """The instances' own figures, under the role's narrow policy."""
    name = subject.one("AWS::SageMaker::Endpoint")
    variant = subject.services.endpoint(name).variant
    metric = Metric(
        "/aws/sagemaker/Endpoints", "CPUUtilization", (("EndpointName", name), ("VariantName", variant))
    )
    expect(subject.post({"img": subject.pictures.first}), 200)

    def look() -> str:
        if not subject.services.samples(metric, subject.began - 600):
            raise Differs(f"no value of {metric} for {name}")
        return f"values of {metric}"

    return subject.until(VARIANT_METRIC_SECONDS, look, 20.0)


def other_type(subject: Subject) -> Mapping[str, str]:
    """The next instance type that the stack allows."""
    name = "SageMakerInstanceType"
    allowed = [value for value in subject.cloud.allowed(name) if value != "auto"]
    others = [value for value in allowed if value != subject.parameters[name]]
    if not others:
        raise Skipped(f"{name} allows {', '.join(allowed)} alone")
    return {name: others[0]}


def replaced(subject: Subject) -> str:
    """A new type is a new endpoint; the old one served until then, and is gone."""
    seen, old = in_service(subject), subject.kept["endpoint"]
    name = subject.one("AWS::SageMaker::Endpoint")
    if name == old:
        raise Differs(f"still {old}")
    try:
        subject.services.endpoint(old)
    except CloudFailed:
        return f"{seen}; {_without_failure(subject)}"
    raise Differs(f"{old} is still there")


def another(subject: Subject) -> Mapping[str, str]:
    """One instance more at least, within the maximum."""
    least, most = (int(subject.parameters[f"SageMaker{end}Instances"]) for end in ("Min", "Max"))
    if least >= most:
        raise Skipped(f"the maximum, {most}, leaves no room for another minimum")
    return {"SageMakerMinInstances": str(least + 1)}


def minimum(subject: Subject) -> str:
    """The instances were replaced while the old ones served.

    The endpoint keeps the number that scaling had reached; Application Auto Scaling then adds what the new
    minimum asks for.
    """
    seen = subject.until(INSTANCE_SECONDS, lambda: in_service(subject), 30.0)
    scaling(subject)
    return f"{seen}; {_without_failure(subject)}"


def _without_failure(subject: Subject) -> str:
    ticks = subject.passages[-1].ticks
    failed = sorted({tick.signed for tick in ticks if tick.failed})
    if failed:
        raise Differs(f"calls meanwhile were answered {failed}")
    return f"{len(ticks)} calls meanwhile, none failed"


ROWS = (
    Row(
        "manifest",
        "the SageMaker image's manifest",
        f"`{DOCKER}`",
        manifest,
        ON,
        quick=True,
        why="builders default to OCI, which CreateModel refuses: aws/amazon-sagemaker-feedback#180",
    ),
    Row(
        "endpoint",
        "the endpoint, whose name is a stage variable in the integration's URI",
        "in service, as many instances as the parameters say",
        in_service,
        ON,
        quick=True,
        why="SageMaker and API Gateway assume its roles with the condition keys that they really send",
    ),
    Row(
        "scaling",
        "Application Auto Scaling",
        "the endpoint's variant is registered, within the parameters, with a policy",
        scaling,
        ON,
        quick=True,
    ),
    Row(
        "instance-metrics",
        "the instances' figures",
        "values of `CPUUtilization` of the endpoint",
        instance_metrics,
        ON,
        why="SageMaker publishes them with the model's role, which may write only to that namespace",
    ),
    Row(
        "instance-type",
        "`SageMakerInstanceType` changed",
        "a new endpoint, the old one gone, no call failed",
        replaced,
        ON,
        (other_type,),
        ("SageMakerInstanceType",),
        why="needs two endpoints at once within the account's quota",
    ),
    Row(
        "minimum",
        "`SageMakerMinInstances` changed",
        "one more instance, no call failed",
        minimum,
        ON,
        (another,),
        ("SageMakerMinInstances",),
        why="a blue/green update, which SageMaker refuses while it scales",
    ),
)
