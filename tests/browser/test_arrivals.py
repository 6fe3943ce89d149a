"""How pictures get into the page: dropped, pasted, made smaller, converted, or refused with one message."""

import base64
import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import JSHandle, Page, expect
from skimage import data

from tests.browser.conftest import Open
from tests.browser.test_compare import choose, compare, similarity

Keep = Callable[[Page, str], None]
OPEN = "ImageSimilarity=yes-lambda"


def transfer(page: Page, *files: Path, text: str = "") -> JSHandle:
    """A DataTransfer with the files, as a drop or a paste has one."""
    contents = [[file.name, list(file.read_bytes())] for file in files]
    return page.evaluate_handle(
        """([contents, text]) => {
          const transfer = new DataTransfer();
          for (const [name, bytes] of contents) {
            transfer.items.add(new File([new Uint8Array(bytes)], name, { type: "image/png" }));
          }
          if (text) transfer.setData("text/plain", text);
          return transfer;
        }""",
        [contents, text],
    )


def paste(page: Page, clipboard: JSHandle, target: str = "body") -> None:
    page.evaluate(
        """([target, clipboardData]) => document.querySelector(target).dispatchEvent(
          new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }))""",
        [target, clipboard],
    )


def names(page: Page) -> list[str]:
    return page.locator(".slot .file-name").all_inner_texts()


@pytest.mark.parametrize("target", ["body", ".slot .drop", "#reference-section"])
def test_two_that_are_dropped_fill_both_places(open_page: Open, pictures: Path, target: str) -> None:
    page = open_page(OPEN)
    dropped = transfer(page, pictures / "coffee.jpg", pictures / "coffee.jpg")
    page.locator(target).first.dispatch_event("drop", {"dataTransfer": dropped})
    compare(page)
    assert similarity(page) == 1.0
    expect(page.locator("#outcome .verdict")).to_have_text("The same picture")


def test_one_that_is_dropped_goes_where_it_fell(open_page: Open, pictures: Path) -> None:
    page = open_page(OPEN)
    dropped = transfer(page, pictures / "coffee.jpg")
    page.locator(".slot").nth(1).dispatch_event("drop", {"dataTransfer": dropped})
    expect(page.locator(".slot").nth(1).locator("img")).to_have_attribute("alt", "coffee.jpg")
    assert page.locator(".slot").nth(0).locator("img").count() == 0
    page.locator("body").dispatch_event("drop", {"dataTransfer": transfer(page, pictures / "cat.png")})
    expect(page.locator(".slot").nth(0).locator("img")).to_have_attribute("alt", "cat.png")


def test_pictures_and_addresses_are_pasted(open_page: Open, pictures: Path) -> None:
    page = open_page(OPEN)
    paste(page, transfer(page, pictures / "cat.png"))
    expect(page.locator(".slot img")).to_have_attribute("alt", "cat.png")
    paste(page, transfer(page, text=" https://example.com/cat.jpg\n"))
    expect(page.get_by_label("Address of the second picture")).to_have_value("https://example.com/cat.jpg")
    paste(page, transfer(page, text="no address"))
    assert len(names(page)) == 1


def test_text_that_is_pasted_into_a_field_stays_there(open_page: Open) -> None:
    page = open_page(OPEN)
    page.get_by_label("Address of the second picture").focus()
    page.evaluate("navigator.clipboard.writeText('https://example.com/cat.jpg')")
    page.keyboard.press("Control+V")
    expect(page.get_by_label("Address of the second picture")).to_have_value("https://example.com/cat.jpg")
    expect(page.get_by_label("Address of the first picture")).to_have_value("")


def test_two_chosen_at_once_fill_both_places(open_page: Open, pictures: Path) -> None:
    page = open_page(OPEN)
    both = [pictures / "cat.png", pictures / "mirrored.jpg"]
    page.get_by_label("First picture", exact=True).set_input_files(both)
    compare(page)
    assert 0.9 < similarity(page) < 1


def test_a_large_picture_is_made_smaller_and_it_says_so(
    open_page: Open, keep: Keep, pictures: Path, tmp_path: Path
) -> None:
    cat = Image.fromarray(data.chelsea())
    rng = np.random.default_rng(1)
    large = np.asarray(cat.resize((4500, 3000)), np.int16) + rng.integers(-20, 21, (3000, 4500, 3))
    Image.fromarray(np.clip(large, 0, 255).astype(np.uint8)).save(tmp_path / "large.jpg", quality=95)
    assert (tmp_path / "large.jpg").stat().st_size > 5 * 1024**2
    page = open_page(OPEN)
    choose(page, tmp_path / "large.jpg", pictures / "cat.png")
    note = page.locator(".slot .changed")
    expect(note).to_contain_text("Made smaller in your browser before sending")
    expect(note).to_contain_text(re.compile(r"from 4500 . 3000 .* to 2048 . 1365 "))
    keep(page, "smaller")
    compare(page)
    assert similarity(page) > 0.95


@pytest.mark.parametrize("format_", ["jpg", "png", "bmp", "webp"])
def test_what_the_api_reads_is_sent_as_it_is(open_page: Open, tmp_path: Path, format_: str) -> None:
    picture = tmp_path / f"cat.{format_}"
    Image.fromarray(data.chelsea()).save(picture)
    page = open_page(OPEN)
    choose(page, picture)
    with page.expect_request("**/image-similarity") as sent:
        page.get_by_role("button", name="Get the vector").click()
    assert base64.b64decode(json.loads(sent.value.post_data or "")["img"]) == picture.read_bytes()
    expect(page.locator(".slot .changed")).to_have_count(0)


@pytest.mark.parametrize("format_", ["gif", "avif"])
def test_other_formats_are_converted(open_page: Open, pictures: Path, tmp_path: Path, format_: str) -> None:
    picture = tmp_path / f"cat.{format_}"
    Image.fromarray(data.chelsea()).save(picture)
    page = open_page(OPEN)
    choose(page, picture, pictures / "cat.png")
    note = page.locator(".slot .changed")
    expect(note).to_contain_text("Converted from", ignore_case=True)
    expect(note).to_contain_text(format_, ignore_case=True)
    compare(page)
    assert similarity(page) > 0.95


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("IMG_1.HEIC", b"\0\0\0\x18ftypheic" + bytes(64), "This browser can't read HEIC."),
        ("scan.tif", b"II*\0" + bytes(64), "This browser can't read TIFF."),
        ("no-picture.jpg", b"this is no picture", "This file is not a picture that this browser can read."),
        ("empty.png", b"", "This file is empty."),
    ],
    ids=["heic", "tiff", "text", "empty"],
)
def test_what_can_not_be_read_is_told_once_at_its_place(
    open_page: Open, keep: Keep, pictures: Path, tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    (tmp_path / name).write_bytes(content)
    page = open_page(OPEN)
    choose(page, pictures / "cat.png", tmp_path / name)
    failure = page.locator(".failure")
    expect(failure).to_have_count(1)
    expect(page.locator(".slot").nth(1).locator(".failure")).to_contain_text(message)
    expect(page.get_by_role("button", name="Compare")).to_be_disabled()
    keep(page, "refused")
    page.get_by_label("Second picture", exact=True).set_input_files(pictures / "coffee.jpg")
    expect(failure).to_have_count(0)
    compare(page)


def test_what_is_dropped_before_there_are_credentials_is_answered(open_page: Open, pictures: Path) -> None:
    page = open_page(f"{OPEN} APIGatewayAuthorization=AWS_IAM")
    dropped = transfer(page, pictures / "coffee.jpg")
    page.locator("body").dispatch_event("drop", {"dataTransfer": dropped})
    expect(page.locator("#signing-note")).to_contain_text("Give credentials first")
    expect(page.locator("#paste")).to_be_focused()
