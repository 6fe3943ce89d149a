"""What the page keeps to itself, and that what it shows belongs together."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.conftest import Open
from tests.browser.steps import SESSION, execute, operation, sign, try_it_out
from tests.browser.test_compare import choose, similarity
from tests.support.filled import answer, run

Keep = Callable[[Page, str], None]
SIGNED = "ImageSimilarity=yes-lambda APIGatewayAuthorization=AWS_IAM"
FIELDS = ("Access key id", "Secret access key", "Session token")


def test_an_opener_has_no_hold_on_the_page(browser: Browser, local_stack: Callable[..., str]) -> None:
    origin = local_stack("ImageSimilarity=yes-lambda", {})
    context = browser.new_context()
    try:
        opener = context.new_page()
        opener.goto(origin.replace("127.0.0.1", "localhost") + "/healthz")
        with context.expect_page() as opened:
            opener.evaluate("url => { globalThis.opened = window.open(url); }", f"{origin}/prod/api-explorer")
        page = opened.value
        expect(page.locator("#status")).to_contain_text("The API runs on")
        assert page.evaluate("window.opener") is None
        assert opener.evaluate("globalThis.opened.closed"), "the opener could put a copy in the page's place"
    finally:
        context.close()


def test_fields_are_emptied_once_the_page_has_the_credentials(open_page: Open, keep: Keep) -> None:
    page = open_page(SIGNED, SESSION)
    sign(page, SESSION)
    expect(page.locator("#signing-note")).to_contain_text("signed with AKIDEXAMPLE")
    for label in FIELDS:
        assert page.get_by_label(label).input_value() == ""
    assert page.get_by_label("Region").input_value() == "us-east-1"
    document = page.content()
    assert SESSION["AWS_SECRET_ACCESS_KEY"] not in document
    assert SESSION["AWS_SESSION_TOKEN"] not in document
    assert execute(try_it_out(page)) == 200  # they are in the page's memory
    keep(page, "taken")
    page.reload()
    expect(page.locator("#signing")).to_be_visible()
    expect(operation(page).get_by_role("button", name="Try it out")).to_have_count(0)


def test_no_field_is_filled_or_kept_by_the_browser(open_page: Open) -> None:
    page = open_page(SIGNED, SESSION)
    for field in page.locator("#signing input, #compare input").all():
        assert field.get_attribute("autocomplete") == "off"


def test_the_focus_stays_where_the_person_is(open_page: Open) -> None:
    page = open_page(SIGNED, SESSION)
    sign(page, SESSION)
    page.get_by_role("button", name="Forget them").press("Enter")
    assert page.evaluate("document.activeElement.name") == "accessKeyId"


@pytest.mark.parametrize("body", ["as it is", "on many lines"])
def test_a_copied_curl_command_is_signed_and_holds_no_secret(
    open_page: Open, keep: Keep, tmp_path: Path, body: str
) -> None:
    page = open_page(SIGNED, SESSION)
    sign(page, SESSION)
    found = try_it_out(page)
    if body != "as it is":
        text = found.get_by_role("textbox", name="Request body")
        text.fill("\n\n" + text.input_value().replace(":", "\n:\n\t", 1) + "\n \n")
    assert execute(found) == 200
    assert "Signature=" not in page.locator("body").inner_text()
    found.locator(".curl-command .copy-to-clipboard button").click()
    expect(found.locator(".curl-note")).to_contain_text("Copied")
    command = page.evaluate("navigator.clipboard.readText()")
    assert "Signature=" in command
    assert SESSION["AWS_SECRET_ACCESS_KEY"] not in command
    keep(page, "copied")
    script = tmp_path / "copied.sh"
    script.write_text(command, "utf-8")
    result = answer(run(script, tmp_path, {}))["result"]
    assert isinstance(result, list)
    assert len(result) == 512


def test_without_a_signature_swagger_copies_its_own_command(open_page: Open) -> None:
    page = open_page("ImageSimilarity=yes-lambda")
    found = try_it_out(page)
    assert execute(found) == 200
    found.locator(".curl-command .copy-to-clipboard button").click()
    assert page.evaluate("navigator.clipboard.readText()").startswith("curl -X 'POST'")


class Held:
    """Keeps the API's answers back until they are let go."""

    def __init__(self, page: Page) -> None:
        self._routes: list[Route] = []
        page.route("**/image-similarity", lambda route: self._routes.append(route))
        self._page = page

    def count(self) -> int:
        return len(self._routes)

    def wait_for(self, count: int) -> None:
        while self.count() < count:
            self._page.wait_for_timeout(20)

    def let_go(self, index: int) -> None:
        self._routes[index].continue_()


def test_no_old_score_stands_under_new_pictures(open_page: Open, pictures: Path) -> None:
    page = open_page("ImageSimilarity=yes-lambda")
    held = Held(page)
    choose(page, pictures / "cat.png", pictures / "cat.png")
    page.get_by_role("button", name="Compare").click()
    held.wait_for(1)
    page.get_by_label("Second picture", exact=True).set_input_files(pictures / "coffee.jpg")
    expect(page.locator("#outcome")).to_have_text("")
    page.get_by_role("button", name="Compare").click()
    held.wait_for(2)
    held.let_go(1)
    page.wait_for_selector("#outcome .number")
    new = similarity(page)
    assert new < 0.8
    held.let_go(0)
    page.wait_for_timeout(1000)
    assert similarity(page) == new


@pytest.mark.parametrize("action", ["remove", "examples", "other"])
def test_an_answer_to_other_pictures_is_not_shown(open_page: Open, pictures: Path, action: str) -> None:
    page = open_page("ImageSimilarity=yes-lambda")
    held = Held(page)
    choose(page, pictures / "cat.png", pictures / "cat.png")
    page.get_by_role("button", name="Compare").click()
    held.wait_for(1)
    if action == "remove":
        page.get_by_role("button", name="Remove the pictures").click()
    elif action == "examples":
        page.get_by_role("button", name="Use the example pictures").click()
    else:
        page.get_by_label("First picture", exact=True).set_input_files(pictures / "coffee.jpg")
    held.let_go(0)
    page.wait_for_timeout(1000)
    assert page.locator("#outcome").inner_text() == ""


def test_compare_keeps_the_focus_and_asks_once(open_page: Open, pictures: Path) -> None:
    page = open_page("ImageSimilarity=yes-lambda")
    held = Held(page)
    choose(page, pictures / "cat.png", pictures / "coffee.jpg")
    page.get_by_role("button", name="Compare").focus()
    for _ in range(3):
        page.keyboard.press("Enter")
    held.wait_for(1)
    assert page.evaluate("document.activeElement.id") == "send"
    assert held.count() == 1
    held.let_go(0)
    page.wait_for_selector("#outcome .number")
    assert page.evaluate("document.activeElement.id") == "send"
    page.get_by_role("button", name="Remove the pictures").press("Enter")
    assert page.evaluate("document.activeElement.id") == "file-1"


READS = """
  globalThis.reads = [];
  const keep = (owner, name) => {
    const original = owner[name];
    owner[name] = function (...given) {
      const blob = given[0] instanceof Blob ? given[0] : this;
      if (blob instanceof Blob) globalThis.reads.push(`${name} ${blob.size}`);
      return original.apply(this, given);
    };
  };
  keep(FileReader.prototype, "readAsDataURL");
  keep(FileReader.prototype, "readAsArrayBuffer");
  keep(Blob.prototype, "arrayBuffer");
  keep(Blob.prototype, "stream");
  keep(URL, "createObjectURL");
"""


def test_a_file_that_can_not_be_sent_is_refused_before_it_is_read(
    open_page: Open, keep: Keep, pictures: Path, tmp_path: Path
) -> None:
    page = open_page("ImageSimilarity=yes-lambda")
    page.evaluate(READS)
    large = tmp_path / "large.png"
    with large.open("wb") as file:
        file.truncate(200 * 1024**2)
    choose(page, large)
    failure = page.locator(".slot .failure")
    expect(failure).to_have_text(
        "This file has 200.0 MB; the limit here is 64.0 MB. Choose a smaller one, or give its address."
    )
    expect(page.get_by_role("button", name="Get the vector")).to_be_disabled()
    keep(page, "large")
    assert page.evaluate("globalThis.reads") == []
    choose(page, pictures / "cat.png")
    expect(failure).to_have_count(0)
    expect(page.get_by_role("button", name="Get the vector")).to_be_enabled()
    assert page.evaluate("globalThis.reads") != []


def test_the_inputs_name_the_pictures_that_are_shown(open_page: Open, keep: Keep, pictures: Path) -> None:
    page = open_page("ImageSimilarity=yes-lambda")

    def named() -> list[str]:
        names: list[str] = page.evaluate(
            "[...document.querySelectorAll('.slot [type=file]')].map(({ files }) => files[0]?.name ?? '')"
        )
        return names

    page.get_by_role("button", name="Use the example pictures").click()
    assert named() == ["cat.jpg", "other.jpg"]
    keep(page, "examples")
    page.locator(".slot").nth(1).dispatch_event(
        "drop",
        {
            "dataTransfer": page.evaluate_handle(
                """() => { const given = new DataTransfer();
                     given.items.add(new File(["BM"], "dropped.bmp"));
                     return given; }"""
            )
        },
    )
    assert named() == ["cat.jpg", "dropped.bmp"]
    expect(page.locator(".slot .file-name").nth(1)).to_contain_text(re.compile(r"dropped\.bmp"))
    page.get_by_role("button", name="Remove the pictures").click()
    assert named() == ["", ""]
    assert page.locator(".slot img").count() == 0
    choose(page, pictures / "cat.png")
    page.get_by_label("Address of the first picture").fill("https://example.com/other.jpg")
    assert named() == ["", ""], "the same file could not be chosen again"
