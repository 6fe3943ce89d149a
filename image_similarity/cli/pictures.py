"""What stands on the command line: files, folders and URLs, as the API's fields."""

import base64
from collections.abc import Iterable, Iterator
from pathlib import Path

from image_similarity.folder import image_files

URL_SCHEMES = ("http://", "https://", "s3://")


class UnreadablePicture(Exception):
    """A file that can't be read; the message says why."""


def expand(arguments: Iterable[str]) -> Iterator[str]:
    """Replace each folder by its pictures, in the order of their names, subfolders included.

    Yields:
        Paths and URLs. A path that does not exist is given back too: reading it says so.
    """
    for argument in arguments:
        if not argument.startswith(URL_SCHEMES) and Path(argument).is_dir():
            yield from (str(path) for path in image_files(Path(argument)))
        else:
            yield argument


def field(picture: str, slot: str = "") -> dict[str, str]:
    """One picture as a field of a request: `url` for a URL, `img` with its base64 for a file.

    Args:
        picture: a path or a URL.
        slot: "" for one picture, "_1" and "_2" for a pair.

    Raises:
        UnreadablePicture: the file is not there or not readable.
    """
    if picture.startswith(URL_SCHEMES):
        return {f"url{slot}": picture}
    try:
        data = Path(picture).read_bytes()
    except OSError as error:
        raise UnreadablePicture(f"it can't be read: {error.strerror}. Check the name.") from error
    return {f"img{slot}": base64.b64encode(data).decode()}
