"""For every row a stack on which it fails: the template or the account, changed as one may get it wrong."""

import copy
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.verification.cloud import Quirks
from tests.verification.pools import ROOT
from verify.facts import Answer, Request

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


def only_good(body: Any) -> Any:
    """Results without those that are errors: the others are no longer in their places."""
    if "results" not in body:
        return body
    return {"results": [result for result in body["results"] if "error" not in result]}


PAIR = ROOT / "examples" / "data" / "pair.json"
