"""Credentials as people have them: pasted, tested by one call, told apart, forgotten."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Open
from tests.browser.steps import SESSION, execute, operation, paste, sign, try_it_out
from tests.browser.test_compare import choose
from tests.browser.test_quality import violations
from tests.support.filled import answer, run

Keep = Callable[[Page, str], None]
SIGNED = "ImageSimilarity=yes-lambda APIGatewayAuthorization=AWS_IAM"
ID, SECRET, TOKEN = SESSION.values()
EXPORTED = "".join(f"export {name}={value}\n" for name, value in SESSION.items())
PROCESS = {"Version": 1, "AccessKeyId": ID, "SecretAccessKey": SECRET, "SessionToken": TOKEN}
FORMS = {
    "shell": EXPORTED,
    "PowerShell": "\n".join(f'$Env:{name}="{value}"' for name, value in SESSION.items()),
    "INI": f"[dev]\naws_access_key_id = {ID}\naws_secret_access_key = {SECRET}\naws_session_token = {TOKEN}",
    "JSON": json.dumps(PROCESS, indent=4),
    "STS": json.dumps({"Credentials": {**PROCESS, "Expiration": "2099-01-01T00:00:00Z"}}),
}


def chip(page: Page) -> str:
    expect(page.locator("#signing-chip")).not_to_have_text("Testing…")
    return page.locator("#signing-chip").inner_text()


@pytest.mark.parametrize("form", FORMS)
def test_what_is_exported_is_pasted_and_tested_at_once(open_page: Open, form: str) -> None:
    page = open_page(SIGNED, SESSION)
    paste(page, FORMS[form])
    assert chip(page) == "Accepted"
    expect(page.locator("#signing-note")).to_contain_text(f"signed with {ID}")
    assert ("2099" in page.locator("#signing-whose").inner_text()) is (form == "STS")
    assert page.locator("#paste").input_value() == ""
    for secret in (SECRET, TOKEN):
        assert secret not in page.content()
    assert execute(try_it_out(page)) == 200


def test_one_of_several_profiles_is_chosen(open_page: Open) -> None:
    page = open_page(SIGNED, SESSION)
    paste(page, f"[other]\naws_access_key_id=AKIDOTHER\naws_secret_access_key=other\n{FORMS['INI']}")
    expect(page.get_by_role("button", name="other")).to_be_focused()
    page.get_by_role("button", name="dev").press("Enter")
    assert chip(page) == "Accepted"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("https://example.com/cat.jpg", "There are no credentials in this text"),
        (f"export AWS_ACCESS_KEY_ID={ID}", "The secret access key is missing"),
        (EXPORTED.replace(ID, "ASIAEXAMPLE").replace("SESSION", "OTHER"), "the session token is missing"),
    ],
)
def test_what_is_missing_is_named(open_page: Open, text: str, sentence: str) -> None:
    page = open_page(SIGNED, SESSION)
    paste(page, text)
    expect(page.locator("#signing-note")).to_contain_text(sentence)
    expect(page.locator("#signing-state")).to_be_hidden()
    assert page.locator("#paste").input_value() == ""


@pytest.mark.parametrize(
    ("changed", "state", "sentence"),
    [
        ({"Secret access key": "wrong"}, "Wrong secret", f"The secret does not belong to the key {ID}"),
        ({"Session token": "of yesterday"}, "Unknown key", "AWS does not know these credentials"),
        ({"Access key id": "AKIDOTHER"}, "Unknown key", "AWS does not know these credentials"),
        ({"Region": "eu-north-1"}, "Wrong region", "signed for eu-north-1, but this API is in us-east-1"),
    ],
)
def test_a_refusal_is_told_once_and_by_its_reason(
    open_page: Open, keep: Keep, pictures: Path, changed: dict[str, str], state: str, sentence: str
) -> None:
    page = open_page(SIGNED, SESSION)
    sign(page, SESSION, **changed)
    assert chip(page) == state
    expect(page.locator("#signing-note .failure")).to_contain_text(sentence)
    keep(page, "refused")
    choose(page, pictures / "cat.png")
    page.get_by_role("button", name="Get the vector").click()
    expect(page.locator("#outcome .failure")).to_contain_text(sentence)
    sign(page, SESSION, Region="us-east-1")  # the form is still there
    assert chip(page) == "Accepted"
    expect(page.locator("#signing-note .failure")).to_have_count(0)


# What no local run can bring about, in API Gateway's words.
REFUSED = {
    "Expired": "The security token included in the request is expired",
    "Not permitted": "User: arn:aws:sts::1:x is not authorized to perform: execute-api:Invoke on resource: y",
    "Clock is off": "Signature expired: 20260101T000000Z is now earlier than 20260101T010000Z",
    "Refused": "Forbidden",
}


@pytest.mark.parametrize("state", REFUSED)
def test_what_aws_alone_refuses(open_page: Open, keep: Keep, state: str) -> None:
    page = open_page(SIGNED, SESSION)
    body = {"code": "Forbidden", "message": REFUSED[state], "requestId": "1"}
    page.route("**/image-similarity", lambda route: route.fulfill(status=403, json=body))
    paste(page, EXPORTED)
    assert chip(page) == state
    expect(page.locator("#signing-note .failure")).to_contain_text(REFUSED[state])
    keep(page, "refused")
    page.unroute("**/image-similarity")
    page.get_by_role("button", name="Test", exact=True).click()
    assert chip(page) == "Accepted"


def test_without_a_network_nothing_is_said_of_the_credentials(open_page: Open) -> None:
    page = open_page(SIGNED, SESSION)
    page.route("**/image-similarity", lambda route: route.abort())
    paste(page, EXPORTED)
    assert chip(page) == "Not tested"
    expect(page.locator("#signing-note .failure")).to_contain_text("could not be reached")


def test_forgotten_credentials_sign_nothing(open_page: Open) -> None:
    page = open_page(SIGNED, SESSION)
    paste(page, EXPORTED)
    assert chip(page) == "Accepted"
    assert page.evaluate("document.activeElement.id") == "test", "the focus is where the paste was taken"
    page.get_by_role("button", name="Forget them").press("Enter")
    expect(page.locator("#signing-note")).to_contain_text("forgotten")
    expect(page.locator("#compare")).to_be_hidden()
    expect(operation(page).get_by_role("button", name="Try it out")).to_have_count(0)
    assert page.evaluate("document.activeElement.name") == "accessKeyId"


def test_a_command_for_the_shell_holds_no_part_of_the_credentials(open_page: Open, tmp_path: Path) -> None:
    page = open_page(SIGNED, SESSION)
    paste(page, EXPORTED)
    assert chip(page) == "Accepted"
    found = try_it_out(page)
    assert execute(found) == 200
    found.get_by_role("button", name="Copy a command that signs with your shell's credentials").click()
    expect(found.locator(".curl-note")).to_contain_text("Copied")
    command = page.evaluate("navigator.clipboard.readText()")
    assert "--aws-sigv4 'aws:amz:us-east-1:execute-api'" in command
    for part in (ID, SECRET, TOKEN, "Signature="):
        assert part not in command
    script = tmp_path / "copied.sh"
    script.write_text(command, "utf-8")
    result = answer(run(script, tmp_path, SESSION))["result"]
    assert isinstance(result, list)
    assert len(result) == 512


@pytest.mark.parametrize("width", [1200, 320])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_whatever_the_state(open_page: Open, keep: Keep, scheme: str, width: int) -> None:
    page = open_page(SIGNED, SESSION, scheme=scheme, width=width)
    paste(page, EXPORTED.replace(SECRET, "wrong"))
    assert chip(page) == "Wrong secret"
    assert violations(page) == []
    keep(page, "wrong")
    paste(page, EXPORTED)
    assert chip(page) == "Accepted"
    assert violations(page) == []
    keep(page, "accepted")
