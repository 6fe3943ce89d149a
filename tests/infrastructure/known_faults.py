"""Template faults that others reported: deployed green or failed late. Each as a change to our template.

Chosen from public issues before it was looked whether the engine models them; none is of our own templates.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Template = dict[str, Any]
OPEN = {"ImageSimilarity": "yes-lambda", "APIGatewayAuthorization": "NONE"}
SAGEMAKER = {"ImageSimilarity": "yes-sagemaker", "APIGatewayAuthorization": "NONE"}
VPC = {"SubnetIds": "subnet-01234567,subnet-89abcdef", "SecurityGroupIds": "sg-01234567"}
GITHUB = "https://github.com/"


@dataclass(frozen=True)
class Fault:
    """One fault.

    Args:
        issue: who reported it, owner/repository/issues/number.
        change: makes the template wrong.
        seen: a part of what the engine or its checks say; None where they see nothing.
        why_not: why it is not modelled; for `seen` of None alone.
        before, after: parameters of a stack that is created, and of its update.
        account: what is special about the account.
    """

    issue: str
    change: Callable[[Template], None]
    seen: str | None
    why_not: str = ""
    before: Mapping[str, str] = field(default_factory=lambda: OPEN)
    after: Mapping[str, str] | None = None
    account: Mapping[str, Any] = field(default_factory=dict)


def properties(template: Template, name: str) -> dict[str, Any]:
    found: dict[str, Any] = template["Resources"][name]["Properties"]
    return found


def _permission(arn: str) -> Callable[[Template], None]:
    return lambda template: properties(template, "LambdaPermission").update(SourceArn={"Fn::Sub": arn})


def _one_deployment(template: Template) -> None:
    names = [n for n, r in template["Resources"].items() if r["Type"] == "AWS::ApiGateway::Deployment"]
    for name in names[1:]:
        del template["Resources"][name]
    template["Resources"][names[0]] = {
        "Type": "AWS::ApiGateway::Deployment",
        "Properties": {"RestApiId": {"Ref": "RestApi"}},
        "DependsOn": ["LambdaPermission", "ExplorerPermission"],
    }
    properties(template, "Stage")["DeploymentId"] = {"Ref": names[0]}


def _no_dependency_on_permissions(template: Template) -> None:
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::ApiGateway::Deployment":
            resource.pop("DependsOn", None)


def _fixed(name: str, **values: object) -> Callable[[Template], None]:
    return lambda template: properties(template, name).update(values)


def _acl_by_name(template: Template) -> None:
    text = "arn:${AWS::Partition}:apigateway:${AWS::Region}::/restapis/${RestApi}/stages/prod"
    properties(template, "WebAclAssociation")["ResourceArn"] = {"Fn::Sub": text}


def _signed_preflight(template: Template) -> None:
    paths = properties(template, "RestApi")["Body"]["paths"]
    for path in paths.values():
        item = path["Fn::If"][1] if "Fn::If" in path else path
        item["options"]["security"] = [{"sigv4": []}]


def _refusals_without_cors(template: Template) -> None:
    for response in properties(template, "RestApi")["Body"]["x-amazon-apigateway-gateway-responses"].values():
        response.pop("responseParameters", None)


def _role_without(action: str) -> Callable[[Template], None]:
    def change(template: Template) -> None:
        for policy in properties(template, "SageMakerRole")["Policies"]:
            document = policy["PolicyDocument"]
            document["Statement"] = [s for s in document["Statement"] if action not in s["Action"]]

    return change


def _environment(**variables: str) -> Callable[[Template], None]:
    return lambda template: properties(template, "LambdaFunction")["Environment"]["Variables"].update(
        variables
    )


def _image_of_another_region(template: Template) -> None:
    image = properties(template, "SageMakerModel")["PrimaryContainer"]["Image"]
    image["Fn::Sub"] = image["Fn::Sub"].replace("dkr.ecr.${AWS::Region}", "dkr.ecr.eu-west-1")


def _integration(**values: object) -> Callable[[Template], None]:
    def change(template: Template) -> None:
        text = "x-amazon-apigateway-integration"
        properties(template, "RestApi")["Body"]["paths"]["/"]["get"][text].update(values)

    return change


def _alarm_by_api_id(template: Template) -> None:
    properties(template, "ApiLatencyAlarm")["Dimensions"][0] = {"Name": "ApiId", "Value": {"Ref": "RestApi"}}


SAM = "aws/serverless-application-model/issues/"
FAULTS: dict[str, Fault] = {
    "a permission that names another API": Fault(
        f"{SAM}3393",
        _permission("arn:aws:execute-api:${AWS::Region}:${AWS::AccountId}:RestApi/*/POST/*"),
        "nothing of .* allows",
    ),
    "a permission for the method ANY": Fault(
        f"{SAM}59",
        _permission("arn:aws:execute-api:${AWS::Region}:${AWS::AccountId}:${RestApi}/*/ANY/*"),
        "nothing of .* allows",
    ),
    "routes that are live before their permission": Fault(
        "DataBiosphere/azul/issues/8301", _no_dependency_on_permissions, "nothing of .* allows"
    ),
    "a deployment that is never made anew": Fault(
        "aws/aws-cdk/issues/8646",
        _one_deployment,
        "assert status == ",
        after={"APIGatewayAuthorization": "AWS_IAM"},
    ),
    "another instance type on a scaled endpoint": Fault(
        "hashicorp/terraform-provider-aws/issues/14337",
        _fixed("SageMakerEndpoint", EndpointName="image-similarity-51af3dc0-fixed"),
        "must be deregistered as scalable targets",
        before=SAGEMAKER,
        after={"SageMakerInstanceType": "ml.c6i.xlarge"},
    ),
    "an endpoint configuration with a name of its own": Fault(
        "philschmid/terraform-aws-sagemaker-huggingface/issues/6",
        _fixed("SageMakerEndpointConfig", EndpointConfigName="fixed"),
        "already existing endpoint configuration",
        before=SAGEMAKER,
        after={"SageMakerMinInstances": "2"},
    ),
    "a model whose image is in another region": Fault(
        "ed-donner/alex/issues/30",
        _image_of_another_region,
        "Cross region ECR image pulls are not allowed",
        before=SAGEMAKER,
    ),
    "a model whose role may not pull": Fault(
        "aws-samples/generative-ai-sagemaker-cdk-demo/issues/2",
        _role_without("ecr:BatchGetImage"),
        "does not have BatchGetImage permission",
        before=SAGEMAKER,
    ),
    "a web ACL before its stage": Fault(
        "aws-cloudformation/cloudformation-coverage-roadmap/issues/2358",
        _acl_by_name,
        "WAFNonexistentItemException",
        before={**OPEN, "WebAclArn": "ACL"},
    ),
    "access logs without the region's role": Fault(
        "aws-solutions/virtual-waiting-room-on-aws/issues/74",
        lambda template: None,
        "CloudWatch Logs role ARN must be set",
        before={**OPEN, "AccessLogs": "yes"},
        account={"log_role": False},
    ),
    "a function that leaves its VPC after its policy": Fault(
        "aws/aws-cdk/issues/34400",
        lambda template: None,
        None,
        "Lambda takes minutes, and the engine knows no time: docs/deploy.md, A VPC, and a row of verify",
        before={**OPEN, **VPC},
        after={"SubnetIds": "", "SecurityGroupIds": ""},
    ),
    "preflights that must be signed": Fault(f"{SAM}717", _signed_preflight, 'call\\("OPTIONS"'),
    "refusals without CORS": Fault(
        f"{SAM}1983",
        _refusals_without_cors,
        None,
        "the engine looks at statuses alone; test_gateway.py looks at the headers of each refusal",
    ),
    "reserved concurrency in a new account": Fault(
        "aws-samples/one-observability-demo/issues/278",
        _fixed("LambdaFunction", ReservedConcurrentExecutions=1),
        "below its minimum value",
        account={"concurrency": 10},
    ),
    "a log group whose name is taken": Fault(
        "serverless/serverless/issues/3237",
        _fixed("LambdaLogGroup", LogGroupName="/aws/lambda/taken"),
        "ResourceAlreadyExistsException",
        account={"log_group": "/aws/lambda/taken"},
    ),
    "bodies that become base64": Fault(
        "humanmade/tachyon/issues/114",
        _fixed("RestApi", BinaryMediaTypes=["*/*"]),
        None,
        "the gateway's model has no binary types; test_redeployment.py names the API's properties",
    ),
    "more environment than 4 KB": Fault(
        "aws-samples/aws-genai-llm-chatbot/issues/583",
        _environment(MORE="x" * 4096),
        "exceeded the 4KB limit",
    ),
    "a variable that Lambda keeps for itself": Fault(
        "mattermost/mattermost-cloud-monitoring/pull/264",
        _environment(AWS_REGION="us-east-1"),
        "reserved keys",
    ),
    "an integration that waits over 29 seconds": Fault(
        "aws/aws-cdk/issues/31063", _integration(timeoutInMillis=30000), "between 50 ms and 29000 ms"
    ),
    "an alarm on a dimension that REST APIs lack": Fault(
        "ASFHyP3/hyp3/issues/2044",
        _alarm_by_api_id,
        None,
        "the engine judges no alarm's dimensions; tests/infrastructure/test_operation.py names those of each",
    ),
}
