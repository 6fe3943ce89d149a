"""ARNs and URLs of the API, which refer to its id by name, so that nothing has to wait for the API.

Also the name of resources that need a unique one.
"""

import aws_cdk as cdk

REST_API = "RestApi"  # its logical id
STAGE = "Stage"
OWN_NAME = "image-similarity-${Stack}"
"""`own_name`, as text for Fn::Sub with `Stack`, the `stack_part`."""


def execute_arn(path: str, stage: str = "*") -> str:
    """The ARN of a method, as permissions and callers' policies name it; no resource id, they change."""
    api = f"${{AWS::Region}}:${{AWS::AccountId}}:${{{REST_API}}}"
    return cdk.Fn.sub(f"arn:${{AWS::Partition}}:execute-api:{api}/{stage}/{path}")


def stage_arn() -> str:
    """The stage's ARN, as web ACLs name it; it changes with the stage's name."""
    stage = f"/restapis/${{{REST_API}}}/stages/${{{STAGE}}}"
    return cdk.Fn.sub(f"arn:${{AWS::Partition}}:apigateway:${{AWS::Region}}::{stage}")


def url(path: str) -> str:
    """The public URL of a path; it exists once the stage does."""
    host = f"${{{REST_API}}}.execute-api.${{AWS::Region}}.${{AWS::URLSuffix}}"
    return cdk.Fn.sub(f"https://{host}/${{{STAGE}}}/{path}")


def stack_part() -> str:
    """The first group of the GUID in the stack's id: no two stacks share it, whatever they are called."""
    return cdk.Fn.select(0, cdk.Fn.split("-", cdk.Fn.select(2, cdk.Fn.split("/", cdk.Aws.STACK_ID))))


def own_name() -> str:
    """A name that no other stack has, of lower-case letters, digits and dashes."""
    return cdk.Fn.sub(OWN_NAME, {"Stack": stack_part()})
