"""Orders of transitions: walks over parameter values that take every wanted step once."""

import itertools
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence

from tests.infrastructure.account import LOG_KEYS, WEB_ACLS

State = tuple[str, str, str]
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
}
STATES: tuple[State, ...] = tuple((one, two, three) for one, two, three in itertools.product(*AXES.values()))
OTHERS: dict[str, str] = {
    "APIGatewayStageName": "dev-2",
    "LambdaMaxConcurrency": "20",
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


def distance(one: State, other: State) -> int:
    """How many parameters differ."""
    return sum(left != right for left, right in zip(one, other, strict=True))


def steps(distances: Iterable[int]) -> list[tuple[State, State]]:
    """All ordered pairs of states at these distances."""
    wanted = set(distances)
    return [pair for pair in itertools.permutations(STATES, 2) if distance(*pair) in wanted]


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
    return dict(zip(AXES, state, strict=True))


def random_changes(defaults: Mapping[str, str], seed: int, count: int) -> Iterator[dict[str, str]]:
    """Values for two to six parameters, any of them."""
    chance = random.Random(seed)
    choices = {**AXES, **{name: (value, defaults[name]) for name, value in OTHERS.items()}}
    for _ in range(count):
        names = chance.sample(sorted(choices), chance.randint(2, 6))
        changes = {name: chance.choice(choices[name]) for name in names}
        for together in TOGETHER:
            if chance.random() < 0.3:
                changes |= chance.choice((together, {name: defaults[name] for name in together}))
        yield changes
