"""Answers that are none: of proxies, of other versions, cut off, without end. Each is told and not shown."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Page, Request, Route, expect
from skimage import data

from tests.browser.conftest import Open
from tests.browser.steps import SESSION, sign
from tests.browser.test_compare import choose
from tests.browser.test_folder import PATIENCE_MS, results, take
from tests.browser.test_quality import overflow, violations
from tests.browser.test_safety import SIGNED, Held

Keep = Callable[[Page, str], None]
OPEN = "ImageSimilarity=yes-lambda"
UNIT = [1.0, *[0.0] * 511]
HTML = "<!doctype html><title>Sign in</title>"
IN_ITS_PLACE, LACKS = "Something answered in the API's place", "The answer lacks what this page needs"
UNEXPECTED = "The API did not answer as expected"
NO_ANSWERS: list[tuple[int, str, str]] = [
    (200, HTML, IN_ITS_PLACE),
    (502, HTML, IN_ITS_PLACE),
    (403, HTML, IN_ITS_PLACE),
    (200, "", IN_ITS_PLACE),
    (200, "null", IN_ITS_PLACE),
    (200, "7", IN_ITS_PLACE),
    (200, "[0.5]", IN_ITS_PLACE),
    (200, '{"similarity": NaN}', IN_ITS_PLACE),
    (200, "[" * 100_000, IN_ITS_PLACE),
    (200, "{}", LACKS),
    (200, '{"similarity": "0.5"}', LACKS),
    (200, '{"similarity": 1.5}', LACKS),
    (200, '{"similarity": [0.5]}', LACKS),
    (200, json.dumps({"result": UNIT}), LACKS),
    (500, "{}", UNEXPECTED),
    (500, '{"code": 7, "message": {"a": 1}}', UNEXPECTED),
    (400, '{"code": "page", "message": "no"}', UNEXPECTED),
    (400, '{"code": "signing-region", "message": "no"}', UNEXPECTED),
    (429, '{"code": "TooManyRequests", "message": "slow"}', "Too many calls at once"),
]
NO_VECTORS: list[Any] = [
    {"result": UNIT[:511]},
    {"result": [*UNIT, 0.0]},
    {"result": [str(number) for number in UNIT]},
    {"result": [UNIT]},
    {"result": [None] * 512},
    {"result": [0.0] * 512},
    {"result": "1,2"},
    {"similarity": 0.5},
]
NO_BATCHES: list[Any] = [
    {},
    {"results": []},
    {"results": [{"result": UNIT}] * 7},
    {"results": [{"result": UNIT[:511]}] * 8},
    {"results": [{"result": ["1"] * 512}] * 8},
    {"results": [None] * 8},
    {"results": [{}] * 8},
    {"results": [{"error": "no"}] * 8},
    {"results": [{"error": {"code": 7}}] * 8},
    {"results": {"length": 8}},
]


def parts_of_a_cup(folder: Path, number: int, *, apart: int, side: int) -> Path:
    """A folder of so many pictures, each of another part of one photograph."""
    folder.mkdir()
    cup = Image.fromarray(data.coffee())
    for one in range(number):
        part = cup.crop((apart * one, 0, 300 + apart * one, 300))
        part.resize((side, side)).save(folder / f"{one}.png")
    return folder


@pytest.fixture(scope="session")
def eight(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of eight pictures, which make one request."""
    return parts_of_a_cup(tmp_path_factory.mktemp("chosen") / "eight", 8, apart=20, side=64)


@pytest.fixture(scope="session")
def forty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of forty pictures, which make two."""
    return parts_of_a_cup(tmp_path_factory.mktemp("chosen") / "forty", 40, apart=1, side=32)


def answer_with(page: Page, status: int, body: str, **headers: str) -> None:
    page.unroute_all()
    kind = "text/html" if body.startswith("<") else "application/json"
    page.route(
        "**/image-similarity",
        lambda route: route.fulfill(status=status, body=body, headers={"Content-Type": kind, **headers}),
    )


def failing(page: Page, button: str) -> str:
    """Ask, and give what is told where the answer would be."""
    page.get_by_role("button", name=button).click()
    failure = page.locator("#outcome .failure")
    expect(failure).to_have_count(1)
    assert page.locator("#outcome .number, #outcome .strip").count() == 0
    return failure.inner_text()


@pytest.mark.parametrize("width", [1200, 320])
def test_what_is_no_answer_to_a_pair_is_told(open_page: Open, keep: Keep, width: int) -> None:
    page = open_page(OPEN, width=width)
    page.get_by_role("button", name="Use the example pictures").click()
    for status, body, sentence in NO_ANSWERS:
        answer_with(page, status, body)
        text = failing(page, "Compare")
        assert sentence in text, (status, body[:60], text)
        assert not any(nonsense in text for nonsense in ("undefined", "[object", "Cannot read", "NaN"))
    long = "x" * 100_000
    answer_with(page, 400, json.dumps({"code": "InvalidRequest", "message": long, "requestId": "r"}))
    assert len(failing(page, "Compare")) < 800
    assert overflow(page) == 0
    answer_with(page, 502, HTML)
    failing(page, "Compare")
    keep(page, "html")
    assert violations(page) == []


def test_what_is_no_vector_is_told(open_page: Open, pictures: Path) -> None:
    page = open_page(OPEN)
    choose(page, pictures / "cat.png")
    for body in NO_VECTORS:
        answer_with(page, 200, json.dumps(body))
        text = failing(page, "Get the vector")
        assert LACKS in text, body
        assert '"result": 512 numbers' in text


def test_what_is_no_answer_to_a_batch_is_told_and_can_go_on(open_page: Open, keep: Keep, eight: Path) -> None:
    page = open_page(OPEN)
    for body in NO_BATCHES:
        answer_with(page, 200, json.dumps(body), **{"X-Model": "m"})
        take(page, eight)
        failure = page.locator("#folder-outcome .failure")
        expect(failure).to_have_count(1)
        expect(failure).to_contain_text(LACKS)
        expect(page.locator("#folder-outcome")).to_contain_text("8 pictures were not sent yet")
    keep(page, "batch")
    page.unroute_all()
    page.get_by_role("button", name="Continue").click()
    results(page)


STREAMS = {
    "hangs": "new ReadableStream({ start(c) { c.enqueue(bytes('{\"similarity\": 0.')); } })",
    "breaks off": "new ReadableStream({ pull(c) { c.error(new TypeError('network error')); } })",
    "never ends": "new ReadableStream({ pull(c) { c.enqueue(bytes(' '.repeat(100000))); } })",
}


def stream(page: Page, body: str) -> None:
    """Let calls be answered by a body of the browser's own, which ends when the call is given up."""
    page.evaluate(
        f"""() => {{
          const {{ fetch }} = globalThis;
          const bytes = (text) => new TextEncoder().encode(text);
          globalThis.fetch = (url, options) => {{
            const upstream = {body}.getReader();
            return Promise.resolve(new Response(new ReadableStream({{
              async pull(controller) {{
                const given = await Promise.race([
                  upstream.read(),
                  new Promise((_, reject) =>
                    options.signal.addEventListener("abort", () => reject(options.signal.reason))),
                ]);
                controller.enqueue(given.value);
              }},
            }})));
          }};
        }}"""
    )


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        ("hangs", "There was no answer within 90 seconds."),
        ("breaks off", "The answer broke off (status 200)."),
        ("never ends", "The answer is longer than 4 MB"),
    ],
)
def test_an_answer_that_does_not_get_to_its_end_is_told(open_page: Open, kind: str, sentence: str) -> None:
    page = open_page(OPEN)
    page.get_by_role("button", name="Use the example pictures").click()
    page.clock.install()
    stream(page, STREAMS[kind])
    page.get_by_role("button", name="Compare").click()
    if kind == "hangs":
        expect(page.locator("#outcome")).to_have_text("Comparing…")
        page.clock.fast_forward(91_000)
    expect(page.locator("#outcome .failure-title")).to_contain_text(sentence)


def test_a_redirect_is_not_followed(open_page: Open) -> None:
    page = open_page(OPEN)
    page.get_by_role("button", name="Use the example pictures").click()
    requested: list[str] = []
    page.on("request", lambda request: requested.append(request.url))
    answer_with(page, 307, "", Location="/prod/elsewhere")
    assert "The API's address leads elsewhere" in failing(page, "Compare")
    assert not any("elsewhere" in url for url in requested)


def test_offline_in_the_middle_of_a_folder_and_on_again(open_page: Open, forty: Path) -> None:
    page = open_page(OPEN)
    held = Held(page)
    take(page, forty)
    held.wait_for(1)
    page.context.set_offline(True)
    held.let_go(0)
    expect(page.locator("#folder-outcome .failure")).to_contain_text("could not be reached")
    page.context.set_offline(False)
    page.unroute_all()
    page.get_by_role("button", name="Continue").click()
    results(page)
    expect(page.locator("#folder-outcome .failure")).to_have_count(0)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("31536000", 30), ("-5", 2), ("Fri, 31 Dec 9999 23:59:59 GMT", 2), ("7", 7), (None, 2)],
)
def test_no_server_makes_the_page_wait_for_long(
    open_page: Open, eight: Path, header: str | None, seconds: int
) -> None:
    """It tells for how long, and cancelling ends the wait."""
    page = open_page(OPEN)
    answer_with(page, 503, '{"code": "Unavailable"}', **({"Retry-After": header} if header else {}))
    take(page, eight)
    expect(page.locator(".progress p")).to_have_text(f"The API is busy. The next try is in {seconds} s.")
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("#folder-outcome")).to_contain_text("8 pictures were not sent yet")


def test_pictures_without_a_turn_are_asked_for_again_and_no_time_is_invented(
    open_page: Open, eight: Path
) -> None:
    page = open_page(OPEN)
    seen: list[str] = []

    def later(route: Route) -> None:
        seen.append(page.locator(".progress p").inner_text())
        error = {"error": {"code": "Timeout", "message": "No turn."}}
        route.fulfill(json={"results": [error] * 8}, headers={"X-Model": "m"})

    page.route("**/image-similarity", later)
    take(page, eight)
    page.locator(".remarks.unusable summary").wait_for()
    assert len(seen) == 4
    assert not any("Infinity" in text or "NaN" in text or "∞" in text for text in seen), seen


def test_what_answers_in_the_place_of_the_api_accepts_no_credentials(open_page: Open, keep: Keep) -> None:
    page = open_page(SIGNED, SESSION)
    for status, body in ((200, HTML), (502, HTML), (200, "[]"), (403, "null"), (403, HTML)):
        answer_with(page, status, body)
        sign(page, SESSION)
        expect(page.locator("#signing-chip")).to_have_text("Refused" if status == 403 else "Not tested")
        expect(page.locator("#signing-note .failure")).to_have_count(1)
    keep(page, "refused")


def test_credentials_that_are_forgotten_sign_and_send_nothing_more(open_page: Open, forty: Path) -> None:
    page = open_page(SIGNED, SESSION)
    sign(page, SESSION)
    expect(page.locator("#signing-chip")).to_have_text("Accepted")
    held = Held(page)
    sent: list[Request] = []
    page.on("request", lambda request: sent.append(request) if request.method == "POST" else None)
    take(page, forty)
    held.wait_for(1)
    page.get_by_role("button", name="Forget them").click()
    expect(page.locator("#folder")).to_be_hidden()
    page.unroute_all()
    page.wait_for_timeout(1000)
    assert len(sent) == 1
    sign(page, SESSION)
    expect(page.locator("#folder-outcome")).to_contain_text("40 pictures were not sent yet")
    page.get_by_role("button", name="Continue").click()
    results(page)
    assert all("authorization" in request.headers for request in sent)


def test_an_answer_that_is_shown_leaves_with_the_credentials(open_page: Open) -> None:
    page = open_page(SIGNED, SESSION)
    sign(page, SESSION)
    page.get_by_role("button", name="Use the example pictures").click()
    page.get_by_role("button", name="Compare").click()
    page.wait_for_selector("#outcome .number", timeout=PATIENCE_MS)
    page.get_by_role("button", name="Forget them").click()
    expect(page.locator("#outcome")).to_be_empty()
