"""What a check works with: the stack as it is now, calls to its API, and words for what was seen."""

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

from verify.answers import Differs, expect, read
from verify.cloud import Cloud, Services
from verify.facts import Answer, Outcome, Request, Stack

JSON = {"Content-Type": "application/json"}
FEATURE = "/image-similarity"
Value = TypeVar("Value")


@dataclass(frozen=True)
class Tick:
    """Statuses of a signed and an unsigned call at one moment of an update; 0 where no answer came."""

    signed: int
    unsigned: int

    @property
    def failed(self) -> bool:
        """Whether the signed call had no answer, or a 5xx."""
        return self.signed == 0 or self.signed >= 500


@dataclass
class Passage:
    """What callers saw while parameters changed: whether calls had to be signed before and after."""

    title: str
    always_signed: bool
    ticks: list[Tick] = field(default_factory=list)


@dataclass(frozen=True)
class Pictures:
    """Two different pictures in base64, and a URL of one that the public can fetch."""

    first: str
    second: str
    url: str

    @property
    def first_file(self) -> bytes:
        """The first picture's file."""
        return base64.b64decode(self.first)


class Subject:
    """One stack at one moment of the run; a new one is made after each change."""

    def __init__(
        self,
        cloud: Cloud,
        pictures: Pictures,
        supplied: Mapping[str, str],
        outcome: Outcome | None = None,
        passages: Sequence[Passage] = (),
        kept: dict[str, Any] | None = None,
    ) -> None:
        """Look at a stack.

        Args:
            cloud: where it is.
            pictures: what calls are made with.
            supplied: by name, what the owner gave for rows that need something of the account.
            outcome: how the update before this moment ended, if there was one.
            passages: what callers saw in all updates so far.
            kept: what checks note for later ones.
        """
        self.cloud, self.pictures, self.supplied = cloud, pictures, supplied
        self.outcome, self.passages = outcome, passages
        self.kept: dict[str, Any] = {} if kept is None else kept
        self.began = cloud.now()

    @cached_property
    def stack(self) -> Stack:
        """The stack as CloudFormation describes it."""
        return self.cloud.stack()

    @property
    def services(self) -> Services:
        """What else the account describes."""
        return self.cloud.services

    @property
    def parameters(self) -> Mapping[str, str]:
        """The stack's parameters."""
        return self.stack.parameters

    @property
    def signed(self) -> bool:
        """Whether calls must be signed."""
        return self.parameters["APIGatewayAuthorization"] == "AWS_IAM"

    @property
    def on_sagemaker(self) -> bool:
        """Whether SageMaker answers."""
        return self.parameters["ImageSimilarity"] == "yes-sagemaker"

    @property
    def stage(self) -> str:
        """The stage's name."""
        return self.parameters["APIGatewayStageName"]

    @property
    def api(self) -> str:
        """The API's id."""
        return self.one("AWS::ApiGateway::RestApi")

    def one(self, kind: str) -> str:
        """Name of the stack's only resource of a type. Raises Differs."""
        names = [item.name for item in self.stack.of_type(kind)]
        if len(names) != 1:
            raise Differs(f"{len(names)} resources of type {kind}")
        return names[0]

    def named(self, logical_id: str) -> str:
        """Name of a resource by its logical id. Raises Differs where the stack has none."""
        if logical_id not in self.stack.resources:
            raise Differs(f"the stack has no {logical_id}")
        return self.stack.resources[logical_id].name

    def call(
        self,
        method: str,
        path: str,
        body: bytes | Mapping[str, Any] | None = None,
        headers: Mapping[str, str] = JSON,
        signed: bool | None = None,
    ) -> Answer:
        """Call a path under the stage, signed where the stack wants it. Raises CloudFailed."""
        content = json.dumps(body).encode() if isinstance(body, Mapping) else body
        wanted = self.signed if signed is None else signed
        return self.cloud.call(Request(method, f"/{self.stage}{path}", content, headers, wanted))

    def post(self, body: bytes | Mapping[str, Any], headers: Mapping[str, str] = JSON) -> Answer:
        """Call the feature."""
        return self.call("POST", FEATURE, body, headers)

    def result(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """The JSON of an answer that must be 200. Raises Differs."""
        return read(expect(self.post(body), 200))

    def until(self, seconds: float, look: Callable[[], Value], step: float = 10.0) -> Value:
        """Look again until it no longer differs: services tell some things late. Raises the last Differs."""
        deadline = self.cloud.now() + seconds
        while True:
            try:
                return look()
            except Differs:
                if self.cloud.now() >= deadline:
                    raise
            self.cloud.pause(step)
