"""The page in Chinese: by its address, by the browser, and by the switch, which takes nothing away."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Open
from tests.browser.test_compare import compare, similarity
from tests.browser.test_quality import violations

Keep = Callable[[Page, str], None]
OPEN = "ImageSimilarity=yes-lambda"


def test_the_switch_keeps_pictures_and_answers(open_page: Open, keep: Keep) -> None:
    page = open_page(OPEN)
    page.get_by_role("button", name="Use the example pictures").click()
    compare(page)
    before = similarity(page)
    page.get_by_role("button", name="中文").click()
    assert page.evaluate("document.documentElement.lang") == "zh-Hans"
    assert page.title().startswith("图像相似度")
    expect(page.get_by_role("heading", name="比较两张图片")).to_be_visible()
    expect(page.locator("#outcome .verdict")).to_have_text("副本")
    expect(page.get_by_label("第一张图片", exact=True)).to_be_attached()
    expect(page.get_by_label("第二张图片的地址")).to_have_attribute("placeholder", re.compile("^或填写地址"))
    assert similarity(page) == before
    assert page.locator(".slot img").count() == 2
    assert violations(page) == []
    keep(page, "chinese")
    assert page.url.endswith("?lang=zh")
    page.reload()
    expect(page.get_by_role("heading", name="比较两张图片")).to_be_visible()
    page.get_by_role("button", name="English").click()
    expect(page.get_by_role("heading", name="Compare two pictures")).to_be_visible()


def test_no_english_is_left_in_chinese(open_page: Open) -> None:
    """But for names (AWS, API, JPEG, curl) and the reference, which says that it is English."""
    page = open_page(OPEN)
    page.goto(f"{page.url}?lang=zh")
    page.wait_for_selector(".opblock")
    words = page.evaluate(
        """() => {
          const places = [...document.querySelectorAll("header, #compare, #folder")];
          return [...new Set(places.map(({ innerText }) => innerText).join(" ").match(/[A-Za-z]{3,}/g))];
        }"""
    )
    assert set(words) <= {"API", "AWS", "English", "Lambda", "https"}


def test_the_browsers_language_is_taken(open_page: Open) -> None:
    page = open_page(OPEN, locale="zh-TW")
    expect(page.get_by_role("heading", name="比较两张图片")).to_be_visible()
    page.goto(f"{page.url}?lang=en")
    expect(page.get_by_role("heading", name="Compare two pictures")).to_be_visible()


@pytest.mark.parametrize("language", ["constructor", "__proto__", "<script>", ""])
def test_a_language_that_is_none_is_passed_over(open_page: Open, language: str) -> None:
    page = open_page(OPEN)
    page.goto(f"{page.url}?lang={language}")
    expect(page.get_by_role("heading", name="Compare two pictures")).to_be_visible()
