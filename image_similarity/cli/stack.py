"""Finds a deployed stack's API: its URL and whether calls must be signed."""

import re
from collections.abc import Callable
from dataclasses import dataclass

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from image_similarity.cli.http_target import HttpTarget, Signer
from image_similarity.cli.targets import Unreachable

OUTPUT = "ImageSimilarity"
AUTHORIZATION = "APIGatewayAuthorization"
EXECUTE_API = re.compile(r"\.execute-api\.([a-z0-9-]+)\.")


@dataclass(frozen=True, slots=True)
class Api:
    """The API of a stack."""

    url: str
    signed: bool


def find_api(stack: str, region: str | None) -> Api:
    """Read the URL and the kind of authorization from a stack's outputs and parameters.

    Raises:
        Unreachable: no such stack, no permission, or the feature is off; the message says what to do.
    """
    try:
        client = boto3.Session(region_name=region).client("cloudformation")
        described = client.describe_stacks(StackName=stack)["Stacks"][0]
    except (BotoCoreError, ClientError) as error:
        raise Unreachable(f"The stack {stack!r} can't be read: {error}") from error
    outputs = {item.get("OutputKey"): item.get("OutputValue") for item in described.get("Outputs", [])}
    parameters = {
        item.get("ParameterKey"): item.get("ParameterValue") for item in described.get("Parameters", [])
    }
    url = outputs.get(OUTPUT)
    if url is None:
        raise Unreachable(
            f"The stack {stack!r} has no output {OUTPUT}: its parameter ImageSimilarity is 'no', or it is "
            "not a stack of this service."
        )
    return Api(url, signed=parameters.get(AUTHORIZATION, "AWS_IAM") == "AWS_IAM")


def http_target(api: Api, region: str | None, note: Callable[[str], None]) -> HttpTarget:
    """A target for the API, signing with the default credential chain where the API asks for it.

    Args:
        api: where it is.
        region: for the signature, where the URL does not tell it.
        note: see `HttpTarget`.

    Raises:
        Unreachable: there are no credentials, or no region is known.
    """
    if not api.signed:
        return HttpTarget(api.url, note=note)
    try:
        session = boto3.Session(region_name=region)
        found = EXECUTE_API.search(api.url)
        signing_region = region or (found.group(1) if found else session.region_name)
        credentials = session.get_credentials()
    except BotoCoreError as error:
        raise Unreachable(f"The AWS credentials can't be used: {error}") from error
    if credentials is None:
        raise Unreachable("No AWS credentials were found. Run aws configure, or set AWS_PROFILE.")
    if signing_region is None:
        raise Unreachable("The URL names no region. Give it with --region.")
    return HttpTarget(api.url, Signer(credentials, signing_region), note)
