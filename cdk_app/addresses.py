"""ARNs and URLs of the API, which hold its id by name: nobody has to wait for the API to be made."""

import aws_cdk as cdk

REST_API = "RestApi"  # its logical id
STAGE = "Stage"


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
