"""The documented steps in the API reference, for both backends and both kinds of authorization."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Open
from tests.browser.steps import (
    SESSION,
    choose_example,
    execute,
    expand,
    operation,
    response_body,
    sign,
    try_it_out,
)

Keep = Callable[[Page, str], None]
BACKENDS = {"yes-lambda": "AWS Lambda", "yes-sagemaker": "Amazon SageMaker"}


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_documented_steps(open_page: Open, keep: Keep, tmp_path: Path, backend: str) -> None:
    page = open_page(f"ImageSimilarity={backend}")
    # 4: what is deployed is displayed
    expect(page.get_by_role("status").first).to_contain_text(BACKENDS[backend])
    listed = page.locator(".opblock-summary-path, .opblock-summary-path__deprecated")
    expect(listed).to_have_text(["/image-similarity", "/text_similarity"], use_inner_text=True)
    # 5: the down arrow displays the request method
    found = expand(page)
    expect(found.locator(".opblock-summary-method")).to_have_text("POST")
    keep(page, "expanded")
    # 6: Try it out, with body data that works at once
    found.get_by_role("button", name="Try it out").click()
    body = found.get_by_role("textbox", name="Request body")
    assert list(json.loads(body.input_value())) == ["img"]
    # 7: Execute
    assert execute(found) == 200
    # 8: the result in JSON, to copy or download
    with page.expect_download() as download:
        found.get_by_role("button", name="Download").click()
    saved = tmp_path / "answer.json"
    download.value.save_as(saved)
    assert len(json.loads(saved.read_text())["result"]) == 512
    found.locator(".live-responses-table .copy-to-clipboard button").click()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert json.loads(copied) == json.loads(saved.read_text())
    # 9: the response headers
    headers = found.locator(".live-responses-table .headerline, .live-responses-table pre").all_inner_texts()
    for header in (
        "x-model: embedded/",
        "x-request-id: ",
        "server-timing: ",
        "content-type: application/json",
    ):
        assert any(header in text for text in headers), header
    keep(page, "executed")
    # 10: Clear empties the request body and takes the responses away
    found.get_by_role("button", name="Clear").click()
    expect(found.locator(".live-responses-table")).to_have_count(0)
    assert body.input_value().strip() == ""
    found.get_by_role("button", name="Reset").click()
    assert list(json.loads(body.input_value())) == ["img"]


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_pair_and_an_error(open_page: Open, keep: Keep, backend: str) -> None:
    found = try_it_out(page := open_page(f"ImageSimilarity={backend}"))
    choose_example(found, "Two pictures of one cat (base64)")
    assert execute(found) == 200
    assert 0.8 < json.loads(response_body(found).inner_text())["similarity"] < 1
    keep(page, "pair")
    found.get_by_role("textbox", name="Request body").fill('{"img": "no base64!"}')
    found.get_by_role("button", name="Execute").click()
    expect(response_body(found)).to_contain_text("InvalidImage")
    refused = json.loads(response_body(found).inner_text())
    assert list(refused) == ["code", "message", "requestId"]
    keep(page, "error")


def test_the_alias_answers_too(open_page: Open) -> None:
    page = open_page("ImageSimilarity=yes-lambda")
    alias = page.locator("#operations-Image_similarity-imageSimilarityAlias")
    expect(alias).to_have_class("opblock opblock-deprecated")
    alias.locator(".opblock-control-arrow").click()
    alias.get_by_role("button", name="Try it out").click()
    assert execute(alias) == 200


@pytest.mark.parametrize("backend", BACKENDS)
def test_under_aws_iam_it_reads_and_says_why_not_more(open_page: Open, keep: Keep, backend: str) -> None:
    page = open_page(f"ImageSimilarity={backend} APIGatewayAuthorization=AWS_IAM", SESSION)
    status = page.get_by_role("status").first
    expect(status).to_contain_text("APIGatewayAuthorization is AWS_IAM")
    expect(status).to_contain_text("must be signed")
    found = expand(page)
    expect(found.get_by_role("button", name="Try it out")).to_have_count(0)
    expect(found.locator(".opblock-description")).to_contain_text("512 numbers")
    expect(page.get_by_role("heading", name="Compare two pictures")).to_be_hidden()
    keep(page, "read-only")


@pytest.mark.parametrize("backend", BACKENDS)
def test_signed_calls_answer_and_credentials_can_be_forgotten(
    open_page: Open, keep: Keep, backend: str
) -> None:
    page = open_page(f"ImageSimilarity={backend} APIGatewayAuthorization=AWS_IAM", SESSION)
    sign(page, SESSION)
    expect(page.locator("#signing-note")).to_contain_text("signed with AKIDEXAMPLE")
    found = try_it_out(page)
    assert execute(found) == 200
    shown = page.locator("body").inner_text()
    assert SESSION["AWS_SESSION_TOKEN"] not in shown
    assert "Signature=" not in shown
    keep(page, "signed")
    assert page.evaluate("[localStorage.length, sessionStorage.length, document.cookie]") == [0, 0, ""]
    assert page.context.cookies() == []
    page.get_by_role("button", name="Forget them").click()
    assert page.get_by_label("Secret access key").input_value() == ""
    expand(page)
    expect(operation(page).get_by_role("button", name="Try it out")).to_have_count(0)


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"Secret access key": "wrong"}, "The secret does not belong to the key"),
        ({"Session token": "of yesterday"}, "AWS does not know these credentials"),
        ({"Region": "eu-north-1"}, "The call was signed for eu-north-1"),
        ({"Access key id": "AKIDOTHER"}, "AWS does not know these credentials"),
    ],
    ids=["secret", "token", "region", "id"],
)
def test_a_refused_signature_is_explained(
    open_page: Open, keep: Keep, changed: dict[str, str], sentence: str
) -> None:
    page = open_page("ImageSimilarity=yes-lambda APIGatewayAuthorization=AWS_IAM", SESSION)
    sign(page, SESSION, **changed)
    assert execute(try_it_out(page)) == 403
    expect(page.locator("#signing-note .failure")).to_contain_text(sentence)
    keep(page, "refused")


def test_without_a_backend_it_says_so(open_page: Open, keep: Keep) -> None:
    page = open_page("ImageSimilarity=no")
    expect(page.get_by_role("status").first).to_contain_text("No API is switched on")
    for title in ("Compare two pictures", "API reference", "Sign with your credentials"):
        expect(page.get_by_role("heading", name=title)).to_be_hidden()
    keep(page, "nothing")


def test_another_stage(open_page: Open) -> None:
    page = open_page("APIGatewayStageName=test", stage="test")
    expect(page.locator("#servers")).to_contain_text("/test - This deployment")
    assert execute(try_it_out(page)) == 200
