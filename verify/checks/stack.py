"""The stack itself: outputs, routes, the page, what API Gateway keeps."""

import json

from verify.answers import Differs, expect, read, refusal, same
from verify.rows import Row
from verify.subject import FEATURE, Subject

SUFFIXES = {"cn": "amazonaws.com.cn"}
EXPLORER = ("/api-explorer", "/api-explorer/{asset}")
ALWAYS = {("GET", "/"), ("OPTIONS", "/")}


def host(subject: Subject) -> str:
    """The API's host, by the region's partition."""
    suffix = SUFFIXES.get(subject.cloud.region.split("-")[0], "amazonaws.com")
    return f"{subject.api}.execute-api.{subject.cloud.region}.{suffix}"


def outputs(subject: Subject) -> str:
    """URLs and the ARN for callers' policies, as the parameters say."""
    base = f"https://{host(subject)}/{subject.stage}"
    partition = subject.stack.id.split(":")[1]
    wanted = {}
    if subject.parameters["ImageSimilarity"] != "no":
        where = f"{subject.cloud.region}:{subject.cloud.account}:{subject.api}/{subject.stage}"
        wanted["ImageSimilarity"] = f"{base}{FEATURE}"
        wanted["ImageSimilarityInvokeArn"] = f"arn:{partition}:execute-api:{where}/POST{FEATURE}"
    if subject.parameters["APIExplorer"] == "yes":
        wanted["APIExplorer"] = f"{base}/api-explorer"
    if subject.on_sagemaker:
        wanted["SageMakerEndpointName"] = subject.one("AWS::SageMaker::Endpoint")
    seen = {name: value for name, value in subject.stack.outputs.items() if name in _KNOWN}
    if seen != wanted:
        wrong = sorted(name for name in _KNOWN if seen.get(name) != wanted.get(name))
        raise Differs("; ".join(f"{name} is {seen.get(name)}, not {wanted.get(name)}" for name in wrong))
    return ", ".join(sorted(seen)) or "none, as nothing is switched on"


_KNOWN = ("ImageSimilarity", "ImageSimilarityInvokeArn", "APIExplorer", "SageMakerEndpointName")


def routes(subject: Subject) -> str:
    """Every method of the imported body, with its authorization: Fn::If and NoValue under Body.paths."""
    authorization = subject.parameters["APIGatewayAuthorization"]
    wanted = {(method, path, "NONE") for method, path in ALWAYS}
    if subject.parameters["ImageSimilarity"] != "no":
        for path in (FEATURE, "/text_similarity"):
            wanted |= {("POST", path, authorization), ("OPTIONS", path, "NONE")}
    if subject.parameters["APIExplorer"] == "yes":
        wanted |= {(method, path, "NONE") for path in EXPLORER for method in ("GET", "OPTIONS")}
    seen = {item for item in subject.services.methods(subject.api) if not item[1].startswith("/catalogue")}
    if seen != wanted:
        raise Differs(f"too many: {sorted(seen - wanted)}, missing: {sorted(wanted - seen)}")
    return f"{len(seen)} methods on {len({path for _, path, _ in seen})} paths"


def root(subject: Subject) -> str:
    """The permanent route, a mock: JSON for programs, the way to the page for browsers."""
    plain = read(expect(subject.call("GET", "", headers={"Accept": "application/json"}, signed=False), 200))
    same("the answer", {"service": "image-similarity"}, plain)
    browser = subject.call("GET", "", headers={"Accept": "text/html,*/*;q=0.8"}, signed=False)
    if subject.parameters["APIExplorer"] == "no":
        return f"{expect(browser, 200).status} for all"
    place = expect(browser, 302).headers.get("location", "")
    if place != f"/{subject.stage}/api-explorer":
        raise Differs(f"302 to {place or 'nowhere'}")
    return f"200 for programs, 302 to {place} for browsers"


def explorer(subject: Subject) -> str:
    """The page and its document, which tells what is deployed."""
    if subject.parameters["APIExplorer"] == "no":
        return refusal(subject.call("GET", "/api-explorer", signed=False), 403, "Forbidden")
    page = expect(subject.call("GET", "/api-explorer", headers={}, signed=False), 200)
    kind = page.headers.get("content-type", "")
    if not kind.startswith("text/html"):
        raise Differs(f"a page of type {kind}")
    asset = subject.call("GET", "/api-explorer/openapi.json", headers={}, signed=False)
    deployment = read(expect(asset, 200))["x-deployment"]
    told = (deployment["authorization"], deployment["backend"])
    parameters = subject.parameters
    same("it tells", (parameters["APIGatewayAuthorization"], parameters["ImageSimilarity"]), told)
    return f"the page and its document, which tells {told[0]} and {told[1]}"


def one_deployment(subject: Subject) -> str:
    """After an update one Deployment is left, which the stage serves."""
    left = subject.services.deployments(subject.api)
    served = subject.services.stage(subject.api, subject.stage).deployment
    if left != [served]:
        raise Differs(f"{json.dumps(left)} are left, {served} is served")
    return "one, which the stage serves"


ROWS = (
    Row(
        "outputs",
        "the Outputs, two of which share a parameter's name",
        "URLs of this API, stage and partition",
        outputs,
        quick=True,
    ),
    Row(
        "routes",
        "`Fn::If` with `AWS::NoValue` under `Body.paths`",
        "the methods of everything switched on, each with its authorization",
        routes,
        quick=True,
        why="API Gateway's importer reads the body after CloudFormation has coerced it",
    ),
    Row(
        "root",
        "`GET /`, a mock",
        "JSON for programs, a redirect to the Explorer for browsers",
        root,
        quick=True,
        why="its Velocity template runs in API Gateway alone",
    ),
    Row(
        "explorer",
        "the API Explorer",
        "the page, and a document that states authorization and backend",
        explorer,
        quick=True,
    ),
)
AFTER_UPDATES = (
    Row(
        "one-deployment",
        "Deployments after all changes",
        "one, which the stage serves",
        one_deployment,
        quick=True,
    ),
)
