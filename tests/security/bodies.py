"""Request bodies that are not requests, base64 of odd heads, and content types that are not JSON."""

import json
from collections.abc import Callable
from functools import partial

from image_similarity.inference.json_body import MAX_BODY_BYTES


def _body(**fields: object) -> bytes:
    return json.dumps(fields).encode()


def _deep(opening: bytes, closing: bytes, depth: int = 100_000) -> bytes:
    return b'{"img":' + opening * depth + closing * depth + b"}"


def _filled(start: bytes, unit: bytes, end: bytes) -> bytes:
    """As many units as a body may have."""
    return start + unit * ((MAX_BODY_BYTES - len(start) - len(end)) // len(unit)) + end


REQUESTS: dict[str, bytes] = {
    "nothing": b"",
    "spaces": b"   ",
    "NUL": b"\0",
    "not UTF-8": b'{"img":"\xff\xfe"}',
    "overlong UTF-8": b'{"img":"\xc0\xaf"}',
    "UTF-16": '{"img":"QQ=="}'.encode("utf-16"),
    "UTF-32": '{"img":"QQ=="}'.encode("utf-32"),
    "UTF-8 with two marks": b'\xef\xbb\xbf\xef\xbb\xbf{"img":"QQ=="}',
    "cut off": b'{"img":"QQ',
    "two values": b"{} {}",
    "a comma too many": b'{"img":"QQ==",}',
    "single quotes": b"{'img':'QQ=='}",
    "a comment": b'{"img":"QQ=="}//',
    "NaN": b'{"img":NaN}',
    "Infinity": b'{"img":-Infinity}',
    "a control character in a string": b'{"img":"\n"}',
    "a wrong escape": b'{"img":"\\x41"}',
    "half a surrogate pair as a name": b'{"\\ud800":"QQ=="}',
    "array": b"[]",
    "array of objects": b'[{"img":"QQ=="}]',
    "string": b'"img"',
    "number": b"1",
    "null": b"null",
    "true": b"true",
    "a number of 5000 digits": b"9" * 5000,
    "a field of 5000 digits": b'{"img":' + b"9" * 5000 + b"}",
    "1e999": b'{"img":1e999}',
    "deep arrays": _deep(b"[", b"]"),
    "deep objects": _deep(b'{"a":', b"}"),
    "deep and cut off": b'{"img":' + b"[" * 1_000_000,
    "no field": b"{}",
    "a batch in a batch": _body(images=[{"images": [{"img": "QQ=="}]}]),
    "a batch of batches": _body(images=[[{"img": "QQ=="}]]),
    "a batch as an object": _body(images={"0": {"img": "QQ=="}}),
    "a batch of nothing": _body(images=[]),
    "a batch of too many": _body(images=[{"img": "QQ=="}] * 65),
    "a batch of empty objects": b'{"images":[' + b"{}," * 65_000 + b"{}]}",
    "a batch of too many URLs": _body(images=[{"url": "http://127.0.0.1/"}] * 17),
    "a batch with a field twice": b'{"images":[{"img":"QQ==","img":"QQ=="}]}',
    "a batch twice": b'{"images":[{"img":"QQ=="}],"images":[{"img":"QQ=="}]}',
    "a batch of numbers": _body(images=list(range(64))),
    "an unknown field": _body(image="QQ=="),
    "a field in capitals": _body(IMG="QQ=="),
    "a field with a space": b'{"img ":"QQ=="}',
    "__proto__": b'{"__proto__":{"img":"QQ=="}}',
    "__class__": b'{"__class__":"os.system","img":"QQ=="}',
    "an empty name": b'{"":"QQ=="}',
    "a name of a megabyte": _body(**{"x" * 2**20: ""}),
    "100000 unknown fields": _body(**{f"x{number}": "" for number in range(100_000)}),
    "a name with line breaks": b'{"a\\r\\nSet-Cookie: b=c":"QQ=="}',
    "a name of HTML": b'{"<script>alert(1)</script>":"QQ=="}',
    "a name of terminal codes": b'{"\\u001b[31m\\u0007\\u009b":"QQ=="}',
    "a name of a format": b'{"%s%n{0.__class__}${jndi:ldap://a}":"QQ=="}',
    "a name turning the text around": b'{"\\u202e":"QQ=="}',
    "null in img": b'{"img":null}',
    "boolean in img": b'{"img":true}',
    "number in img": b'{"img":1}',
    "array in img": b'{"img":["QQ=="]}',
    "object in img": b'{"img":{"$ref":"QQ=="}}',
    "object in url": b'{"url":{"href":"http://a.com"}}',
    "the same field twice": b'{"img":"QQ==","img":"QQ=="}',
    "the same field twice by an escape": b'{"img":"QQ==","\\u0069mg":"QQ=="}',
    "both of a slot": _body(img="QQ==", url="http://a.com"),
    "both of the second slot": _body(img_1="QQ==", img_2="QQ==", url_2="http://a.com"),
    "half a pair": _body(img_1="QQ=="),
    "the other half": _body(url_2="http://a.com"),
    "single and pair": _body(img="QQ==", img_1="QQ==", img_2="QQ=="),
    "a third slot": _body(img_1="QQ==", img_2="QQ==", img_3="QQ=="),
    "XML": b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>',
    "a form": b"img=QQ%3D%3D",
    "a multipart form": b'--x\r\nContent-Disposition: form-data; name="img"\r\n\r\nQQ==\r\n--x--',
    "a pickle": b"\x80\x04\x95\x10\x00\x00\x00\x00\x00\x00\x00\x8c\x02os\x94.",
    "gzip": b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xab\x56\x00\x00",
}
LARGE: dict[str, Callable[[], bytes]] = {
    "5 MiB of nested objects": partial(_filled, b'{"img":[', b'{"":{"":[]}},', b"0]}"),
    "5 MiB of empty arrays": partial(_filled, b'{"img":[', b"[],", b"0]}"),
    "5 MiB of numbers": partial(_filled, b'{"img":[', b"0,", b"0]}"),
    "5 MiB of long numbers": partial(_filled, b'{"img":[', b"9" * 4300 + b",", b"0]}"),
    "a number of 5 MiB": partial(_filled, b'{"img":0.', b"1", b"}"),
    "an exponent of 5 MiB": partial(_filled, b'{"img":1e', b"1", b"}"),
    "5 MiB of data URIs": partial(_filled, b'{"img":"', b"data:image/png;base64,", b'"}'),
    "5 MiB of opening arrays": partial(_filled, b'{"img":', b"[", b""),
    "5 MiB of fields": partial(_filled, b"{", b'"img":"",', b'"img":""}'),
}
LARGE_TEXTS: dict[str, Callable[[], bytes]] = {
    "5 MiB of parameters in a data URI": partial(_filled, b'{"img":"data:image/x', b";a=", b'"}'),
    "5 MiB of a data URI's parameter": partial(_filled, b'{"img":"data:image/x;a=', b"b", b';base64,"}'),
    "5 MiB of line breaks": partial(_filled, b'{"img":"', b"\\n", b'"}'),
    "5 MiB of line breaks in base64": partial(_filled, b'{"img":"', b"Q\\nQ\\r==", b'"}'),
    "5 MiB of escapes": partial(_filled, b'{"img":"', b"\\u0041", b'"}'),
    "5 MiB of padding": partial(_filled, b'{"img":"', b"=", b'"}'),
    "5 MiB of base64, one letter and a line break": partial(_filled, b'{"img":"\xc3\xa9\\n', b"QUJD", b'"}'),
    "5 MiB of escapes beyond ASCII": partial(_filled, b'{"img":"', b"\\ud83d\\ude00", b'"}'),
}
"""Strings in the field `img` that are no base64, or no image."""
CONTENT_TYPES = [
    ";charset=utf-8",
    ",",
    "text/plain",
    "text/json",
    "application/xml",
    "application/jsonp",
    "application/json/x",
]
CONTENT_TYPES += [
    "application",
    "json",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
]
CONTENT_TYPES += [
    "application/json, text/plain",
    "image/png",
    "application/\x00json",
    "application/vnd.api+json",
]
CONTENT_TYPES += ["*/*", "application/json\xa0", "application/json\x85", "\x1fapplication/json", "a" * 9999]
