"""The catalogue's rows on scripted answers, good ones and bad: no engine here has its services yet."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from verify.answers import Differs, Skipped
from verify.checks import catalogue
from verify.cloud import Cloud
from verify.facts import Answer, Request, Resource, Stack
from verify.subject import Pictures, Subject

ID = "arn:aws:cloudformation:us-east-1:123456789012:stack/Mine/51af3dc0"
ON = {
    "Catalogue": "yes",
    "ImageBuckets": "one,two",
    "ImageSimilarity": "yes-lambda",
    "APIGatewayAuthorization": "AWS_IAM",
    "APIGatewayStageName": "prod",
}
RESOURCES = {
    "CatalogueRule": Resource("AWS::Events::Rule", "rule"),
    "CatalogueMapping": Resource("AWS::Lambda::EventSourceMapping", "mapping"),
    "CatalogueIndexFunction": Resource("AWS::Lambda::Function", "indexing"),
    "CatalogueAnswerFunction": Resource("AWS::Lambda::Function", "answering"),
}
STATUS = {
    "model": "m",
    "buckets": ["one", "two"],
    "pending": 0,
    "failed": 0,
    "complete": True,
    "lastSync": None,
}
Body = Mapping[str, Any]


@dataclass
class Scripted:
    """A stack with a catalogue of one's own making; it is its own services."""

    parameters: Mapping[str, str] = field(default_factory=lambda: ON)
    status: Body = field(default_factory=lambda: STATUS)
    matches: list[Body] = field(
        default_factory=lambda: [{"key": "a", "similarity": 0.9}, {"key": "b", "similarity": 0.8}]
    )
    absent: int = 404
    sync: tuple[int, int] = (403, 202)  # unsigned, signed
    buckets: list[str] = field(default_factory=lambda: ["one", "two"])
    loops: str = "Allow"
    indexes: bool = True
    forgets: bool = True
    objects: set[str] = field(default_factory=set)
    ahead: float = 0.0
    region: str = "us-east-1"
    account: str = "123456789012"

    @property
    def services(self) -> "Scripted":
        return self

    def stack(self) -> Stack:
        return Stack(ID, "UPDATE_COMPLETE", self.parameters, {}, RESOURCES)

    def now(self) -> float:
        return self.ahead

    def pause(self, seconds: float) -> None:
        self.ahead += seconds

    def event_pattern(self, rule: str) -> Any:
        return {"detail": {"bucket": {"name": self.buckets}}}

    def recursion(self, function: str) -> str:
        return self.loops if function == "indexing" else "Terminate"

    def put_object(self, bucket: str, key: str, body: bytes) -> None:
        if self.indexes:
            self.objects.add(f"s3://{bucket}/{key}")

    def delete_object(self, bucket: str, key: str) -> None:
        if self.forgets:
            self.objects.discard(f"s3://{bucket}/{key}")

    def call(self, request: Request) -> Answer:
        if request.path == "/prod/catalogue":
            return answer(200, self.status)
        if request.path == "/prod/catalogue/sync":
            return answer(self.sync[request.signed], {})
        if b'"key"' in (request.body or b""):
            return answer(self.absent, {})
        found = [{"key": name, "similarity": 1.0} for name in self.objects]
        return answer(200, {"matches": [*found, *self.matches], "complete": True})


def answer(status: int, body: Body) -> Answer:
    codes = {403: "Forbidden", 404: "NotFound"}
    told = {"code": codes[status], "message": "m", "requestId": "r"} if status in codes else body
    return Answer(status, {"access-control-allow-origin": "*"}, json.dumps(told).encode())


def subject(scripted: Scripted) -> Subject:
    return Subject(cast("Cloud", scripted), Pictures("aGVsbG8=", "", ""), {"CatalogueBucket": "one"})


CHECKS: Mapping[str, Callable[[Subject], str]] = {row.name: row.check for row in catalogue.ROWS}
BAD = {
    "catalogue-status": [
        Scripted(status={**STATUS, "buckets": ["one"]}),
        Scripted(status={name: value for name, value in STATUS.items() if name != "pending"}),
    ],
    "catalogue-search": [
        Scripted(matches=[{"key": "a", "similarity": 0.8}, {"key": "b", "similarity": 0.9}]),
        Scripted(matches=[{"key": "a", "similarity": 0.8}] * 6),
        Scripted(absent=200),
    ],
    "catalogue-sync": [
        Scripted(sync=(202, 202)),
        Scripted(sync=(403, 403)),
        Scripted(status={**STATUS, "complete": False}),
    ],
    "catalogue-object": [Scripted(indexes=False), Scripted(forgets=False)],
    "catalogue-pattern": [Scripted(buckets=["one,two"])],
    "catalogue-recursion": [Scripted(loops="Terminate")],
}


def test_every_row_of_the_catalogue_is_here() -> None:
    assert BAD.keys() == CHECKS.keys()


@pytest.mark.parametrize("name", CHECKS)
def test_a_row_passes_on_a_good_catalogue(name: str) -> None:
    assert CHECKS[name](subject(Scripted()))


@pytest.mark.parametrize(("name", "scripted"), [(name, item) for name, bad in BAD.items() for item in bad])
def test_a_row_fails_on_a_bad_catalogue(name: str, scripted: Scripted) -> None:
    with pytest.raises(Differs):
        CHECKS[name](subject(scripted))


@pytest.mark.parametrize("name", CHECKS)
@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        ({name: value for name, value in ON.items() if name != "Catalogue"}, "has no parameter Catalogue"),
        ({**ON, "Catalogue": "no"}, "Catalogue is no"),
    ],
)
def test_without_a_catalogue_the_rows_are_skipped(
    name: str, parameters: Mapping[str, str], reason: str
) -> None:
    with pytest.raises(Skipped, match=reason):
        CHECKS[name](subject(Scripted(parameters=parameters)))
