"""Without a pointer: the order of Tab, what keys do, where the focus goes, what is announced."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Open
from tests.browser.test_answers import answer_with, eight  # noqa: F401 - a fixture
from tests.browser.test_compare import choose
from tests.browser.test_folder import OPEN, holidays, results, take  # noqa: F401 - a fixture
from tests.browser.test_quality import violations

Keep = Callable[[Page, str], None]
FOCUS = """() => {
  const at = document.activeElement;
  const ringed = at.classList.contains("unseen") ? at.nextElementSibling : at;
  const style = getComputedStyle(ringed);
  const box = ringed.getBoundingClientRect();
  return {
    name: at.id || at.getAttribute("aria-label") || at.textContent,
    seen: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2 && box.width > 4,
    top: box.top + scrollY,
  };
}"""


@pytest.mark.parametrize("width", [1200, 320, 3840])
def test_tab_goes_from_top_to_bottom_and_is_seen(open_page: Open, width: int) -> None:
    page = open_page(OPEN, width=width)
    page.get_by_role("button", name="Use the example pictures").click()
    page.wait_for_selector(".opblock")
    page.locator(".skip").focus()
    reached = [page.evaluate(FOCUS)]
    while len(reached) < 60:
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement === document.body"):
            break
        reached.append(page.evaluate(FOCUS))
    names = [focus["name"] for focus in reached]
    expected = [
        "Skip to the content",
        "file-1",
        "file-2",
        "send",
        "examples",
        "swap",
        "empty",
        "folder-files",
    ]
    assert [name for name in names if name in expected] == expected
    own = reached[1 : names.index("folder-files") + 1]  # the first one was not reached by a key
    assert [focus["name"] for focus in own if not focus["seen"]] == []


def test_enter_in_an_address_compares(open_page: Open) -> None:
    page = open_page(OPEN)
    answer_with(page, 200, '{"similarity": 0.75}')
    page.get_by_label("Address of the first picture").fill("https://example.com/a.jpg")
    page.get_by_label("Address of the second picture").fill("https://example.com/b.jpg")
    page.keyboard.press("Enter")
    expect(page.locator("#outcome .number")).to_have_text("0.750")
    expect(page.get_by_label("Address of the second picture")).to_be_focused()


def test_the_matrix_is_read_with_the_arrow_keys(open_page: Open, keep: Keep, holidays: Path) -> None:  # noqa: F811
    page = open_page(OPEN)
    take(page, holidays)
    results(page)
    page.get_by_role("button", name="Download the groups").focus()
    page.keyboard.press("Tab")
    expect(page.locator(".pair .path")).to_have_count(2)
    first = page.locator(".pair .path").all_inner_texts()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    second = page.locator(".pair .path").all_inner_texts()
    assert first[0] != second[0]
    assert first[1] != second[1]
    expect(page.locator(".matrix td:focus")).to_have_count(1)
    for key in ("ArrowUp", "ArrowLeft") * 10:
        page.keyboard.press(key)
    expect(page.locator(".matrix tbody tr:first-child td:first-of-type")).to_be_focused()
    page.keyboard.press("ArrowRight")
    keep(page, "cell")
    assert violations(page) == []
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Open in the comparison")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#send")).to_be_focused()


def test_what_a_folder_has_is_announced(open_page: Open, holidays: Path, eight: Path) -> None:  # noqa: F811
    """A screen reader hears of what comes into a live region that was there before."""
    page = open_page(OPEN)
    news = page.locator("#folder-body").get_by_role("status")
    expect(news).to_be_attached()
    take(page, holidays)
    expect(news).to_have_text("Reading 8 pictures…")
    results(page)
    expect(news).to_have_text("3 groups, with 6 of the 7 pictures")
    page.get_by_label("Lowest similarity in a group").fill("1")
    page.get_by_label("Lowest similarity in a group").press("Tab")
    expect(news).to_have_text("No two pictures reach 1.00.")
    answer_with(page, 500, "{}")
    take(page, eight)
    expect(page.locator("#folder-outcome").get_by_role("alert")).to_contain_text("did not answer as expected")
    expect(news).to_contain_text("8 pictures were not sent yet")


@pytest.mark.parametrize("allowed", [True, False])
def test_copying_a_vector_keeps_the_focus_and_tells(open_page: Open, pictures: Path, allowed: bool) -> None:
    page = open_page(OPEN)
    if not allowed:
        page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new Error('no')); }")
    choose(page, pictures / "cat.png")
    page.get_by_role("button", name="Get the vector").click()
    page.get_by_role("button", name="Copy it").press("Enter")
    told = "Copied." if allowed else "The browser did not allow it: download the vector."
    expect(page.locator("#outcome .buttons").get_by_role("status")).to_have_text(told)
    expect(page.get_by_role("button", name="Copy it")).to_be_focused()
