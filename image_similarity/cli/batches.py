"""Many pictures in few requests, none of which is larger than the API takes."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Protocol, TypeVar

from image_similarity.cli import answers
from image_similarity.cli.answers import ApiRefusal
from image_similarity.cli.pictures import UnreadablePicture
from image_similarity.cli.retrying import BUSY
from image_similarity.cli.targets import Answer, Outcome, Refused
from image_similarity.inference.json_body import MAX_BODY_BYTES
from image_similarity.inference.request import MAX_URLS

MAX_PICTURES = MAX_URLS
"""Of a request: as many may be URLs. More gain nothing: its costs are shared among enough already."""
ITEM_BYTES = 16
"""What a body has beside the value of a picture's field."""
ENVELOPE_BYTES = 64
BUSY_CODES = frozenset({"Timeout", "Unavailable"})
"""Of pictures that had no turn: they are sent again, alone."""
SHARED_CODES = frozenset({"PayloadTooLarge", "SourceUnavailable"})
"""Of URLs that may have failed because a batch's files share bytes and seconds: they are sent again too."""
Value = TypeVar("Value")
Field = dict[str, str]


class Api(Protocol):
    """What is needed of the target."""

    def embed(self, picture: str) -> Answer:
        """See `Target.embed`."""

    def field(self, picture: str) -> Field:
        """One picture as the field of a request of its own."""

    @property
    def takes_batches(self) -> bool:
        """Whether it has not said yet that it takes one picture at a time."""

    def takes_no_batches(self) -> None:
        """It has."""

    def ask(
        self, payload: Mapping[str, object], taking: Callable[[dict[str, Any]], Value]
    ) -> tuple[Value, str]:
        """What is taken from the answer to a request, and the model that it names."""


def embed(api: Api, pictures: Sequence[str]) -> list[Outcome]:
    """See `Target.embed_many`."""
    outcomes: dict[int, Outcome] = {}
    for group in _groups(api, pictures, outcomes):
        names = {index: pictures[index] for index, _ in group}
        if len(group) == 1 or not api.takes_batches:
            outcomes |= _alone(api, names)
        else:
            outcomes |= _together(api, names, [field for _, field in group])
    return [outcomes[index] for index in range(len(pictures))]


def _groups(
    api: Api, pictures: Sequence[str], outcomes: dict[int, Outcome]
) -> Iterator[list[tuple[int, Field]]]:
    """The pictures by requests; those that can't be read go into `outcomes`."""
    group: list[tuple[int, Field]] = []
    size = ENVELOPE_BYTES
    for index, picture in enumerate(pictures):
        try:
            field = api.field(picture)
        except (Refused, UnreadablePicture) as error:
            outcomes[index] = error
            continue
        length = ITEM_BYTES + len(field["img"] if "img" in field else json.dumps(field))
        if group and (len(group) == MAX_PICTURES or size + length > MAX_BODY_BYTES):
            yield group
            group, size = [], ENVELOPE_BYTES
        group.append((index, field))
        size += length
    if group:
        yield group


def _together(api: Api, names: dict[int, str], fields: list[Field]) -> dict[int, Outcome]:
    try:
        results, model = api.ask({"images": fields}, partial(answers.results, count=len(fields)))
    except Refused as error:
        cause = error.__cause__
        if not isinstance(cause, ApiRefusal) or cause.status in BUSY:  # one by one would be more calls still
            return dict.fromkeys(names, error)
        if cause.code == "InvalidRequest":  # of an older API: of this one the request is valid
            api.takes_no_batches()
        return _alone(api, names)
    outcomes: dict[int, Outcome] = {}
    for (index, name), field, result in zip(names.items(), fields, results, strict=True):
        if not isinstance(result, ApiRefusal):
            outcomes[index] = Answer(result, model)
        elif result.code in BUSY_CODES or ("url" in field and result.code in SHARED_CODES):
            outcomes |= _alone(api, {index: name})
        else:
            outcomes[index] = Refused(str(result))
    return outcomes


def _alone(api: Api, names: dict[int, str]) -> dict[int, Outcome]:
    outcomes: dict[int, Outcome] = {}
    for index, name in names.items():
        try:
            outcomes[index] = api.embed(name)
        except (Refused, UnreadablePicture) as error:
            outcomes[index] = error
    return outcomes
