"""The OpenAPI document is valid, and says what the design's contract says."""

import base64
import importlib
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from api_explorer import document as build
from image_similarity.inference import request
from image_similarity.inference.errors import ApiError

POSTS = ("/image-similarity", "/text_similarity")
CATALOGUE = {"/catalogue/search": "post", "/catalogue/sync": "post", "/catalogue": "get"}
GATEWAY_CODES = {"403": "Forbidden", "429": "TooManyRequests", "502": "BadGateway", "504": "Timeout"}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return build.document(build.FEATURES)


def test_every_example_is_put_in(document: dict[str, Any]) -> None:
    assert build.EXAMPLE in (build.HERE / "openapi.yaml").read_text("utf-8")
    assert build.EXAMPLE not in json.dumps(document)


@pytest.mark.parametrize(
    ("marker", "missing"), [("none.json#/img", FileNotFoundError), ("picture.json#/no", KeyError)]
)
def test_an_example_that_is_not_there_is_an_error(
    marker: str, missing: type[Exception], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "openapi.yaml").write_text(f"a: [{{$example: {marker}}}]")
    (tmp_path / "picture.json").write_text('{"img": ""}')
    monkeypatch.setattr(build, "HERE", tmp_path)
    with pytest.raises(missing):
        build.document()


def test_the_fields_are_those_that_the_service_reads(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    described = {
        name for kind in ("OneImage", "TwoImages", "ManyImages") for name in schemas[kind]["properties"]
    }
    assert described == set(request.FIELDS)


def validate(document: dict[str, Any]) -> None:
    validators = importlib.import_module("openapi_spec_validator")  # half a second, for these tests alone
    validators.validate(document)


def is_valid(document: dict[str, Any], schema: dict[str, Any], value: object) -> bool:
    """Whether a value is as the schema says."""
    validators = importlib.import_module("openapi_schema_validator")
    valid: bool = validators.OAS30Validator({**schema, "components": document["components"]}).is_valid(value)
    return valid


def follow(document: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in node:
        target: Any = document
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        node = target
    return node


def examples(document: dict[str, Any], content: dict[str, Any]) -> Iterator[tuple[Any, dict[str, Any]]]:
    """The example values of a `content` object with their schemas."""
    for media in content.values():
        values = [example["value"] for example in media.get("examples", {}).values()]
        for value in [*values, *([media["example"]] if "example" in media else [])]:
            yield value, media["schema"]


def all_responses(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path in document["paths"].values():
        for operation in path.values():
            for status, response in operation["responses"].items():
                yield status, follow(document, response)


@pytest.mark.slow
def test_the_document_is_valid_openapi_3_0(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.0.")
    validate(document)


@pytest.mark.slow
def test_every_example_has_the_shape_of_its_schema(document: dict[str, Any]) -> None:
    contents = [response.get("content", {}) for _, response in all_responses(document)]
    contents += [body["content"] for body in document["components"]["requestBodies"].values()]
    checked = 0
    for content in contents:
        for value, schema in examples(document, content):
            assert is_valid(document, schema, value), value
            checked += 1
    assert checked > 30


@pytest.mark.slow
def test_what_belongs_to_a_feature_is_left_out_without_it(document: dict[str, Any]) -> None:
    without = build.document()
    validate(without)
    assert build.FEATURE not in json.dumps([without, document])
    assert set(document["paths"]) - set(without["paths"]) == {
        "/catalogue",
        "/catalogue/search",
        "/catalogue/sync",
    }
    assert "atalogue" not in json.dumps(without)


def test_a_sync_is_always_signed(document: dict[str, Any]) -> None:
    security = {path: document["paths"][path][method]["security"] for path, method in CATALOGUE.items()}
    assert security.pop("/catalogue/sync") == [{"sigv4": []}]
    assert all(one == [{"sigv4": []}, {}] for one in security.values())


def test_every_error_code_has_an_example_under_its_status(document: dict[str, Any]) -> None:
    described = {
        (status, value["code"])
        for status, response in all_responses(document)
        for value, _ in examples(document, response.get("content", {}))
        if "code" in value
    }
    raised = {(str(error.status), error.code) for error in ApiError.__subclasses__()}
    assert described == raised | set(GATEWAY_CODES.items()) | {("404", "NotFound")}


@pytest.mark.slow
def test_example_pictures_are_small_real_images(document: dict[str, Any]) -> None:
    pictures = {name: base64.b64decode(text, validate=True) for name, text in document["x-pictures"].items()}
    assert set(pictures) == {"cat", "altered", "coffee"}
    for name, data in pictures.items():
        assert len(data) < 4096, name
        with Image.open(io.BytesIO(data)) as image:
            image.load()
            assert image.format == "JPEG"
            assert len(image.getcolors(maxcolors=1 << 24) or ()) > 1000, f"{name} is no photograph"


def test_the_first_example_needs_no_network(document: dict[str, Any]) -> None:
    body = document["components"]["requestBodies"]["Images"]["content"]["application/json"]
    assert set(next(iter(body["examples"].values()))["value"]) == {"img"}


def test_the_alias_is_deprecated_and_otherwise_the_same(document: dict[str, Any]) -> None:
    path, alias = (document["paths"][name]["post"] for name in POSTS)
    assert alias.pop("deprecated") is True
    assert "deprecated" not in path
    for own in ("operationId", "summary", "description"):
        assert path.pop(own) != alias.pop(own)
    assert path == alias


@pytest.mark.parametrize(
    ("body", "accepted"),
    [
        ({"url": "https://example.com/a.jpg"}, True),
        ({"url": "s3://bucket/key"}, True),
        ({"img": "AAAA"}, True),
        ({"url_1": "http://example.com/a", "img_2": "AAAA"}, True),
        ({"img_1": "AAAA", "img_2": "AAAA"}, True),
        ({}, False),
        ({"url": "https://example.com/a", "img": "AAAA"}, False),
        ({"url": "ftp://example.com/a"}, False),
        ({"img": None}, False),
        ({"img": ""}, False),
        ({"img_1": "AAAA"}, False),
        ({"img_1": "AAAA", "url_1": "https://example.com/a", "img_2": "AAAA"}, False),
        ({"img": "AAAA", "img_2": "AAAA"}, False),
        ({"img": "AAAA", "other": 1}, False),
    ],
)
def test_the_request_schema_takes_the_two_modes_alone(
    document: dict[str, Any], body: dict[str, Any], accepted: bool
) -> None:
    schema = {"$ref": "#/components/schemas/Images"}
    assert is_valid(document, schema, body) is accepted


def test_what_a_reader_must_know_is_said(document: dict[str, Any]) -> None:
    text = " ".join(document["info"]["description"].split())
    for sentence in ("(1 + cosine) / 2", "Vectors of different models can't be compared", "5 MiB", "4096 px"):
        assert sentence in text
    for path in POSTS:
        assert document["paths"][path]["post"]["security"] == [{"sigv4": []}, {}]
    scheme = document["components"]["securitySchemes"]["sigv4"]
    assert scheme["x-amazon-apigateway-authtype"] == "awsSigv4"
