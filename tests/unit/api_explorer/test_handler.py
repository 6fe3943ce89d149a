"""The Explorer's function: what it serves, to whom, and with which headers."""

import importlib.util
import json
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from api_explorer.bundle import bundle


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("explorer")
    bundle(folder)
    return folder


def load(package: Path, monkeypatch: pytest.MonkeyPatch, **environment: str) -> ModuleType:
    """Import the handler out of its package, as Lambda does at a cold start."""
    for name, value in {"AUTHORIZATION": "NONE", "IMAGE_SIMILARITY": "yes-lambda", **environment}.items():
        monkeypatch.setenv(name, value)
    spec = importlib.util.spec_from_file_location("explorer_under_test", package / "handler.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "explorer_under_test", module)
    spec.loader.exec_module(module)
    return module


def get(
    module: ModuleType,
    asset: str | None = None,
    *,
    method: str = "GET",
    headers: dict[str, str] | None = None,
    query: dict[str, str] | None = None,
    slash: str = "",
) -> dict[str, Any]:
    path = "/prod/api-explorer" + (f"/{asset}" if asset else "") + slash
    event = {
        "httpMethod": method,
        "path": path.removeprefix("/prod"),
        "pathParameters": {"asset": asset} if asset else None,
        "headers": headers,
        "queryStringParameters": query,
        "requestContext": {"path": path, "requestId": "request-1"},
    }
    answer: dict[str, Any] = module.handler(event, None)
    return answer


@pytest.fixture
def opened(package: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    return load(package, monkeypatch)


def test_the_page_is_html_with_a_strict_policy(opened: ModuleType) -> None:
    page = get(opened)
    assert page["statusCode"] == 200
    assert page["headers"]["Content-Type"] == "text/html; charset=utf-8"
    policy = page["headers"]["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    assert page["headers"]["X-Content-Type-Options"] == "nosniff"
    assert page["headers"]["Referrer-Policy"] == "no-referrer"
    assert page["headers"]["Cache-Control"] == "no-cache"


BUCKETS = {
    "CATALOGUE": "yes",
    "IMAGE_BUCKETS": "photos,my.photos",
    "BUCKET_HOST": "s3.eu-west-1.amazonaws.com",
}


def images(module: ModuleType) -> str:
    policy: str = get(module)["headers"]["Content-Security-Policy"]
    return next(part for part in policy.split("; ") if part.startswith("img-src"))


def test_pictures_come_from_the_catalogues_buckets_alone(
    package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    own = "img-src 'self' data: blob:"
    of_buckets = "https://photos.s3.eu-west-1.amazonaws.com https://s3.eu-west-1.amazonaws.com/my.photos/"
    signed = load(package, monkeypatch, AUTHORIZATION="AWS_IAM", **BUCKETS)
    assert images(signed) == f"{own} {of_buckets}"
    for name, value in {"AUTHORIZATION": "NONE", "CATALOGUE": "paused"}.items():
        with monkeypatch.context() as changed:
            changed.setenv(name, value)
            assert images(signed) == own, "no links are given"
    many = ",".join(f"a-bucket-with-a-rather-long-name-{number:03}" for number in range(100))
    monkeypatch.setenv("IMAGE_BUCKETS", many)
    assert images(signed) == f"{own} https://s3.eu-west-1.amazonaws.com https://*.s3.eu-west-1.amazonaws.com"


def test_the_local_run_shows_pictures_of_its_own_s3(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    local = load(package, monkeypatch, AWS_ENDPOINT_URL="http://127.0.0.1:8081", **BUCKETS)
    assert images(local) == (
        "img-src 'self' data: blob: http://127.0.0.1:8081/photos/ http://127.0.0.1:8081/my.photos/"
    )


def test_no_answer_can_be_held_by_another_origin(opened: ModuleType) -> None:
    answers = [get(opened), get(opened, slash="/"), get(opened, "nothing.js"), get(opened, method="HEAD")]
    answers += [get(opened, name) for name in opened.NAMES]
    answers += [get(opened, headers={"if-none-match": "*"})]
    for answer in answers:
        assert answer["headers"]["Cross-Origin-Opener-Policy"] == "same-origin"
        assert answer["headers"]["Cross-Origin-Resource-Policy"] == "same-origin"


def test_the_page_has_no_inline_script_or_style_and_no_third_party(package: Path) -> None:
    page = (package / "assets" / "index.html").read_text("utf-8")
    assert not re.search(r"<script(?![^>]*\bsrc=)", page)
    assert not re.search(r"<style|\sstyle=|\son\w+=", page)
    assert not re.search(r"(?:src|href)=\"(?:https?:)?//", page)


def test_every_file_that_the_page_names_is_served_for_good(opened: ModuleType) -> None:
    texts = [opened.load(name).body for name in opened.NAMES if not name.startswith("swagger")]
    links = set(re.findall(r"[\"'](?:api-explorer|\.)/([\w.-]+)\?v=(\w+)", "".join(texts)))
    assert len(links) > 5
    for name, version in links:
        answer = get(opened, name, query={"v": version})
        assert answer["statusCode"] == 200, name
        assert answer["headers"]["Cache-Control"] == "public, max-age=31536000, immutable"
        assert answer["body"]


def test_a_first_visit_stays_under_the_burst_of_an_open_api(opened: ModuleType) -> None:
    """Every file once: half of what ThrottlingBurstLimit takes by default where calls are open."""
    assert len(opened.NAMES) <= 10, sorted(opened.NAMES)


def test_a_file_without_the_current_version_is_revalidated(opened: ModuleType) -> None:
    for query in (None, {"v": "old"}):
        assert get(opened, "explorer.js", query=query)["headers"]["Cache-Control"] == "no-cache"


@pytest.mark.parametrize("asset", [None, "swagger-ui-bundle.js", "openapi.json"])
def test_a_browser_that_has_the_content_gets_304(opened: ModuleType, asset: str | None) -> None:
    etag = get(opened, asset)["headers"]["ETag"]
    for given in (etag, f'"other", {etag}', etag.removeprefix("W/"), "*"):
        answer = get(opened, asset, headers={"if-none-match": given})
        assert answer["statusCode"] == 304
        assert answer["body"] == ""
        assert answer["headers"]["ETag"] == etag
    assert get(opened, asset, headers={"If-None-Match": '"other"'})["statusCode"] == 200


def test_head_has_the_headers_of_get_and_no_body(opened: ModuleType) -> None:
    head, full = get(opened, method="HEAD"), get(opened)
    assert head["headers"] == full["headers"]
    assert head["body"] == ""


@pytest.mark.parametrize("asset", ["nothing.js", "../handler.py", "..%2Fhandler.py", "%00"])
def test_an_unknown_file_is_404_in_the_error_shape(opened: ModuleType, asset: str) -> None:
    answer = get(opened, asset)
    assert answer["statusCode"] == 404
    body = json.loads(answer["body"])
    assert set(body) == {"code", "message", "requestId"}
    assert body["code"] == "NotFound"
    assert body["requestId"] == "request-1"
    assert answer["headers"]["Content-Type"] == "application/json"
    assert "Content-Security-Policy" in answer["headers"]


def test_a_trailing_slash_leads_to_the_page(opened: ModuleType) -> None:
    answer = get(opened, slash="/")
    assert (answer["statusCode"], answer["headers"]["Location"]) == (308, "../api-explorer")


def test_the_examples_to_copy_have_the_places_that_the_page_fills(opened: ModuleType) -> None:
    examples = json.loads(get(opened, "examples.json")["body"])
    assert set(examples) == {"curl", "Python", "Java", "JavaScript"}
    for language, kinds in examples.items():
        assert set(kinds) == {"open", "signed"}
        for kind, text in kinds.items():
            assert "https://API_ID.execute-api.REGION.amazonaws.com/STAGE/image-similarity" in text
            assert ('"cat.jpg", "other.jpg"' in text) != ("'cat.jpg' 'other.jpg'" in text), language
            assert ("us-east-1" in text) is (kind == "signed")


def test_everything_is_text(opened: ModuleType) -> None:
    for name in opened.NAMES:
        answer = get(opened, name)
        assert answer["isBase64Encoded"] is False
        assert len(json.dumps(answer)) < 6 * 1024**2, "Lambda's limit of an answer"


@pytest.mark.slow
def test_the_bundle_is_the_same_twice(tmp_path: Path) -> None:
    """Both are made here: Python keeps its bytecode in the package that the other tests import."""
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        folder.mkdir()
        bundle(folder)
    contents = [
        {file.relative_to(folder): file.read_bytes() for file in folder.rglob("*.*")}
        for folder in (first, second)
    ]
    assert contents[0] == contents[1]


@pytest.mark.parametrize("backend", ["yes-lambda", "yes-sagemaker"])
@pytest.mark.parametrize("authorization", ["NONE", "AWS_IAM"])
def test_the_document_lists_what_is_deployed(
    package: Path, monkeypatch: pytest.MonkeyPatch, backend: str, authorization: str
) -> None:
    module = load(
        package, monkeypatch, AUTHORIZATION=authorization, IMAGE_SIMILARITY=backend, AWS_REGION="eu-west-1"
    )
    document = json.loads(get(module, "openapi.json")["body"])
    assert list(document["paths"]) == ["/image-similarity", "/text_similarity"]
    assert document["servers"][0]["url"] == ".."
    expected: list[object] = [{"sigv4": []}] if authorization == "AWS_IAM" else []
    assert all(path["post"]["security"] == expected for path in document["paths"].values())
    assert ("securitySchemes" in document["components"]) is (authorization == "AWS_IAM")
    assert document["x-deployment"] == {
        "authorization": authorization,
        "backend": backend,
        "region": "eu-west-1",
    }


@pytest.mark.parametrize("authorization", ["NONE", "AWS_IAM"])
def test_the_catalogue_is_listed_where_there_is_one(
    package: Path, monkeypatch: pytest.MonkeyPatch, authorization: str
) -> None:
    module = load(package, monkeypatch, AUTHORIZATION=authorization, **BUCKETS)
    document = json.loads(get(module, "openapi.json")["body"])
    signed: list[object] = [{"sigv4": []}]
    expected = signed if authorization == "AWS_IAM" else []
    assert {
        path: next(iter(methods.values()))["security"] for path, methods in document["paths"].items()
    } == {
        "/image-similarity": expected,
        "/text_similarity": expected,
        "/catalogue/search": expected,
        "/catalogue/sync": signed,
        "/catalogue": expected,
    }
    assert "sigv4" in document["components"]["securitySchemes"]
    assert [tag["name"] for tag in document["tags"]] == ["Image similarity", "Catalogue"]
    assert get(module, "openapi-catalogue.json")["statusCode"] == 404


def test_a_catalogue_that_is_off_is_not_listed(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    absent = get(load(package, monkeypatch), "openapi.json")["body"]
    assert get(load(package, monkeypatch, CATALOGUE="no"), "openapi.json")["body"] == absent
    gone = load(package, monkeypatch, CATALOGUE="yes", IMAGE_SIMILARITY="no")
    assert json.loads(get(gone, "openapi.json")["body"])["paths"] == {}


def test_without_a_backend_no_api_is_listed(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    document = json.loads(get(load(package, monkeypatch, IMAGE_SIMILARITY="no"), "openapi.json")["body"])
    assert document["paths"] == {}
    assert document["tags"] == []


def test_the_document_is_never_kept_for_good(opened: ModuleType) -> None:
    answer = get(opened, "openapi.json", query={"v": opened.VERSION})
    assert answer["headers"]["Cache-Control"] == "no-cache"
