"""Orders of transitions: walks over parameter values that take every wanted step once."""

import itertools
import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from tests.infrastructure.account import LOG_KEYS, WEB_ACLS

State = tuple[str, ...]
# What rules refuse alone: changed together, and back.
TOGETHER = (
    {
        "SubnetIds": "subnet-0123456789abcdef0,subnet-0123456789abcdef1",
        "SecurityGroupIds": "sg-0123456789abcdef0",
    },
)
AXES = {
    "ImageSimilarity": ("yes-lambda", "yes-sagemaker", "no"),
    "APIGatewayAuthorization": ("AWS_IAM", "NONE"),
    "APIExplorer": ("yes", "no"),
    "Catalogue": ("no", "yes", "paused"),
}
STATES: tuple[State, ...] = tuple(itertools.product(*AXES.values()))
BUCKETS = "of-the-start"  # the catalogue needs some
OTHERS: dict[str, str] = {
    "APIGatewayStageName": "dev-2",
    "LambdaMaxConcurrency": "20",
    "CatalogueConcurrency": "7",
    "UrlHosts": "cdn.example.com,.example.org",
    "UserAgentContact": "https://example.com/images",
    "WebAclArn": WEB_ACLS[0],
    "KmsKeyArn": LOG_KEYS[0],
    "LambdaMemorySize": "1769",
    "SageMakerMinInstances": "2",
    "SageMakerMaxInstances": "3",
    "ImageBuckets": "first-bucket,second.bucket",
    "ThrottlingRateLimit": "7",
    "ThrottlingBurstLimit": "9",
    "LogRetentionDays": "7",
    "AlarmTopicArn": "arn:aws:sns:us-east-1:123456789012:alarms",
    "AccessLogs": "yes",
}


def changed(one: State, other: State) -> set[str]:
    """The axes in which two states differ."""
    return {name for name, left, right in zip(AXES, one, other, strict=True) if left != right}


def steps(wanted: Callable[[set[str]], bool]) -> list[tuple[State, State]]:
    """All ordered pairs of states that differ in such axes."""
    return [pair for pair in itertools.permutations(STATES, 2) if wanted(changed(*pair))]


def circuits(pairs: Iterable[tuple[State, State]]) -> Iterator[list[State]]:
    """Closed walks that take every pair once, one for each part of the graph that hangs together."""
    left = list(pairs)
    while left:
        reached, new = set[State](), {left[0][0]}
        while new:
            reached |= new
            new = {other for one, other in left if one in new} - reached
        yield circuit([pair for pair in left if pair[0] in reached])
        left = [pair for pair in left if pair[0] not in reached]


def circuit(pairs: Sequence[tuple[State, State]]) -> list[State]:
    """A closed walk that takes every pair once (Hierholzer); there is one, as every step has its opposite."""
    left: dict[State, list[State]] = {}
    for one, other in pairs:
        left.setdefault(one, []).append(other)
    trail, walk = [pairs[0][0]], list[State]()
    while trail:
        if left.get(trail[-1]):
            trail.append(left[trail[-1]].pop())
        else:
            walk.append(trail.pop())
    assert len(walk) == len(pairs) + 1
    return walk[::-1]


def parameters_of(state: State) -> dict[str, str]:
    return {**dict(zip(AXES, state, strict=True)), "ImageBuckets": BUCKETS}


def random_changes(defaults: Mapping[str, str], seed: int, count: int) -> Iterator[dict[str, str]]:
    """Values for two to six parameters, any of them; there are always buckets."""
    chance = random.Random(seed)
    defaults = {**defaults, "ImageBuckets": BUCKETS}
    choices = {**AXES, **{name: (value, defaults[name]) for name, value in OTHERS.items()}}
    for _ in range(count):
        names = chance.sample(sorted(choices), chance.randint(2, 6))
        changes = {name: chance.choice(choices[name]) for name in names}
        for together in TOGETHER:
            if chance.random() < 0.3:
                changes |= chance.choice((together, {name: defaults[name] for name in together}))
        yield changes
