"""For every row a stack on which it fails: the template or the account changed as somebody might get it wrong."""

import copy
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.verification.cloud import Quirks
from tests.verification.pools import ROOT
from verify.cloud import Answer, Request

Template = dict[str, Any]
Edit = Callable[[Template], None]
SAGEMAKER = {"ImageSimilarity": "yes-sagemaker"}
OPEN: list[Any] = []


@dataclass(frozen=True)
class Sabotage:
    """One stack, and what its row says.

    Args:
        seen: a pattern of what the failing row sees.
        template: changes the template.
        quirks: how the account misbehaves.
        parameters: the stack's at first.
        outputs: how the image's builder wrote it, where it did otherwise.
        before: names of rows that are run before.
        backend: where the row is run.
    """

    seen: str
    template: Edit | None = None
    quirks: Quirks = field(default_factory=Quirks)
    parameters: Mapping[str, str] = field(default_factory=dict)
    outputs: tuple[str, ...] | None = None
    before: tuple[str, ...] = ()
    backend: str = "lambda"

    def applied(self, template: Mapping[str, Any]) -> Template:
        """The template as it is changed."""
        changed = copy.deepcopy(dict(template))
        if self.template:
            before = json.dumps(changed)
            self.template(changed)
            assert json.dumps(changed) != before, "nothing was changed"
        return changed


def put(path: str, value: Any) -> Edit:
    """Set what stands at a path of keys, or append to a list there with `+`."""

    def edit(template: Template) -> None:
        *way, last = path.split("|")
        place: Any = template
        for key in way:
            place = place[int(key) if isinstance(place, list) else key]
        place[int(last) if isinstance(place, list) else last] = value

    return edit


def without(path: str) -> Edit:
    """Delete what stands at a path of keys."""

    def edit(template: Template) -> None:
        *way, last = path.split("|")
        place: Any = template
        for key in way:
            place = place[int(key) if isinstance(place, list) else key]
        del place[int(last) if isinstance(place, list) else last]

    return edit


def both(*edits: Edit) -> Edit:
    def edit(template: Template) -> None:
        for change in edits:
            change(template)

    return edit


def of_resource(name: str, path: str, value: Any) -> Edit:
    return put(f"Resources|{name}|Properties|{path}", value)


def of_function(path: str, value: Any) -> Edit:
    return of_resource("LambdaFunction", path, value)


BODY = "Resources|RestApi|Properties|Body"
FEATURE = f"{BODY}|paths|/image-similarity|Fn::If|1"
RESPONSES = f"{BODY}|x-amazon-apigateway-gateway-responses"


def stale(template: Template) -> None:
    """One Deployment for all parameters, as a plain template has it: it is never made anew."""
    resources = template["Resources"]
    names = [name for name, item in resources.items() if item["Type"] == "AWS::ApiGateway::Deployment"]
    for name in names[1:]:
        del resources[name]
    for key in ("Condition", "DependsOn"):
        resources[names[0]].pop(key, None)
    resources["Stage"]["Properties"]["DeploymentId"] = {"Ref": names[0]}


def kept_deployments(template: Template) -> None:
    for item in template["Resources"].values():
        if item["Type"] == "AWS::ApiGateway::Deployment":
            item["DeletionPolicy"] = "Retain"


def permitted_late(template: Template) -> None:
    """API Gateway may call the function only after the stage has begun to serve it."""
    for item in template["Resources"].values():
        if item["Type"] == "AWS::ApiGateway::Deployment" and "DependsOn" in item:
            listed = item["DependsOn"] if isinstance(item["DependsOn"], list) else [item["DependsOn"]]
            item["DependsOn"] = [name for name in listed if name != "LambdaPermission"]
    template["Resources"]["LambdaPermission"]["DependsOn"] = ["Stage"]


def unmapped(template: Template) -> None:
    """SageMaker's 424 as it comes."""
    integration = template["Resources"]["RestApi"]["Properties"]["Body"]["paths"]["/image-similarity"]
    sagemaker = integration["Fn::If"][1]["post"]["x-amazon-apigateway-integration"]["Fn::If"][2]
    del sagemaker["responses"]["424"]["responseTemplates"]


def untimed(template: Template) -> None:
    integration = template["Resources"]["RestApi"]["Properties"]["Body"]["paths"]["/image-similarity"]
    sagemaker = integration["Fn::If"][1]["post"]["x-amazon-apigateway-integration"]["Fn::If"][2]
    del sagemaker["responses"]["default"]["responseParameters"]["method.response.header.Server-Timing"]


def demanding(template: Template) -> None:
    """A request validator that wants a Content-Type."""
    body = template["Resources"]["RestApi"]["Properties"]["Body"]
    body["x-amazon-apigateway-request-validators"] = {"headers": {"validateRequestParameters": True}}
    post = body["paths"]["/image-similarity"]["Fn::If"][1]["post"]
    post["x-amazon-apigateway-request-validator"] = "headers"
    post["parameters"][0]["required"] = True


def of_role(role: str, action: str) -> Edit:
    """A role without the statement that allows an action."""

    def edit(template: Template) -> None:
        document = template["Resources"][role]["Properties"]["Policies"][0]["PolicyDocument"]
        document["Statement"] = [item for item in document["Statement"] if action not in item["Action"]]

    return edit


def undenied(template: Template) -> None:
    document = template["Resources"]["LambdaNetworkPolicy"]["Properties"]["PolicyDocument"]
    document["Statement"] = [item for item in document["Statement"] if item["Effect"] == "Allow"]


def other_stage(template: Template) -> None:
    """A dashboard of another stage."""
    text = template["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    text[1]["Stage"] = "another"


def unscaled(template: Template) -> None:
    for name in ("SageMakerScalingPolicy", "SageMakerScalableTarget"):
        del template["Resources"][name]


def on_gpu(template: Template) -> None:
    """GPU instances under an image whose provider does not load."""
    parameter = template["Parameters"]["SageMakerInstanceType"]
    parameter["AllowedValues"] = ["ml.g4dn.xlarge"]
    parameter["Default"] = "ml.g4dn.xlarge"


def answered(change: Callable[[Any], Any], status: int = 200) -> Quirks:
    """Answers of one status whose JSON is another."""

    def answer(_: Request, given: Answer) -> Answer:
        if given.status != status:
            return given
        return Answer(status, given.headers, json.dumps(change(json.loads(given.body))).encode())

    return Quirks(answer=answer)


def as_status(before: int, after: int) -> Quirks:
    """Answers of one status that come with another."""

    def answer(_: Request, given: Answer) -> Answer:
        return Answer(after, given.headers, given.body) if given.status == before else given

    return Quirks(answer=answer)


def by_turns() -> Quirks:
    """Vectors that are not the same twice."""
    count = iter(range(1000))

    def change(body: Any) -> Any:
        if "result" not in body:
            return body
        first, *others = body["result"]
        return {"result": [first + next(count) * 1e-4, *others]}

    return answered(change)


def talkative(line: str) -> str:
    """Lines with the request's body in them."""
    if '"bodyBytes"' not in line:
        return line
    data = json.loads(PAIR.read_text())
    return line[:-1] + f',"body":"{data["img_1"]}"' + "}"


def halved(body: Any) -> Any:
    return {"similarity": body["similarity"] / 2} if "similarity" in body else body


def cut(body: Any) -> Any:
    return {"result": body["result"][:-1]} if "result" in body else body


PAIR = ROOT / "examples" / "data" / "pair.json"
NO_ACL = put("Conditions|HasWebAcl", {"Fn::Equals": ["a", "b"]})
SABOTAGES: Mapping[str, Sabotage] = {
    "outputs": Sabotage(
        "ImageSimilarity is ",
        put("Outputs|ImageSimilarity|Value", {"Fn::Sub": "https://${RestApi}/image-similarity"}),
    ),
    "routes": Sabotage(
        "too many: .*'POST', '/text_similarity', 'NONE'",
        put(f"{BODY}|paths|/text_similarity|Fn::If|1|post|security", OPEN),
    ),
    "root": Sabotage(
        "^200",
        put(
            f"{BODY}|paths|/|get|x-amazon-apigateway-integration|requestTemplates|application/json",
            '{"statusCode": 200}',
        ),
    ),
    "explorer": Sabotage(
        "^50[0-3]",
        of_resource(
            "ExplorerPermission",
            "SourceArn",
            {"Fn::Sub": "arn:aws:execute-api:${AWS::Region}:${AWS::AccountId}:${RestApi}/*/GET/elsewhere"},
        ),
    ),
    "vector": Sabotage("511 numbers", quirks=answered(cut)),
    "timings": Sabotage("Server-Timing: none", untimed, parameters=SAGEMAKER, backend="sagemaker"),
    "pair": Sabotage("0.5 with itself", quirks=answered(halved)),
    "url": Sabotage("SourceNotAllowed", of_function("Environment|Variables|URL_HOSTS", "none")),
    "alias": Sabotage("^403", without(f"{BODY}|paths|/text_similarity")),
    "no-content-type": Sabotage("required request parameters", demanding),
    "invalid-request": Sabotage("^502", unmapped, parameters=SAGEMAKER, backend="sagemaker"),
    "invalid-image": Sabotage("^500", quirks=as_status(400, 500)),
    "private-address": Sabotage("^200", quirks=as_status(400, 200)),
    "media-type": Sabotage("^400", quirks=as_status(415, 400)),
    "too-large": Sabotage("^502", quirks=as_status(413, 502)),
    "compressed": Sabotage(
        "Content-Encoding: none", without("Resources|RestApi|Properties|MinimumCompressionSize")
    ),
    "unsigned": Sabotage("^400 InvalidRequest|^400: ", put(f"{FEATURE}|post|security", OPEN)),
    "no-route": Sabotage("403 InvalidRequest", without(f"{RESPONSES}|MISSING_AUTHENTICATION_TOKEN")),
    "preflight": Sabotage(
        "not allowed are: .*X-Amz-Date",
        put(
            f"{FEATURE}|options|x-amazon-apigateway-integration|responses|default|responseParameters"
            "|method.response.header.Access-Control-Allow-Headers",
            "'Content-Type,Authorization'",
        ),
    ),
    "log-line": Sabotage("none with the requestId", of_role("LambdaRole", "logs:PutLogEvents")),
    "metrics": Sabotage(
        "no value of ImageSimilarity Latency",
        without("Resources|LambdaFunction|Properties|Environment|Variables|STACK_NAME"),
    ),
    "alarms": Sabotage(
        "no value of AWS/ApiGateway Latency", of_resource("ApiLatencyAlarm", "Dimensions|1|Value", "another")
    ),
    "dashboard": Sabotage("no value of AWS/ApiGateway Count", other_stage),
    "gpu": Sabotage("none names CUDA", on_gpu, parameters=SAGEMAKER, backend="sagemaker"),
    "authorization": Sabotage("^403", stale),
    "explorer-switched": Sabotage("^50[0-3]", stale),
    "memory": Sabotage("memory is", of_function("MemorySize", 3008)),
    "cold-start": Sabotage("12000 ms", quirks=Quirks(init_milliseconds=12_000)),
    "stage-name": Sabotage("^403", of_resource("Stage", "StageName", "prod")),
    "rate-limit": Sabotage("rate is", of_resource("Stage", "MethodSettings|0|ThrottlingRateLimit", 50)),
    "burst-limit": Sabotage("burst is", of_resource("Stage", "MethodSettings|0|ThrottlingBurstLimit", 100)),
    "max-concurrency": Sabotage("x 502", without(f"{RESPONSES}|API_CONFIGURATION_ERROR")),
    "access-logs": Sabotage(
        "none of the call",
        of_resource("Stage", "AccessLogSetting|Fn::If|1|Format", '{"status":"$context.status"}'),
    ),
    "log-retention": Sabotage(
        "not 7 days: .*LambdaLogGroup", of_resource("LambdaLogGroup", "RetentionInDays", 30)
    ),
    "url-hosts": Sabotage("^200", of_function("Environment|Variables|URL_HOSTS", "")),
    "user-agent-contact": Sabotage(
        "USER_AGENT_CONTACT is", of_function("Environment|Variables|USER_AGENT_CONTACT", "")
    ),
    "image-buckets": Sabotage("SourceNotAllowed", of_function("Environment|Variables|IMAGE_BUCKETS", "")),
    "rollback": Sabotage("UPDATE_COMPLETE", NO_ACL),
    "web-acl": Sabotage("is none", NO_ACL),
    "web-acl-renamed": Sabotage(
        "verify is none|change failed",
        of_resource(
            "WebAclAssociation",
            "ResourceArn",
            {"Fn::Sub": "arn:${AWS::Partition}:apigateway:${AWS::Region}::/restapis/${RestApi}/stages/prod"},
        ),
    ),
    "web-acl-replaced": Sabotage("is none", without("Resources|WebAclAssociation|UpdateReplacePolicy")),
    "web-acl-rollback": Sabotage("UPDATE_COMPLETE", NO_ACL),
    "vpc": Sabotage(
        "subnets is|security groups is", without("Resources|LambdaFunction|Properties|VpcConfig")
    ),
    "vpc-denied": Sabotage("'allowed'", undenied),
    "vpc-left": Sabotage("left: eni-", quirks=Quirks(keeps_interfaces=True)),
    "kms-key": Sabotage(
        "without the key: .*LambdaLogGroup", without("Resources|LambdaLogGroup|Properties|KmsKeyId")
    ),
    "alarm-topic": Sabotage("ApiErrorsAlarm", without("Resources|ApiErrorsAlarm|Properties|AlarmActions")),
    "manifest": Sabotage("Unsupported manifest media type", outputs=(), backend="sagemaker"),
    "endpoint": Sabotage(
        "3 instances, not 1 to 2",
        of_resource("SageMakerEndpointConfig", "ProductionVariants|0|InitialInstanceCount", 3),
        parameters=SAGEMAKER,
        backend="sagemaker",
    ),
    "scaling": Sabotage("not registered", unscaled, parameters=SAGEMAKER, backend="sagemaker"),
    "instance-metrics": Sabotage(
        "no value of /aws/sagemaker/Endpoints CPUUtilization",
        of_role("SageMakerRole", "cloudwatch:PutMetricData"),
        parameters=SAGEMAKER,
        backend="sagemaker",
    ),
    "instance-type": Sabotage(
        "must be deregistered",
        of_resource("SageMakerEndpoint", "EndpointName", "image-similarity-51af3dc0-fixed"),
        parameters=SAGEMAKER,
        backend="sagemaker",
    ),
    "minimum": Sabotage(
        "1 instances, not 2 to 2",
        both(
            of_resource("SageMakerScalableTarget", "MinCapacity", 1),
            of_resource("SageMakerEndpointConfig", "ProductionVariants|0|InitialInstanceCount", 1),
        ),
        parameters=SAGEMAKER,
        backend="sagemaker",
    ),
    "off": Sabotage("^50[0-3]", stale, backend="off"),
    "one-deployment": Sabotage("are left", kept_deployments, before=("authorization",)),
    "served-always": Sabotage(
        "ImageSimilarity=yes-lambda: 50[0-3]",
        permitted_late,
        parameters={"ImageSimilarity": "no"},
        before=("memory",),
    ),
    "never-open": Sabotage(
        "LambdaMemorySize=.*: 400", put(f"{FEATURE}|post|security", OPEN), before=("memory",)
    ),
    "alike": Sabotage("apart", quirks=by_turns(), before=("vector",), backend="both"),
    "deletion": Sabotage(
        "log group|AWS::Logs::LogGroup", put("Resources|LambdaLogGroup|DeletionPolicy", "Retain")
    ),
}
LEAKING = Sabotage("a line that holds the picture", quirks=Quirks(line=talkative))
"""A second stack for the row `log-line`."""
