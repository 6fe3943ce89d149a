"""Images in the request itself, in base64."""

import re

import pybase64

from image_similarity.inference.errors import InvalidImage, PayloadTooLarge
from image_similarity.inference.request import Kind, Source
from image_similarity.inference.sources.policy import SourcePolicy

MAX_HEAD = 1024
# RFC 2397, of any media type or none; names are case-insensitive.
DATA_URI = re.compile(r"data:[^,]*;[ ]*base64[ ]*", re.IGNORECASE)
LINE_BREAKS = str.maketrans("", "", "\r\n")
MAX_PATH = 4096
JPEG_START = "/9j/"
"""Of every JPEG file in base64: the one image that starts like a path."""
A_URL = re.compile(r"(?:https?|s3|ftp|file|blob):", re.IGNORECASE)
PYTHON_BYTES = ("b'", 'b"')
A_PATH = re.compile(r"(?:~|\.{1,2})?[/\\]|[A-Za-z]:[/\\]|[^\x00-\x1f]{1,255}\.[A-Za-z0-9]{2,5}\Z")


def read(source: Source, policy: SourcePolicy) -> bytes:
    """Decode RFC 4648 section 4 base64, padded; line breaks and a data URI's head may be there.

    Raises:
        PayloadTooLarge: it would decode to more than policy.max_bytes; nothing was decoded.
        InvalidImage: it is anything else, or empty.
    """
    # ASCII first: one other character would take every step after this from a fast way to a slow one.
    if not source.value.isascii():
        raise _not_base64(source)
    text = source.value[_head(source) :]
    if "\n" in text or "\r" in text:
        text = text.translate(LINE_BREAKS)
    if len(text) // 4 * 3 - text[-2:].count("=") > policy.max_bytes:
        raise PayloadTooLarge(f"the image has more than {policy.max_bytes} bytes; send a smaller one.")
    try:
        data = pybase64.b64decode(text, validate=True)
    except ValueError as error:
        raise _not_base64(source) from error
    if not data:
        raise InvalidImage("empty; send the file's bytes in base64.")
    if _is_path(source.value):
        raise _not_base64(source)
    return data


def _head(source: Source) -> int:
    """How many characters a data URI has before its base64; 0 where there is no such URI."""
    if source.kind is not Kind.DATA:
        return 0
    comma = source.value.find(",", 0, MAX_HEAD)
    if comma < 0:
        raise InvalidImage(
            f"a data: URI without a comma in its first {MAX_HEAD} characters; "
            "send data:image/png;base64, and the file's bytes in base64."
        )
    if not DATA_URI.fullmatch(source.value, 0, comma):
        raise InvalidImage(
            "a data: URI whose data is percent-encoded; send the file's bytes in base64, "
            "after ;base64 and the comma."
        )
    return comma + 1


def _not_base64(source: Source) -> InvalidImage:
    return InvalidImage(_described(source))


def _described(source: Source) -> str:
    """What a value is that is not base64, and what to do."""
    text = source.value[:MAX_PATH]
    if A_URL.match(text):
        return f'a URL, not base64; send it as "{source.url_field}".'
    if text.startswith(PYTHON_BYTES):
        return "the text of Python's bytes (b'...'), not base64; send base64.b64encode(data).decode()."
    if len(source.value) < MAX_PATH and A_PATH.match(text) and not text.startswith(JPEG_START):
        return "a path or the name of a file, not base64; read the file and send its bytes in base64."
    return (
        "not base64 (RFC 4648 section 4: A-Z, a-z, 0-9, + and /, padded with =); "
        "encode the file's bytes again."
    )


def _is_path(text: str) -> bool:
    """Whether a value that is base64 too is rather a path such as /home/me/cat: no image starts like it."""
    return text.startswith("/") and len(text) < MAX_PATH and not text.startswith(JPEG_START)
