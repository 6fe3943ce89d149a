"""Images in the request itself, in base64."""

import re

import pybase64

from image_similarity.inference.errors import InvalidImage, PayloadTooLarge
from image_similarity.inference.request import Source
from image_similarity.inference.sources.policy import SourcePolicy

# RFC 2397, with the media types of images only; names are case-insensitive.
DATA_URI = re.compile(
    r"data:image/[\w.+-]{1,64}(?:;[\w.+-]{1,64}=[\w.+-]{0,64}){0,8};base64,", re.ASCII | re.IGNORECASE
)
LINE_BREAKS = str.maketrans("", "", "\r\n")


def read(source: Source, policy: SourcePolicy) -> bytes:
    """Decode RFC 4648 section 4 base64, padded; line breaks and a data URI's head may be there.

    Raises:
        PayloadTooLarge: it would decode to more than policy.max_bytes; nothing was decoded.
        InvalidImage: it is anything else, or empty.
    """
    head = DATA_URI.match(source.value)
    text = source.value[head.end() if head else 0 :]
    if "\n" in text or "\r" in text:
        text = text.translate(LINE_BREAKS)
    if len(text) // 4 * 3 - text[-2:].count("=") > policy.max_bytes:
        raise PayloadTooLarge(
            f"{source.field}: the image has more than {policy.max_bytes} bytes; send a smaller one."
        )
    try:
        data = pybase64.b64decode(text, validate=True)
    except ValueError as error:  # binascii.Error, and characters that are not ASCII
        raise InvalidImage(
            f"{source.field}: not base64 (RFC 4648 section 4: A-Z, a-z, 0-9, + and /, padded with =); "
            "encode the file's bytes again."
        ) from error
    if not data:
        raise InvalidImage(f"{source.field}: empty; send the file's bytes in base64.")
    return data
