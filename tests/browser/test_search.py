"""The catalogue in the page: its state, searches by picture, by key and by words, thumbnails."""

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Request, Route, expect
from skimage import data, io, transform

from tests.browser.conftest import PATIENCE_MS
from tests.browser.steps import SESSION, paste
from tests.browser.test_quality import violations
from tests.support.local_stack import LocalRun

Keep = Callable[[Page, str], None]
Searching = Callable[..., Page]
PARAMETERS = "Catalogue=yes ImageBuckets=photos,albums APIGatewayAuthorization=AWS_IAM"
EXPORTED = "".join(f"export {name}={value}\n" for name, value in SESSION.items())
CAT, CUP = "s3://photos/animals/cat.png", "s3://photos/things/cup.jpg"
MATCH = "#matches .match"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photos")
    for name in ("animals", "things"):
        (folder / name).mkdir()
    cat = data.chelsea()
    io.imsave(folder / "animals/cat.png", cat)
    io.imsave(folder / "animals/cat mirrored.jpg", cat[:, ::-1])
    small = transform.resize(cat, (100, 150), preserve_range=True).astype("uint8")
    io.imsave(folder / "animals/cat small.jpg", small)
    io.imsave(folder / "things/cup.jpg", data.coffee())
    io.imsave(folder / "things/rocket.jpg", data.rocket())
    (folder / "broken.jpg").write_bytes(b"no picture")
    return folder


@pytest.fixture(scope="module")
def origin(folder: Path) -> Iterator[str]:
    arguments = ("--port", "0", "--parameters", PARAMETERS, "--pictures", str(folder))
    run = LocalRun(*arguments, environment=SESSION)
    try:
        yield run.origin
    finally:
        run.stop()


@pytest.fixture
def searching(browser: Browser, origin: str) -> Iterator[Searching]:
    """`searching(width=..., scheme=..., prepare=...)` gives the page, signed; it is watched."""
    complaints: list[str] = []
    contexts = []

    def open_(*, prepare: Callable[[Page], None] = lambda _: None, width: int = 1200, **options: Any) -> Page:
        viewport: Any = {"width": width, "height": 900}
        rights = ["clipboard-read", "clipboard-write"]
        context = browser.new_context(viewport=viewport, permissions=rights, **options)
        context.set_default_timeout(PATIENCE_MS)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "console", lambda message: complaints.append(message.text) if "Policy" in message.text else None
        )
        prepare(page)
        page.goto(f"{origin}/prod/api-explorer")
        paste(page, EXPORTED)
        expect(page.locator("#search .badge")).to_be_visible()
        return page

    yield open_
    for context in contexts:
        context.close()
    assert complaints == []


def look_for(page: Page, picture: Path) -> None:
    page.get_by_label("Picture to look for", exact=True).set_input_files(picture)
    search(page)


def search(page: Page) -> None:
    page.locator("#search").get_by_role("button", name="Search", exact=True).click()


def asked(page: Page) -> list[dict[str, Any]]:
    """The searches that the page sends from now on."""
    bodies: list[dict[str, Any]] = []

    def keep(request: Request) -> None:
        if request.url.endswith("/catalogue/search"):
            bodies.append(json.loads(request.post_data or ""))

    page.on("request", keep)
    return bodies


def names(page: Page) -> list[str]:
    page.locator(MATCH).first.wait_for()
    return page.locator(f"{MATCH} .match-name").all_inner_texts()


def test_the_state_of_the_catalogue(searching: Searching) -> None:
    page = searching()
    state = page.locator(".catalogue-state")
    expect(state.locator(".badge")).to_have_text("Complete")
    expect(state).to_contain_text("photos, albums")
    expect(state).to_contain_text("Synced")
    state.get_by_text("One picture could not be indexed").click()
    expect(state.locator("dl")).to_contain_text("s3://photos/broken.jpg")
    expect(state.locator("dd")).to_contain_text("its format is not recognised")


def test_by_a_picture_with_thumbnails(searching: Searching, keep: Keep, folder: Path) -> None:
    page = searching()
    bodies = asked(page)
    look_for(page, folder / "animals/cat.png")
    assert names(page)[0] == "cat.png"
    assert set(names(page)[1:3]) == {"cat mirrored.jpg", "cat small.jpg"}
    expect(page.locator("#search .news")).to_have_text("5 matches for cat.png, most similar first")
    expect(page.locator(MATCH).first).to_contain_text("The same picture")
    expect(page.locator(".unrelated-from-here + ol .match")).to_have_count(2)
    loaded = "[...document.querySelectorAll('#matches img')].filter((image) => image.naturalWidth > 0)"
    page.wait_for_function(f"{loaded}.length === 5")
    assert bodies[0].keys() == {"img", "limit", "links"}
    keep(page, "matches")


def test_more_like_a_match(searching: Searching, folder: Path) -> None:
    page = searching()
    look_for(page, folder / "animals/cat.png")
    names(page)
    bodies = asked(page)
    page.get_by_role("button", name="More like this: cup.jpg").press("Enter")
    expect(page.locator("#search .news")).to_contain_text("matches for cup.jpg")
    assert bodies == [{"key": CUP, "limit": 12, "links": True}]
    assert names(page)[0] == "cup.jpg"
    expect(page.locator("#search .news")).to_be_focused()
    expect(page.get_by_role("button", name="More like this: cup.jpg")).to_be_disabled()
    page.locator(".more:enabled").first.focus()
    page.keyboard.press("ArrowRight")
    assert (
        page.evaluate("[...document.querySelectorAll('.more:enabled')].indexOf(document.activeElement)") == 1
    )


def test_by_an_address_and_within_bounds(searching: Searching) -> None:
    page = searching()
    bodies = asked(page)
    page.get_by_label("Address of the picture to look for").fill(CAT)
    page.get_by_label("Lowest similarity of a match").fill("0.9")
    page.get_by_label("Only keys that begin with").fill("s3://photos/animals/")
    page.get_by_label("Maximum number of matches").select_option("24")
    page.keyboard.press("Enter")
    search(page)
    assert names(page) == ["cat.png", "cat mirrored.jpg", "cat small.jpg"]
    bounds = {"limit": 24, "links": True, "min_similarity": 0.9, "prefix": "s3://photos/animals/"}
    assert bodies[-1] == {"url": CAT} | bounds
    page.get_by_label("Only keys that begin with").fill("s3://photos/things/")
    page.get_by_label("Only keys that begin with").press("Tab")
    expect(page.locator("#search .news")).to_contain_text("No match for cat.png")
    expect(page.locator(MATCH)).to_have_count(0)


def test_a_dropped_picture_is_looked_for(searching: Searching, folder: Path) -> None:
    page = searching()
    content = list((folder / "things/rocket.jpg").read_bytes())
    transfer = page.evaluate_handle(
        """bytes => {
          const transfer = new DataTransfer();
          transfer.items.add(new File([new Uint8Array(bytes)], "dropped.jpg", { type: "image/jpeg" }));
          return transfer;
        }""",
        content,
    )
    page.locator("#search .drop").dispatch_event("dragover", {"dataTransfer": transfer})
    expect(page.locator("#search .slot.over")).to_have_count(1)
    page.locator("#search .drop").dispatch_event("drop", {"dataTransfer": transfer})
    expect(page.locator(".slot.over")).to_have_count(0)
    search(page)
    assert names(page)[0] == "rocket.jpg"
    assert page.locator("#compare .slot.filled").count() == 0


@pytest.mark.parametrize("how", ["dropped", "dropped among others", "dropped as text", "pasted"])
def test_an_address_that_arrives_here_is_looked_for_here(searching: Searching, how: str) -> None:
    page = searching()
    bodies = asked(page)
    kind, text = {
        "dropped": ("text/uri-list", CAT),
        "dropped among others": ("text/uri-list", f"# a cat\r\n{CAT}\r\n{CUP}\r\n"),
        "dropped as text": ("text/plain", f" {CAT}\n"),
        "pasted": ("text/plain", CAT),
    }[how]
    page.evaluate(
        """([kind, text, pasted]) => {
          const transfer = new DataTransfer();
          transfer.setData(kind, text);
          const given = { bubbles: true, cancelable: true };
          const event = pasted
            ? new ClipboardEvent("paste", { ...given, clipboardData: transfer })
            : new DragEvent("drop", { ...given, dataTransfer: transfer });
          document.querySelector("#search h2").dispatchEvent(event);
        }""",
        [kind, text, how == "pasted"],
    )
    assert names(page)[0] == "cat.png"
    assert bodies == [{"url": CAT, "limit": 12, "links": True}]
    expect(page.get_by_label("Address of the picture to look for")).to_have_value(CAT)
    assert page.locator("#compare .slot.filled").count() == 0


WHOLE_MATCH = {"key": CAT, "similarity": 1, "size": 1, "modified": "2026-01-01"}
NO_MATCHES: list[dict[str, Any]] = [
    {},
    {"matches": {}, "complete": True},
    {"matches": [7], "complete": True},
    {"matches": []},
    *(
        {"matches": [WHOLE_MATCH | wrong], "complete": True}
        for wrong in (
            {"key": 7},
            {"similarity": "1"},
            {"similarity": 2},
            {"size": "large"},
            {"modified": "soon"},
            {"link": "javascript:alert(1)"},
            {"link": {"url": 7}},
        )
    ),
]
NO_STATES: list[dict[str, Any]] = [
    {},
    {"buckets": "photos", "pending": 0, "failed": 0, "complete": True, "lastSync": None},
    {"buckets": ["photos"], "pending": 0, "failed": 0, "complete": True, "lastSync": {"state": "odd"}},
    {"buckets": ["photos"], "pending": 0, "failed": 1, "complete": True, "lastSync": None, "failures": [7]},
]


def test_what_is_no_answer_of_a_catalogue_is_told(searching: Searching, keep: Keep, folder: Path) -> None:
    page = searching()
    answers = iter([*NO_MATCHES, *NO_STATES])
    page.route("**/prod/catalogue**", lambda route: route.fulfill(json=next(answers)))
    page.route("**/prod/catalogue/search", lambda route: route.fulfill(json=next(answers)))
    page.get_by_label("Picture to look for", exact=True).set_input_files(folder / "animals/cat.png")
    for body in NO_MATCHES:
        search(page)
        failure = page.locator("#matches").get_by_role("alert")
        expect(failure, str(body)).to_contain_text('("matches", "complete")')
        expect(page.locator(MATCH)).to_have_count(0)
    keep(page, "matches")
    for body in NO_STATES:
        page.locator("#search").get_by_role("button", name="Refresh").click()
        failure = page.locator(".catalogue-state").get_by_role("alert")
        expect(failure, str(body)).to_contain_text('"buckets", "pending"')


def test_what_was_told_to_other_credentials_leaves_with_them(searching: Searching, folder: Path) -> None:
    page = searching()
    look_for(page, folder / "animals/cat.png")
    names(page)
    page.get_by_role("button", name="Forget them").click()
    page.route("**/prod/catalogue", lambda route: None)  # never answered
    paste(page, EXPORTED)
    expect(page.locator("#search")).to_be_visible()
    expect(page.locator(".catalogue-state")).not_to_contain_text("s3://")
    assert "s3://photos/broken.jpg" not in page.locator(".catalogue-state").inner_html()
    expect(page.locator("#search-buckets option")).to_have_count(0)
    expect(page.locator(MATCH)).to_have_count(0)


def test_no_matches_stand_under_another_picture(searching: Searching, folder: Path) -> None:
    page = searching()
    held: list[Route] = []
    page.route("**/catalogue/search", lambda route: held.append(route))
    look_for(page, folder / "animals/cat.png")
    while not held:
        page.wait_for_timeout(20)
    page.get_by_label("Picture to look for", exact=True).set_input_files(folder / "things/cup.jpg")
    expect(page.locator("#search .news")).to_have_text("")
    held.pop().continue_()
    page.unroute("**/catalogue/search")
    page.wait_for_timeout(500)
    expect(page.locator(MATCH)).to_have_count(0)
    search(page)
    assert names(page)[0] == "cup.jpg"
    page.get_by_label("Picture to look for", exact=True).set_input_files(folder / "animals/cat.png")
    expect(page.locator(MATCH)).to_have_count(0)


def hold_the_first(page: Page, calls: str, held: list[Route]) -> None:
    page.route(calls, lambda route: route.continue_() if held else held.append(route))


@pytest.mark.parametrize("answered", [True, False], ids=["answered", "under way"])
def test_no_matches_stand_under_other_bounds(searching: Searching, folder: Path, answered: bool) -> None:
    """What was asked for within other bounds is asked for again, answered or not."""
    page = searching()
    held: list[Route] = []
    if not answered:
        hold_the_first(page, "**/catalogue/search", held)
    page.get_by_label("Only keys that begin with").fill("s3://photos/nothing/")
    look_for(page, folder / "animals/cat.png")
    if answered:
        expect(page.locator("#search .news")).to_contain_text("No match for cat.png")
    else:
        while not held:
            page.wait_for_timeout(20)
    page.get_by_label("Only keys that begin with").fill("s3://photos/things/")
    page.get_by_label("Only keys that begin with").press("Tab")
    for route in held:
        route.continue_()
    assert set(names(page)) == {"cup.jpg", "rocket.jpg"}
    page.get_by_label("Lowest similarity of a match").fill("7")
    page.get_by_label("Lowest similarity of a match").press("Tab")
    expect(page.locator(MATCH)).to_have_count(0)


def test_the_state_is_that_of_the_last_credentials(searching: Searching) -> None:
    """An answer to other credentials comes late."""
    page = searching()
    held: list[Route] = []
    hold_the_first(page, "**/prod/catalogue", held)
    page.locator("#search").get_by_role("button", name="Refresh").click()
    while not held:
        page.wait_for_timeout(20)
    page.get_by_role("button", name="Forget them").click()
    paste(page, EXPORTED)
    expect(page.locator("#search .badge")).to_be_visible()
    refused = {"code": "Forbidden", "message": "The security token is expired", "requestId": "old"}
    held[0].fulfill(status=403, json=refused)
    page.wait_for_timeout(500)
    expect(page.locator("#search .badge")).to_be_visible()
    expect(page.locator(".catalogue-state .failure")).to_have_count(0)


def test_a_call_without_a_body_is_copied_signed(searching: Searching) -> None:
    page = searching()
    found = page.locator("#reference .opblock-get", has_text="/catalogue").first
    found.locator(".opblock-control-arrow").click()
    found.get_by_role("button", name="Try it out").click()
    found.get_by_role("button", name="Execute").click()
    found.locator(".curl-command .copy-to-clipboard button").click()
    expect(found.locator(".curl-note")).to_contain_text("Copied, signed")
    command = page.evaluate("navigator.clipboard.readText()")
    assert "undefined" not in command
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=60, check=True)
    assert json.loads(done.stdout)["complete"] is True


def with_words(page: Page) -> None:
    """The state as of a model with a text tower."""

    def answered(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, json=answer.json() | {"text": True})

    page.route("**/prod/catalogue", answered)


def test_words_are_asked_for_where_the_model_takes_them(searching: Searching, folder: Path) -> None:
    page = searching()
    expect(page.get_by_label("Words")).to_be_hidden()
    page = searching(prepare=with_words)
    bodies = asked(page)
    page.get_by_label("Picture to look for", exact=True).set_input_files(folder / "animals/cat.png")
    page.get_by_label("Words").fill("a cat in the sun")
    assert page.locator("#search .slot.filled").count() == 0, "one query at a time"
    page.keyboard.press("Enter")
    expect(page.locator("#matches .failure")).to_contain_text("has no text tower")
    assert bodies == [{"text": "a cat in the sun", "limit": 12, "links": True}]
    look_for(page, folder / "animals/cat.png")
    assert page.get_by_label("Words").input_value() == ""
    assert names(page)[0] == "cat.png"


def test_without_links_there_are_names(searching: Searching, keep: Keep, folder: Path) -> None:
    def unlinked(route: Route) -> None:
        answer = route.fetch()
        body = answer.json()
        for match in body["matches"]:
            del match["link"]
        route.fulfill(response=answer, json=body | {"complete": False})

    page = searching(prepare=lambda page: page.route("**/catalogue/search", unlinked))
    look_for(page, folder / "animals/cat.png")
    names(page)
    expect(page.locator("#matches")).to_contain_text("Names only")
    expect(page.locator("#matches")).to_contain_text("may be missing")
    expect(page.locator(MATCH).first).to_contain_text(CAT)
    assert page.locator("#matches img").count() == 0
    assert violations(page) == []
    keep(page, "names")


def test_without_a_catalogue_there_is_no_search(open_page: Callable[..., Page]) -> None:
    page = open_page("ImageSimilarity=yes-lambda")
    expect(page.locator("#search")).to_be_hidden()
    expect(page.get_by_role("link", name="Catalogue")).to_be_hidden()


@pytest.mark.parametrize("width", [1200, 320])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_the_search(
    searching: Searching, keep: Keep, folder: Path, scheme: str, width: int
) -> None:
    page = searching(width=width, color_scheme=scheme, prepare=with_words)
    assert violations(page) == []
    look_for(page, folder / "animals/cat.png")
    names(page)
    page.get_by_text("One picture could not be indexed").click()
    page.wait_for_timeout(300)
    assert violations(page) == []
    all_of_it = "[...document.querySelectorAll('#search *')]"
    wide = f"{all_of_it}.filter((one) => one.getBoundingClientRect().right > innerWidth)"
    assert page.evaluate(f"{wide}.map((one) => one.outerHTML)") == []
    keep(page, "search")
