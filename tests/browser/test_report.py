"""The page of `pairs --report` in a browser: its ticks, numbers and list, and what axe says of it."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect
from skimage import data

from image_similarity.cli.report import Group, Report
from image_similarity.inference.manifest import DIMENSIONS
from tests.browser.test_quality import violations

COUNT = ".count >> nth=0"


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two groups: of three pictures, the largest of which is kept, and of two."""
    folder = tmp_path_factory.mktemp("album")
    names = [str(folder / name) for name in ("it's large.png", "small.png", "smaller.png", "a.png", "b.png")]
    cat, cup = Image.fromarray(data.chelsea()), Image.fromarray(data.coffee())
    for name, picture, side in zip(names, (cat, cat, cat, cup, cup), (400, 300, 200, 400, 200), strict=True):
        picture.resize((side, side)).save(name)
    groups = [Group(names[:3], [0, 1, 2], 0.95), Group(names[3:], [3, 4], 0.96)]
    file = folder / "report.html"
    vectors = np.ones((5, DIMENSIONS), dtype=np.float32)
    Report("a model", 0.91, "as given", vectors, groups).write(file, lambda _: None)
    return file


@pytest.fixture
def opened(browser: Browser, report: Path) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1200, "height": 900})
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(report.as_uri())
    yield page
    context.close()
    assert complaints == []


def test_what_is_ticked_is_kept_and_the_others_are_listed(opened: Page, report: Path) -> None:
    listed = opened.locator("pre")
    expect(opened.locator(COUNT)).to_have_text("3")
    assert re.findall(r"\S+\.png", listed.inner_text()) == [
        str(report.with_name(name)) for name in ("small.png", "smaller.png", "b.png")
    ]
    opened.get_by_label("keep small.png").check()
    opened.get_by_label("keep it's large.png").uncheck()
    assert "it'\"'\"'s large.png'" in listed.inner_text()
    assert "small.png \\" not in listed.inner_text().replace("smaller", "")
    opened.get_by_label("keep small.png").uncheck()
    expect(opened.locator(COUNT)).to_have_text("4")
    expect(opened.get_by_text("Nothing in this group is kept.").first).to_be_visible()
    for box in opened.get_by_role("checkbox").all():
        box.check()
    expect(listed).to_have_text("# Everything is kept.")
    expect(opened.locator(".bytes").first).to_have_text("nothing")


def test_the_list_says_at_first_what_the_script_says(opened: Page) -> None:
    before = opened.locator("pre").inner_text()
    opened.get_by_label("keep small.png").check()
    opened.get_by_label("keep small.png").uncheck()
    assert opened.locator("pre").inner_text() == before


def test_a_group_is_kept_whole_and_given_back(opened: Page) -> None:
    first = opened.locator("section").first
    first.get_by_role("button", name="Keep all").click()
    expect(opened.locator(COUNT)).to_have_text("1")
    first.get_by_role("button", name="Keep as proposed").click()
    expect(opened.locator(COUNT)).to_have_text("3")
    expect(first.get_by_role("button", name="Keep all")).to_be_visible()


def test_ticks_outlive_the_page_and_not_the_report(opened: Page, report: Path) -> None:
    opened.get_by_label("keep small.png").check()
    opened.get_by_label("keep a.png").uncheck()
    opened.reload()
    expect(opened.get_by_label("keep small.png")).to_be_checked()
    expect(opened.get_by_label("keep a.png")).not_to_be_checked()
    expect(opened.locator(COUNT)).to_have_text("3")
    page = report.read_text("utf-8")
    try:
        report.write_text(re.sub('data-report="[^"]+"', 'data-report="another"', page), "utf-8")
        opened.reload()
        expect(opened.get_by_label("keep small.png")).not_to_be_checked()
        expect(opened.get_by_label("keep a.png")).to_be_checked()
    finally:
        report.write_text(page, "utf-8")


def test_a_picture_opens_beside_the_report(opened: Page) -> None:
    with opened.context.expect_page() as event:
        opened.get_by_role("link", name="open small.png in a new tab").click()
    assert event.value.url.endswith("/small.png")
    assert opened.url.endswith("/report.html")


def test_it_fits_into_narrow_windows(opened: Page) -> None:
    for width in (320, 360, 3840):
        opened.set_viewport_size({"width": width, "height": 700})
        assert opened.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(browser: Browser, report: Path, scheme: Literal["light", "dark"]) -> None:
    context = browser.new_context(color_scheme=scheme, bypass_csp=True)
    page = context.new_page()
    page.goto(report.as_uri())
    assert violations(page) == []
    context.close()
