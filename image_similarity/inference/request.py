"""Reading a request: from a content type and a body to the images' sources.

`api_explorer/openapi.yaml` documents the rules. The checks run in the order content type, size, JSON, fields;
the first that fails decides the answer.
"""

from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from image_similarity.inference.errors import InvalidRequest
from image_similarity.inference.json_body import JSON_TYPE_NAMES, load_object, quoted

MAX_IMAGES = 64
"""Of a batch: their vectors are 0.3 MB of JSON, far below the 6 MB that Lambda may answer."""
MAX_URLS = 16
"""The most images of a batch that may have to be fetched."""

SINGLE_SLOT = ("url", "img")
PAIR_SLOTS = (("url_1", "img_1"), ("url_2", "img_2"))
S3_SCHEME = "s3://"
DATA_SCHEME = "data:"
BATCH = "images"
FIELDS = (*SINGLE_SLOT, *PAIR_SLOTS[0], *PAIR_SLOTS[1], BATCH)
USAGE = (
    'Send one of "url" and "img" for one image, one of "url_1" and "img_1" with one of "url_2" and "img_2" '
    f'for a pair, or "{BATCH}" with 1 to {MAX_IMAGES} of them.'
)


class Kind(Enum):
    """What a source's value is, and so who reads it."""

    WEB = auto()
    """An http:// or https:// URL, or text that is no URL at all: `sources.url` judges it."""
    S3 = auto()
    """An s3:// URL."""
    DATA = auto()
    """A `data:` URI (RFC 2397)."""
    BASE64 = auto()
    """The file's bytes in base64."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where one image comes from.

    Attributes:
        field: the request field, for messages.
        value: the field's value.
        kind: what the value is.
        url_field: the field that takes a URL in the same slot, for whoever sends one as base64.
    """

    field: str
    value: str
    kind: Kind
    url_field: str

    @classmethod
    def by_url(cls, field: str, value: str) -> "Source":
        """The source in a field that takes URLs; a `data:` URI is accepted there too."""
        fetched = Kind.S3 if value.startswith(S3_SCHEME) else Kind.WEB
        return cls(field, value, Kind.DATA if _is_data(value) else fetched, field)

    @classmethod
    def by_img(cls, field: str, value: str, url_field: str = "url") -> "Source":
        """The source in a field that takes base64, with or without the head of a `data:` URI."""
        return cls(field, value, Kind.DATA if _is_data(value) else Kind.BASE64, url_field)

    @property
    def is_fetched(self) -> bool:
        """Whether the file has to be fetched; otherwise it is in the request."""
        return self.kind in (Kind.WEB, Kind.S3)


class Mode(Enum):
    """What the request wants."""

    VECTOR = auto()
    SIMILARITY = auto()
    BATCH = auto()


@dataclass(frozen=True, slots=True)
class Images:
    """The images of a request.

    Attributes:
        mode: what it wants.
        sources: one source, two in the order of their slots, or those of a batch in order.
    """

    mode: Mode
    sources: tuple[Source, ...]


def _is_data(value: str) -> bool:
    return value[: len(DATA_SCHEME)].lower() == DATA_SCHEME


def parse(content_type: str | None, body: bytes) -> Images:
    """Read a request.

    Args:
        content_type: the value of the Content-Type header, None where there is none. A missing or empty one
            counts as application/json.
        body: the body as it arrived.

    Raises:
        UnsupportedMediaType: the content type is not application/json.
        PayloadTooLarge: the body is over MAX_BODY_BYTES.
        InvalidRequest: the body is not JSON, or its fields are not those of one mode.
    """
    return _images(load_object(content_type, body, USAGE))


def _images(fields: dict[str, Any]) -> Images:
    for name in fields:
        if name not in FIELDS:
            raise InvalidRequest(f"Unknown field {quoted(name)}. {USAGE}")
    if not fields:
        raise InvalidRequest(f"The body has no field. {USAGE}")
    if BATCH in fields:
        if len(fields) > 1:
            raise InvalidRequest(f'"{BATCH}" does not go with other fields. {USAGE}')
        return Images(Mode.BATCH, _batch(fields[BATCH]))
    for name, value in fields.items():
        _check_string(name, value)
    single = [name for name in SINGLE_SLOT if name in fields]
    if single and len(single) < len(fields):
        raise InvalidRequest(
            f'"{single[0]}" is for one image and does not go with the fields of a pair. {USAGE}'
        )
    if single:
        return Images(Mode.VECTOR, (_slot_source(SINGLE_SLOT, fields),))
    return Images(Mode.SIMILARITY, tuple(_slot_source(slot, fields) for slot in PAIR_SLOTS))


def _slot_source(slot: tuple[str, str], fields: dict[str, Any]) -> Source:
    url, img = slot
    if url in fields and img in fields:
        raise InvalidRequest(f'Send either "{url}" or "{img}", not both.')
    if url in fields:
        return Source.by_url(url, fields[url])
    if img in fields:
        return Source.by_img(img, fields[img], url)
    raise InvalidRequest(f'An image of the pair is missing: send "{url}" or "{img}" too.')


def _batch(items: Any) -> tuple[Source, ...]:  # noqa: ANN401 - any JSON
    if not isinstance(items, list):
        raise InvalidRequest(
            f'"{BATCH}" must be an array of 1 to {MAX_IMAGES} objects, not {JSON_TYPE_NAMES[type(items)]}.'
        )
    if not 1 <= len(items) <= MAX_IMAGES:
        raise InvalidRequest(f'"{BATCH}" has {len(items)} images; send 1 to {MAX_IMAGES} in a request.')
    images = tuple(_batch_source(f"{BATCH}[{index}]", item) for index, item in enumerate(items))
    urls = sum(image.is_fetched for image in images)
    if urls > MAX_URLS:
        raise InvalidRequest(
            f'"{BATCH}" has {urls} images to fetch; a request may have {MAX_URLS}. Send the others as "img", '
            "or in further requests."
        )
    return images


def _batch_source(name: str, item: Any) -> Source:  # noqa: ANN401 - any JSON
    url, img = (f"{name}.{field}" for field in SINGLE_SLOT)
    if not isinstance(item, dict):
        raise InvalidRequest(
            f'"{name}" must be an object with one of "url" and "img", not {JSON_TYPE_NAMES[type(item)]}.'
        )
    for field in item:
        if field not in SINGLE_SLOT:
            raise InvalidRequest(f'Unknown field {quoted(field)} in "{name}": it has one of "url" and "img".')
    if not item:
        raise InvalidRequest(f'"{name}" has no image: send "{url}" or "{img}".')
    if len(item) > 1:
        raise InvalidRequest(f'Send either "{url}" or "{img}", not both.')
    [(field, value)] = item.items()
    _check_string(f"{name}.{field}", value)
    return Source.by_url(url, value) if field == "url" else Source.by_img(img, value, url)


def _check_string(name: str, value: Any) -> None:  # noqa: ANN401 - any JSON
    if not isinstance(value, str):
        raise InvalidRequest(f'"{name}" must be a string, not {JSON_TYPE_NAMES[type(value)]}.')
