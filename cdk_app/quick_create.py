"""The console link that creates a stack from the template that the CDK put into the bootstrap's bucket."""

import json
from pathlib import Path
from urllib.parse import quote, urlencode

from aws_cdk.region_info import RegionInfo

FILE = "quick-create.txt"
CONSOLES = {"aws-cn": "console.amazonaws.cn", "aws-us-gov": "console.amazonaws-us-gov.com"}
CONSOLE = "console.aws.amazon.com"


def write(assembly: Path, account: str | None, region: str | None) -> None:
    """Write the link into the cloud assembly, or none where account or region is not known yet.

    Args:
        assembly: the cloud assembly's folder, with one stack in it.
        account: whose bootstrap takes the template.
        region: where.
    """
    file = assembly / FILE
    file.unlink(missing_ok=True)
    if account and region:
        file.write_text(link(assembly, account, region) + "\n", encoding="utf-8")


def link(assembly: Path, account: str, region: str) -> str:
    """The link, with the template's URL and no parameter: the console shows the template's defaults.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cfn-console-create-stacks-quick-create-links.html
    """
    artifacts = json.loads((assembly / "manifest.json").read_text("utf-8"))["artifacts"]
    [(name, stack)] = [
        (name, artifact["properties"])
        for name, artifact in artifacts.items()
        if artifact["type"] == "aws:cloudformation:stack"
    ]
    information = RegionInfo.get(region)
    placed = stack["stackTemplateAssetObjectUrl"]
    placed = placed.replace("${AWS::AccountId}", account).replace("${AWS::Region}", region)
    bucket, _, key = placed.removeprefix("s3://").partition("/")
    template = f"https://{bucket}.s3.{region}.{information.domain_suffix or 'amazonaws.com'}/{key}"
    console = CONSOLES.get(information.partition or "aws", CONSOLE)
    query = urlencode({"templateURL": template, "stackName": name}, quote_via=quote)
    return f"https://{region}.{console}/cloudformation/home?region={region}#/stacks/quickcreate?{query}"
