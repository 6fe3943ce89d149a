"""`python -m verify --stack NAME`: verify a stack in an AWS account. `make verify STACK=NAME` calls it."""

import sys

import boto3
from botocore.exceptions import BotoCoreError
from rich.console import Console

from verify.aws.account import AwsCloud
from verify.command import execute, parser
from verify.facts import CloudFailed


def main() -> int:
    """Verify."""
    options = parser("python -m verify")
    options.add_argument("--stack", required=True, help="the stack's name")
    options.add_argument("--region", help="its region (that of the profile)")
    options.add_argument("--profile", help="profile of the AWS command line")
    given = options.parse_args()

    def cloud() -> AwsCloud:
        try:
            session = boto3.Session(profile_name=given.profile, region_name=given.region)
        except BotoCoreError as error:
            raise CloudFailed(str(error)) from error
        return AwsCloud(session, given.stack)

    return execute(given, cloud, Console())


if __name__ == "__main__":
    sys.exit(main())
