"""The request's rules: content type, size, JSON, fields, in that order."""

import json
import tracemalloc

import pytest

from image_similarity.inference.errors import ApiError, InvalidRequest, PayloadTooLarge, UnsupportedMediaType
from image_similarity.inference.json_body import MAX_BODY_BYTES, MAX_STRUCTURE
from image_similarity.inference.request import MAX_IMAGES, MAX_URLS, Kind, Mode, Source, parse
from image_similarity.inference.sources.url import MAX_URL_CHARACTERS

JSON = "application/json"


@pytest.mark.parametrize(
    "content_type",
    [JSON, "Application/JSON", "application/json; charset=utf-8", " application/json ;x=y", None, "", " "],
)
def test_accepts_json_content_types_and_none(content_type: str | None) -> None:
    assert parse(content_type, b'{"url": "u"}').sources == (Source.by_url("url", "u"),)


@pytest.mark.parametrize(
    "content_type",
    [
        ";charset=utf-8",
        ",",
        "text/plain",
        "application/jsonp",
        "application/x-json",
        "multipart/form-data; application/json",
    ],
)
def test_refuses_other_content_types(content_type: str) -> None:
    with pytest.raises(UnsupportedMediaType, match="application/json"):
        parse(content_type, b'{"url": "u"}')


@pytest.mark.parametrize(
    ("fields", "sources"),
    [
        ({"url": "u"}, (Source.by_url("url", "u"),)),
        ({"img": "b"}, (Source.by_img("img", "b"),)),
        ({"url_1": "u", "url_2": "v"}, (Source.by_url("url_1", "u"), Source.by_url("url_2", "v"))),
        ({"img_2": "b", "url_1": "u"}, (Source.by_url("url_1", "u"), Source.by_img("img_2", "b", "url_2"))),
        ({"url_2": "v", "img_1": "a"}, (Source.by_img("img_1", "a", "url_1"), Source.by_url("url_2", "v"))),
        (
            {"img_1": "a", "img_2": "b"},
            (Source.by_img("img_1", "a", "url_1"), Source.by_img("img_2", "b", "url_2")),
        ),
    ],
)
def test_reads_both_modes_in_any_mix(fields: dict[str, str], sources: tuple[Source, ...]) -> None:
    assert parse(JSON, json.dumps(fields).encode()).sources == sources


def test_a_byte_order_mark_is_passed_over() -> None:
    assert parse(JSON, b'\xef\xbb\xbf{"url": "u"}').sources == (Source.by_url("url", "u"),)


def test_a_data_uri_is_fetched_from_nowhere() -> None:
    assert Source.by_url("url", "DATA:image/png;base64,QQ==").kind is Kind.DATA
    assert not Source.by_url("url", "DATA:image/png;base64,QQ==").is_fetched
    assert Source.by_url("url", "https://a.com/data:").kind is Kind.WEB


def test_says_what_each_value_is() -> None:
    assert Source.by_url("url_2", "u").kind is Kind.WEB
    assert Source.by_url("url_2", "s3://bucket/key").kind is Kind.S3
    assert Source.by_img("img_2", "b").kind is Kind.BASE64
    assert Source.by_img("img_2", "data:,b").kind is Kind.DATA
    assert [kind.name for kind in Kind if Source("any", "", kind, "any").is_fetched] == ["WEB", "S3"]


REFUSED = {
    b"": "not JSON",
    b"{": "not JSON: .* line 1, column 2",
    b'{"url": "u"} x': "not JSON",
    b"{'url': 'u'}": "not JSON",
    b'{"url": NaN}': "NaN is not a JSON value",
    b'{"url": -Infinity}': "-Infinity is not",
    b"\xff\xfe": "not UTF-8",
    b'\xef\xbb\xbf\xef\xbb\xbf{"url": "u"}': "not JSON",
    b'{"url": "\xef\xbf\xbd"}': "not UTF-8",
    b"\xfe\xff\x00{\x00}": "not UTF-8",
    b"[" * 10_000: "nested too deeply",
    b'{"url":' * 10_000: "nested too deeply",
    b'{"url": ' + b"9" * 5000 + b"}": "too many digits",
    b"[]": "an array, not an object",
    b"null": "null, not an object",
    b'"url"': "a string, not an object",
    b"1.5": "a number, not an object",
    b"true": "a boolean, not an object",
    b"{}": "no field",
    b'{"url": "u", "url": "u"}': '"url" stands more than once',
    b'{"url": {"a": 1, "a": 2}}': '"a" stands more than once',
    b'{"uri": "u"}': 'Unknown field "uri"',
    b'{"URL": "u"}': 'Unknown field "URL"',
    b'{"%s": "u"}' % (b"n" * 64): 'Unknown field "' + "n" * 64 + '"',
    b'{"%s": "u"}' % (b"n" * 65): 'Unknown field "' + "n" * 64 + '[.]{3}"',
    b'{"url": "u", "top": 1}': 'Unknown field "top"',
    b'{"url": null}': '"url" must be a string, not null',
    b'{"img": 1}': '"img" must be a string, not a number',
    b'{"url": ["u"]}': '"url" must be a string, not an array',
    b'{"url_1": {}, "url_2": "v"}': '"url_1" must be a string, not an object',
    b'{"url": false}': '"url" must be a string, not a boolean',
    b'{"url": "u", "img": "b"}': 'either "url" or "img", not both',
    b'{"url_1": "u", "img_1": "b", "url_2": "v"}': 'either "url_1" or "img_1", not both',
    b'{"url_1": "u", "img_2": "b", "url_2": "v"}': 'either "url_2" or "img_2", not both',
    b'{"url": "u", "url_1": "v"}': "does not go with the fields of a pair",
    b'{"img": "b", "url_1": "u", "url_2": "v"}': "does not go with the fields of a pair",
    b'{"url_1": "u"}': 'send "url_2" or "img_2" too',
    b'{"img_2": "b"}': 'send "url_1" or "img_1" too',
}


@pytest.mark.parametrize(("body", "message"), REFUSED.items(), ids=[str(body[:30]) for body in REFUSED])
def test_refuses_with_a_sentence(body: bytes, message: str) -> None:
    with pytest.raises(InvalidRequest, match=message) as caught:
        parse(JSON, body)
    assert caught.value.status == 400
    assert len(caught.value.message) < 400


def test_body_size_is_checked_before_json() -> None:
    assert MAX_BODY_BYTES == 5_242_880
    parse(JSON, b'{"url": "' + b"u" * (MAX_BODY_BYTES - 11) + b'"}')
    with pytest.raises(PayloadTooLarge, match=f"{MAX_BODY_BYTES + 1} bytes; the limit is {MAX_BODY_BYTES}"):
        parse(JSON, b"{" * (MAX_BODY_BYTES + 1))


def test_content_type_is_checked_before_size() -> None:
    with pytest.raises(UnsupportedMediaType):
        parse("text/plain", b" " * (MAX_BODY_BYTES + 1))


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b'{"img": "a", "img": "b"}', "img"),
        (
            b'{"images": [{"img": "a"}, {"url": "b", "img": "c", "url": "d"}, {"img": "", "img": ""}]}',
            "images[1].url",
        ),
        (b'{"images": [{"img": "a", "img": "b"}], "images": []}', "images"),
        (b'{"img": {"a": 1, "a": 2}}', "a"),
        (b'[{"img": "a", "img": "b"}]', "img"),
    ],
    ids=["one image", "of a batch", "what holds it too", "where no object belongs", "no object at all"],
)
def test_a_name_that_stands_twice_is_told_with_its_place(body: bytes, field: str) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        parse(JSON, body)
    assert refusal.value.message == f'The field "{field}" stands more than once. Send it once.'


def test_many_names_with_one_twice_are_refused_at_once() -> None:
    names = ",".join(f'"{i}":0' for i in range(16_000)) + ',"15999":0'
    with pytest.raises(ApiError, match="more than once"):
        parse(JSON, b"{" + names.encode() + b"}")


@pytest.mark.parametrize(
    "body",
    [
        b'{"img":[' + b'{"":{"":[]}},' * 400_000 + b"{}]}",
        b"[" * MAX_BODY_BYTES,
        b'{"img":[' + b"255," * 1_300_000 + b"0]}",
        b"{" + b'"":0,' * 1_000_000 + b'"":0}',
    ],
    ids=["nested values", "brackets", "a list of numbers", "names"],
)
def test_values_that_no_request_has_are_not_built(body: bytes) -> None:
    assert len(body) <= MAX_BODY_BYTES
    tracemalloc.start()
    try:
        with pytest.raises(InvalidRequest, match="too many values: an image is one string of base64"):
            parse(JSON, body)
        assert tracemalloc.get_traced_memory()[1] < 2 * len(body)
    finally:
        tracemalloc.stop()


def test_a_url_may_have_what_json_is_made_of() -> None:
    url = "https://example.com/?" + "a[]={1,2}&" * 800
    assert parse(JSON, json.dumps({"url_1": url, "url_2": url}).encode()).sources[1].value == url


def test_sixteen_urls_may_consist_of_what_json_is_made_of() -> None:
    images = [{"url": "," * MAX_URL_CHARACTERS} for _ in range(MAX_URLS)]
    images += [{"img": "A"} for _ in range(MAX_IMAGES - MAX_URLS)]
    assert len(parse(JSON, json.dumps({"images": images}).encode()).sources) == MAX_IMAGES


@pytest.mark.slow
def test_the_most_values_that_are_built_are_few() -> None:
    body = b'{"images":[' + b'{"":[]},' * (MAX_STRUCTURE // 3 - 2) + b"{}]}"
    tracemalloc.start()
    try:
        with pytest.raises(InvalidRequest, match="images; send 1 to 64"):
            parse(JSON, body)
        assert tracemalloc.get_traced_memory()[1] < 16 * 1024**2
    finally:
        tracemalloc.stop()


def test_reads_a_batch_in_order() -> None:
    body = {"images": [{"url": "u"}, {"img": "b"}, {"url": "s3://b/k"}, {"url": "data:,x"}]}
    images = parse(JSON, json.dumps(body).encode())
    assert images.mode is Mode.BATCH
    assert [(source.field, source.value, source.kind) for source in images.sources] == [
        ("images[0].url", "u", Kind.WEB),
        ("images[1].img", "b", Kind.BASE64),
        ("images[2].url", "s3://b/k", Kind.S3),
        ("images[3].url", "data:,x", Kind.DATA),
    ]
    assert images.sources[1].url_field == "images[1].url"


def test_data_uris_do_not_count_among_the_urls() -> None:
    images = [{"url": "http://a.com/"}] * MAX_URLS + [{"url": "data:;base64,QQ=="}] * 48
    assert len(parse(JSON, json.dumps({"images": images}).encode()).sources) == MAX_IMAGES


@pytest.mark.parametrize(
    ("images", "message"),
    [
        ("x", '"images" must be an array of 1 to 64 objects, not a string'),
        (None, "not null"),
        ([], '"images" has 0 images; send 1 to 64'),
        ([{"img": "b"}] * 65, '"images" has 65 images; send 1 to 64'),
        ([{"url": "u"}] * 17, '"images" has 17 images to fetch; a request may have 16'),
        (["b"], r'"images\[0\]" must be an object .*, not a string'),
        ([{"img": "b"}, {}], r'"images\[1\]" has no image: send "images\[1\].url" or "images\[1\].img"'),
        ([{"img": "b", "url": "u"}], r'either "images\[0\].url" or "images\[0\].img", not both'),
        ([{"img": "b", "size": 1}], r'Unknown field "size" in "images\[0\]"'),
        ([{"img_1": "b"}], r'Unknown field "img_1" in "images\[0\]"'),
        ([{"images": []}], r'Unknown field "images" in "images\[0\]"'),
        ([{"img": ["b"]}], r'"images\[0\].img" must be a string, not an array'),
        ([{"url": None}], r'"images\[0\].url" must be a string, not null'),
    ],
)
def test_refuses_what_is_no_batch(images: object, message: str) -> None:
    with pytest.raises(InvalidRequest, match=message):
        parse(JSON, json.dumps({"images": images}).encode())


def test_a_batch_has_no_other_field() -> None:
    with pytest.raises(InvalidRequest, match='"images" does not go with other fields'):
        parse(JSON, b'{"images": [{"img": "b"}], "img": "b"}')


def test_a_long_name_is_not_echoed_whole() -> None:
    with pytest.raises(InvalidRequest) as caught:
        parse(JSON, json.dumps({"<script>" * 1000: 1}).encode())
    assert len(caught.value.message) < 300
