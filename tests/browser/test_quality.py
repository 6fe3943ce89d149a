"""Accessibility, keyboard, weight, caching."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import ROOT, Open
from tests.browser.steps import SESSION, execute, operation, try_it_out

Keep = Callable[[Page, str], None]
AXE = ROOT / "tests" / "tools" / "node_modules" / "axe-core" / "axe.min.js"
MAX_BYTES = 700_000


def violations(page: Page) -> list[str]:
    """What axe finds, all its rules on: rule, impact, element."""
    page.evaluate(AXE.read_text("utf-8"))  # by the debugger: the page's policy would not load it
    found: dict[str, Any] = page.evaluate("axe.run()")
    assert len(found["passes"]) > 20, "axe did not look at the page"
    return [
        f"{rule['id']} ({rule['impact']}): {node['html'][:120]}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]


def overflow(page: Page) -> int:
    width = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    return int(page.evaluate(width))


def outline(page: Page) -> dict[str, Any]:
    """How many headings of the first level there are, and the ids that more than one element has."""
    found: dict[str, Any] = page.evaluate(
        """() => {
          const ids = [...document.querySelectorAll("[id]")].map(({ id }) => id);
          return {
            h1: document.querySelectorAll("h1, [role=heading][aria-level='1']").length,
            twice: ids.filter((id, at) => ids.indexOf(id) !== at),
          };
        }"""
    )
    return found


@pytest.mark.parametrize("width", [768, 1920, 3840])
def test_no_width_scrolls_sideways(open_page: Open, keep: Keep, width: int) -> None:
    page = open_page("ImageSimilarity=yes-lambda", width=width)
    page.get_by_role("button", name="Use the example pictures").click()
    page.get_by_role("button", name="Compare").click()
    page.wait_for_selector("#outcome .number")
    page.wait_for_selector(".opblock")
    assert overflow(page) == 0
    keep(page, "compared")


def test_print_shows_the_answer_and_leaves_the_tools_out(open_page: Open) -> None:
    page = open_page("ImageSimilarity=yes-lambda")
    page.get_by_role("button", name="Use the example pictures").click()
    page.get_by_role("button", name="Compare").click()
    page.wait_for_selector("#outcome .number")
    page.emulate_media(media="print")
    for shown in ("#outcome .number", "#outcome .verdict", ".slot img"):
        expect(page.locator(shown).first).to_be_visible()
    for left_out in ("#send", "#sections", "#reference-section", "#folder"):
        expect(page.locator(left_out)).to_be_hidden()


@pytest.mark.parametrize("width", [1200, 320], ids=["wide", "narrow"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(open_page: Open, keep: Keep, scheme: str, width: int) -> None:
    page = open_page("ImageSimilarity=yes-lambda", scheme=scheme, width=width)
    assert violations(page) == []
    page.get_by_role("button", name="Use the example pictures").click()
    page.get_by_role("button", name="Compare").click()
    page.wait_for_selector("#outcome .number")
    page.get_by_text("The same call in code").click()
    found = try_it_out(page)
    assert execute(found) == 200
    page.wait_for_timeout(500)  # Swagger UI unfolds with an animation
    assert violations(page) == []
    keep(page, "everything-open")
    assert overflow(page) == 0, "the page scrolls sideways"
    assert outline(page) == {"h1": 1, "twice": []}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_where_credentials_are_asked(open_page: Open, keep: Keep, scheme: str) -> None:
    page = open_page("ImageSimilarity=yes-lambda APIGatewayAuthorization=AWS_IAM", SESSION, scheme=scheme)
    assert violations(page) == []
    keep(page, "signing")


def test_everything_is_reached_with_the_keyboard(open_page: Open) -> None:
    page = open_page("ImageSimilarity=yes-lambda")
    reached = []
    for _ in range(16):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.id || document.activeElement.textContent"))
    for control in ("Skip to the content", "file-1", "file-2", "examples", "folder-files"):
        assert control in reached, reached
    page.locator("#examples").press("Enter")
    assert page.evaluate("document.activeElement.id") == "send"
    page.keyboard.press("Enter")
    page.wait_for_selector("#outcome .number")
    operation(page).locator(".opblock-summary-control").press("Enter")
    operation(page).get_by_role("button", name="Try it out").press("Enter")
    operation(page).get_by_role("button", name="Execute").press("Enter")
    expect(operation(page).locator(".live-responses-table")).to_contain_text("200")


def transferred(page: Page) -> int:
    """Bytes of all answers on the wire, headers included, of a page just loaded."""
    return int(
        page.evaluate(
            """performance.getEntriesByType("resource").concat(performance.getEntriesByType("navigation"))
                 .reduce((sum, entry) => sum + entry.transferSize, 0)"""
        )
    )


def test_it_is_light_and_the_second_time_lighter(
    open_page: Open, record_property: Callable[[str, object], None]
) -> None:
    page = open_page("ImageSimilarity=yes-lambda")
    page.wait_for_selector(".opblock")  # Swagger UI comes last
    first = transferred(page)
    assert 100_000 < first < MAX_BYTES
    start = time.perf_counter()
    page.goto(page.url)
    page.wait_for_selector(".opblock")
    again = transferred(page)
    seconds = time.perf_counter() - start
    assert again < 30_000, "the big files come from the browser's cache"
    record_property("explorer_bytes", first)
    record_property("explorer_bytes_again", again)
    print(f"\nExplorer: {first} bytes at first, {again} bytes again, shown again in {seconds:.2f} s")
