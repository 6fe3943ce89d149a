"""What holds true of every input: functions of bytes that raise when the code under test breaks a promise.

An ApiError is an answer; any other exception is a finding, and so is a wrong result.
"""

import base64
import io
import json
import struct
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import IPv4Address, IPv6Address
from types import ModuleType

import numpy as np
import ssrfguard
from numpy.typing import NDArray
from PIL import BmpImagePlugin

from image_similarity.inference import request, service
from image_similarity.inference.addresses import blocked_by
from image_similarity.inference.errors import ApiError
from image_similarity.inference.image import bmp, decode, exif, jpeg, png, webp
from image_similarity.inference.image.broken import BrokenImageError
from image_similarity.inference.manifest import Preprocessing
from image_similarity.inference.request import Source
from image_similarity.inference.sources import SourcePolicy, http, inline, url
from image_similarity.inference.sources.deadline import Deadline
from tests.fuzz import network
from tests.support import files
from tests.unit.inference.image import by_the_book

PREPROCESSING = Preprocessing(size=32)
STRICT = SourcePolicy(timeout_seconds=5, max_bytes=100_000)
CODES = {"UnsupportedMediaType", "PayloadTooLarge", "InvalidRequest", "InvalidImage", "ImageTooLarge"}
CODES |= {"SourceNotAllowed", "SourceUnavailable"}


def check_error(error: ApiError) -> None:
    """Of the contract's codes, and one line of moderate length that a log may hold."""
    assert error.code in CODES
    assert str(error).isprintable()
    assert 10 < len(error.message) < 1000


def request_body(data: bytes) -> None:
    """Request parsing: what is accepted is what Python's JSON reader sees too."""
    try:
        images = request.parse("application/json", data)
    except ApiError as error:
        check_error(error)
        return
    fields = json.loads(data)
    values = {source.field: source.value for source in images.sources}
    if images.mode is request.Mode.BATCH:
        assert 1 <= len(images.sources) <= request.MAX_IMAGES
        items = enumerate(fields["images"])
        assert values == {f"images[{index}].{name}": item[name] for index, item in items for name in item}
    else:
        assert values == fields
        assert len(images.sources) in {1, 2}


def base64_text(data: bytes) -> None:
    """Base64 in line: what is accepted decodes to the same by the standard library."""
    text = data.decode("utf-8", "surrogateescape")  # bytes that are not UTF-8 become halves of pairs
    try:
        found = inline.read(Source.by_img("img", text), STRICT)
    except ApiError as error:
        check_error(error)
        return
    plain = text.rpartition(",")[2].replace("\r", "").replace("\n", "")
    assert found == base64.b64decode(plain, validate=True)


def web_address(data: bytes) -> None:
    """URLs: what is accepted is plain, and another library reads the same host out of it."""
    text = data.decode("utf-8", "surrogateescape")
    try:
        target = url.parse(text, STRICT)
    except ApiError as error:
        check_error(error)
        return
    assert target.port in {80, 443}
    assert target.path.isascii()
    assert target.path.isprintable()
    assert target.path.startswith("/")
    assert " " not in target.path
    if "_" not in target.host:
        theirs = ssrfguard.Policy().check_url(text)
        assert theirs.host.rstrip(".") == target.host.rstrip(".")
        assert theirs.port == target.port


def address(data: bytes) -> None:
    """Addresses: none passes that another library's table refuses."""
    number = int.from_bytes(data[:16].ljust(16, b"\0"))
    for found in (IPv4Address(number >> 96), IPv6Address(number)):
        if blocked_by(found) is None:
            assert ssrfguard.Policy().permits_address(found)


def image_file(data: bytes) -> None:
    """Image files: a square of the right size, or an answer."""
    try:
        found = decode(data, preprocessing=PREPROCESSING)
    except ApiError as error:
        check_error(error)
        return
    assert found.shape == (32, 32, 3)
    assert found.dtype == np.uint8


def png_file(data: bytes) -> None:
    """PNG files with their checksums put right, so that the bytes behind them are reached."""
    chunks, position = [png.SIGNATURE], 8
    while position + 12 <= len(data) and len(chunks) < 200:
        length, kind = struct.unpack_from(">I4s", data, position)
        content = data[position + 8 : position + 8 + length]
        chunks.append(struct.pack(">I", len(content)) + kind + content)
        chunks.append(struct.pack(">I", zlib.crc32(kind + content)))
        position += 12 + length
    image_file(b"".join(chunks))


@contextmanager
def recorded(module: ModuleType) -> Iterator[list[bytes]]:
    """The files that a module's writer writes within."""
    write, written = module.write, list[bytes]()

    def recording(*arguments: object, **options: object) -> bytes:
        written.append(write(*arguments, **options))
        return written[-1]

    module.write = recording  # type: ignore[attr-defined]
    try:
        yield written
    finally:
        module.write = write  # type: ignore[attr-defined]


def jpeg_file(data: bytes) -> None:
    """JPEG files; what libjpeg is handed is segments of the allow-list, to the letter."""
    with recorded(jpeg) as written:
        image_file(jpeg.SIGNATURE + data.removeprefix(jpeg.SIGNATURE))
    for file in written:
        markers = {segment.marker for segment in by_the_book.jpeg(file)}
        assert markers <= {0xC0, 0xC1, 0xC2, 0xC4, 0xDA, 0xDB, 0xDD, 0xE0, 0xEE}


def webp_file(data: bytes) -> None:
    """WebP files with their length put right; what libwebp is handed is one picture, to the letter."""
    data = b"RIFF" + struct.pack("<I", max(0, len(data) - 8)) + b"WEBP" + data[12:]
    with recorded(webp) as written:
        image_file(data)
    for file in written:
        header, *others = (chunk.kind for chunk in by_the_book.webp(file))
        assert header == b"VP8X"
        assert others in ([b"VP8 "], [b"VP8L"], [b"ALPH", b"VP8 "])


LARGEST_OF_BOTH = 2**24
"""From here on Pillow takes some heights for large ones that others take for negative."""


def bmp_file(data: bytes) -> None:
    """BMP files: where Pillow's own reader reads one too, they have the size that it sees."""
    data = bmp.SIGNATURE + data.removeprefix(bmp.SIGNATURE)
    image_file(data)
    try:
        size = bmp.read(data).size
        theirs = BmpImagePlugin.BmpImageFile(io.BytesIO(data)).size
    except (BrokenImageError, OSError, ValueError, SyntaxError, struct.error):
        return
    if max(theirs) < LARGEST_OF_BOTH:
        assert size == theirs


def exif_block(data: bytes) -> None:
    """Exif: always an orientation."""
    assert exif.orientation(data) in range(1, 9)


def http_answer(data: bytes) -> None:
    """Whatever a server answers, wherever it redirects to, the file or an error comes of it."""
    scheme = "https" if data.startswith(b"https\n") else "http"
    answers = data.removeprefix(b"https\n").split(network.SEPARATOR)
    with network.network(answers):
        try:
            found = http.read(url.parse(f"{scheme}://a.com/b", STRICT), STRICT, Deadline(5))
        except ApiError as error:
            check_error(error)
        else:
            assert found in data or b"chunked" in data.lower()
            assert len(found) <= STRICT.max_bytes


class _Encoder:
    """An encoder that costs nothing: fuzzing is about what comes before it."""

    name = "fuzz/none"

    class manifest:  # noqa: N801
        preprocessing = PREPROCESSING

    def encode(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        vectors = batch.reshape(len(batch), -1)[:, :512].astype(np.float32) + 1
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


_PIXEL = files.png(np.full((1, 1), 128, np.uint8), files.GREY)
PICTURE = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(_PIXEL) + _PIXEL
SERVICE = service.Service(_Encoder(), STRICT)  # type: ignore[arg-type]


def whole_request(data: bytes) -> None:
    """The service: a status and a body of the contract, and headers that are one line each.

    Content type, body, and what servers answer if the body names some.
    """
    kind, _, rest = data.partition(b"\n")
    body, *answers = rest.split(network.SEPARATOR)
    headers = {"content-type": kind.decode("latin-1")}
    with network.network(answers or [PICTURE], sources=2):
        answer = SERVICE.handle(service.Request(headers, body, None))
    found = json.loads(answer.body)
    assert answer.status in {200, 400, 413, 415}, found
    assert set(found) in ({"result"}, {"similarity"}, {"code", "message", "requestId"})
    assert all(value.isprintable() for value in answer.headers.values())


TARGETS: dict[str, Callable[[bytes], None]] = {
    "request": request_body,
    "base64": base64_text,
    "url": web_address,
    "address": address,
    "image": image_file,
    "png": png_file,
    "jpeg": jpeg_file,
    "bmp": bmp_file,
    "webp": webp_file,
    "exif": exif_block,
    "http": http_answer,
    "service": whole_request,
}
