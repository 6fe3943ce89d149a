"""A stack in an account: CloudFormation behind boto3, its API behind HTTPS."""

import time
from collections.abc import Mapping
from functools import cache
from typing import Any

import boto3

from verify.aws.failures import told
from verify.aws.http import Caller
from verify.aws.leftovers import leftovers
from verify.aws.services import AwsServices
from verify.cloud import Meanwhile, Services
from verify.facts import Answer, CloudFailed, Outcome, Request, Resource, Stack

POLL_SECONDS = 2.0
CAPABILITIES = ["CAPABILITY_IAM"]


class AwsCloud:
    """See `verify.cloud.Cloud`.

    Args:
        session: whose credentials and region are used.
        name: the stack's.

    Raises:
        CloudFailed: the stack can't be read, or the session has no region or credentials.
    """

    def __init__(self, session: boto3.Session, name: str, poll_seconds: float = POLL_SECONDS) -> None:
        if session.region_name is None:
            raise CloudFailed("No region is known: set AWS_REGION, or REGION=...")
        credentials = session.get_credentials()
        if credentials is None:
            raise CloudFailed("No AWS credentials were found: run aws configure, or set AWS_PROFILE.")
        self._poll_seconds, self._name = poll_seconds, name
        self._client = cache(lambda service: session.client(service))
        found = self._described()
        _, partition, _, self.region, self.account, _ = found["StackId"].split(":", 5)
        self._id = found["StackId"]  # by which a deleted stack is still described
        self._services = AwsServices(self._client, (partition, self.region, self.account))
        suffix = "amazonaws.com.cn" if partition == "aws-cn" else "amazonaws.com"
        [api] = self.stack().of_type("AWS::ApiGateway::RestApi")
        host = f"{api.name}.execute-api.{self.region}.{suffix}"
        self._caller = Caller(f"https://{host}", credentials, self.region)

    @property
    def services(self) -> Services:
        """See Cloud."""
        return self._services

    def stack(self) -> Stack:
        """See Cloud."""
        found = self._described()
        with told(f"The resources of {self._name} can't be read"):
            pages = (
                self._client("cloudformation")
                .get_paginator("list_stack_resources")
                .paginate(StackName=self._name)
            )
            items = [item for page in pages for item in page["StackResourceSummaries"]]
        resources = {
            item["LogicalResourceId"]: Resource(item["ResourceType"], item["PhysicalResourceId"])
            for item in items
            if item.get("PhysicalResourceId") and item["ResourceStatus"] != "DELETE_COMPLETE"
        }
        return Stack(
            found["StackId"],
            found["StackStatus"],
            {item["ParameterKey"]: item["ParameterValue"] for item in found.get("Parameters", [])},
            {item["OutputKey"]: item["OutputValue"] for item in found.get("Outputs", [])},
            resources,
        )

    def allowed(self, parameter: str) -> list[str]:
        """See Cloud."""
        with told(f"The template of {self._name} can't be read"):
            summary = self._client("cloudformation").get_template_summary(StackName=self._name)
        declared = {item["ParameterKey"]: item for item in summary["Parameters"]}
        return list(declared[parameter].get("ParameterConstraints", {}).get("AllowedValues", []))

    def update(self, changes: Mapping[str, str], meanwhile: Meanwhile) -> Outcome:
        """See Cloud. Waits first for an update that still runs, as after an interruption."""
        names = list(self._settled(lambda: None)["Parameters"])
        parameters = [
            {"ParameterKey": item["ParameterKey"], "ParameterValue": changes[item["ParameterKey"]]}
            if item["ParameterKey"] in changes
            else {"ParameterKey": item["ParameterKey"], "UsePreviousValue": True}
            for item in names
        ]
        start, began = time.monotonic(), time.time()
        with told(f"CloudFormation refuses {', '.join(changes)}"):
            self._client("cloudformation").update_stack(
                StackName=self._name,
                UsePreviousTemplate=True,
                Parameters=parameters,
                Capabilities=CAPABILITIES,
            )
        status = self._settled(meanwhile)["StackStatus"]
        seconds = time.monotonic() - start
        return Outcome(status, "" if status == "UPDATE_COMPLETE" else self._reason(began), seconds)

    def delete(self) -> Outcome:
        """See Cloud."""
        start, began = time.monotonic(), time.time()
        with told(f"{self._name} can't be deleted"):
            self._client("cloudformation").delete_stack(StackName=self._id)
        status = self._settled(lambda: None)["StackStatus"]
        reason = "" if status == "DELETE_COMPLETE" else self._reason(began)
        return Outcome(status, reason, time.monotonic() - start)

    def leftovers(self, stack: Stack) -> list[str]:
        """See Cloud."""
        return leftovers(self._client, stack)

    def call(self, request: Request) -> Answer:
        """See Cloud."""
        return self._caller.call(request)

    def now(self) -> float:
        """See Cloud."""
        return time.time()

    def pause(self, seconds: float) -> None:
        """See Cloud."""
        time.sleep(seconds)

    def _described(self) -> dict[str, Any]:
        name = getattr(self, "_id", self._name)
        with told(f"The stack {self._name!r} can't be read"):
            found: dict[str, Any] = self._client("cloudformation").describe_stacks(StackName=name)["Stacks"][
                0
            ]
        return found

    def _settled(self, meanwhile: Meanwhile) -> dict[str, Any]:
        """The stack once nothing runs any more; rollbacks run on to their end."""
        while True:
            found = self._described()
            if not found["StackStatus"].endswith("_IN_PROGRESS"):
                return found
            meanwhile()
            time.sleep(self._poll_seconds)

    def _reason(self, began: float) -> str:
        """The first failure since a time, as the later ones follow from it."""
        with told("The stack's events can't be read"):
            pages = (
                self._client("cloudformation")
                .get_paginator("describe_stack_events")
                .paginate(StackName=self._id)
            )
            events = [event for page in pages for event in page["StackEvents"]]
        failed = [
            event
            for event in events
            if event["ResourceStatus"].endswith("_FAILED") and event["Timestamp"].timestamp() >= began - 60
        ]
        if not failed:
            return "no event names a reason"
        first = min(failed, key=lambda event: event["Timestamp"])
        return f"{first['LogicalResourceId']}: {first.get('ResourceStatusReason', '')}"
