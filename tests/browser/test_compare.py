"""Two pictures from disk, their similarity, and the same call in code."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Open
from tests.browser.steps import SESSION, sign
from tests.support.filled import answer, run

Keep = Callable[[Page, str], None]
SCRIPTS = {"curl": "call.sh", "Python": "call.py", "JavaScript": "call.mjs"}


def choose(page: Page, *files: Path) -> None:
    for label, file in zip(("First picture", "Second picture"), files, strict=False):
        page.get_by_label(label).set_input_files(file)


def similarity(page: Page) -> float:
    text = page.locator("#outcome .number").inner_text()
    return float(text.removeprefix("Similarity "))


@pytest.mark.parametrize("backend", ["yes-lambda", "yes-sagemaker"])
def test_two_pictures_from_disk(open_page: Open, keep: Keep, pictures: Path, backend: str) -> None:
    page = open_page(f"ImageSimilarity={backend}")
    choose(page, pictures / "cat.png", pictures / "mirrored.jpg")
    for name in ("cat.png", "mirrored.jpg"):
        expect(page.get_by_role("img", name=name)).to_be_visible()
    page.get_by_role("button", name="Compare").click()
    page.wait_for_selector("#outcome meter")
    assert 0.9 < similarity(page) < 1
    expect(page.locator("#outcome")).to_contain_text(re.compile(r"Answered in \d+ ms \(on the server: fetch"))
    expect(page.locator("#outcome")).to_contain_text("Model: embedded/")
    keep(page, "alike")
    choose(page, pictures / "cat.png", pictures / "coffee.jpg")
    page.get_by_role("button", name="Compare").click()
    page.wait_for_selector("#outcome meter")
    assert similarity(page) < 0.8


def test_one_picture_gives_its_vector(open_page: Open, keep: Keep, pictures: Path, tmp_path: Path) -> None:
    page = open_page("ImageSimilarity=yes-lambda")
    choose(page, pictures / "cat.png")
    page.get_by_role("button", name="Get the vector").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the vector").click()
    download.value.save_as(tmp_path / "vector.json")
    assert len(json.loads((tmp_path / "vector.json").read_text())) == 512
    keep(page, "vector")
    page.get_by_role("button", name="Remove the pictures").click()
    expect(page.get_by_role("button", name="Compare")).to_be_disabled()


def test_pictures_can_be_dropped(open_page: Open, pictures: Path) -> None:
    page = open_page("ImageSimilarity=yes-lambda")
    content = list((pictures / "coffee.jpg").read_bytes())
    transfer = page.evaluate_handle(
        """bytes => {
          const transfer = new DataTransfer();
          transfer.items.add(new File([new Uint8Array(bytes)], "dropped.jpg", { type: "image/jpeg" }));
          return transfer;
        }""",
        content,
    )
    for slot in page.locator(".slot").all():
        slot.dispatch_event("drop", {"dataTransfer": transfer})
    page.get_by_role("button", name="Compare").click()
    page.wait_for_selector("#outcome meter")
    assert similarity(page) == 1.0


@pytest.mark.parametrize(
    ("name", "sentence"),
    [("no-picture.jpg", "InvalidImage (400): img"), ("large.jpg", "a request may have 5 MiB")],
)
def test_a_failure_says_what_to_do(
    open_page: Open, keep: Keep, pictures: Path, name: str, sentence: str
) -> None:
    page = open_page("ImageSimilarity=yes-lambda")
    choose(page, pictures / name)
    page.get_by_role("button", name="Get the vector").click()
    expect(page.locator("#outcome .failure")).to_contain_text(sentence)
    keep(page, "failure")


def copied_code(page: Page, language: str) -> str:
    if not page.locator("#snippet").is_visible():
        page.get_by_text("The same call in code").click()
    page.get_by_label("Language").select_option(language)
    page.get_by_role("button", name="Copy", exact=True).click()
    expect(page.locator("#copied")).to_have_text("Copied.")
    text: str = page.evaluate("navigator.clipboard.readText()")
    return text


@pytest.mark.parametrize("language", [*SCRIPTS, "Java"])
def test_the_copied_code_gives_what_the_page_shows(
    open_page: Open, pictures: Path, tmp_path: Path, language: str
) -> None:
    page = open_page("ImageSimilarity=yes-lambda")
    choose(page, pictures / "cat.png", pictures / 'it\'s $1 "cup".jpg')
    page.get_by_role("button", name="Compare").click()
    page.wait_for_selector("#outcome meter")
    script = tmp_path / SCRIPTS.get(language, "OpenCall.java")
    script.write_text(copied_code(page, language), "utf-8")
    assert answer(run(script, pictures, {}))["similarity"] == pytest.approx(similarity(page), abs=1e-5)


@pytest.mark.parametrize("language", ["curl", "Python", "Java"])
def test_the_copied_code_signs_where_the_api_asks(
    open_page: Open, pictures: Path, tmp_path: Path, language: str
) -> None:
    page = open_page("ImageSimilarity=yes-lambda APIGatewayAuthorization=AWS_IAM", SESSION)
    sign(page, SESSION)
    choose(page, pictures / "cat.png", pictures / "mirrored.jpg")
    page.get_by_role("button", name="Compare").click()
    page.wait_for_selector("#outcome meter")
    code = copied_code(page, language)
    assert SESSION["AWS_SECRET_ACCESS_KEY"] not in code
    script = tmp_path / SCRIPTS.get(language, "SignedCall.java")
    script.write_text(code, "utf-8")
    assert answer(run(script, pictures, SESSION))["similarity"] == pytest.approx(similarity(page), abs=1e-5)


def test_a_wrong_key_is_told_at_the_pictures_too(open_page: Open, pictures: Path) -> None:
    page = open_page("ImageSimilarity=yes-lambda APIGatewayAuthorization=AWS_IAM", SESSION)
    sign(page, SESSION, **{"Secret access key": "wrong"})
    choose(page, pictures / "cat.png")
    page.get_by_role("button", name="Get the vector").click()
    expect(page.locator("#outcome .failure")).to_contain_text("Forbidden (403)")
    expect(page.locator("#signing-note")).to_contain_text("The API refused the signature")


def test_the_page_and_a_plain_client_get_the_same(
    open_page: Open, local_stack: Callable[..., str], pictures: Path
) -> None:
    page = open_page("ImageSimilarity=yes-lambda")
    page.get_by_role("button", name="Take the example pictures").click()
    page.get_by_role("button", name="Compare").click()
    page.wait_for_selector("#outcome meter")
    origin = local_stack("ImageSimilarity=yes-lambda", {})
    document = httpx.get(f"{origin}/prod/api-explorer/openapi.json", trust_env=False).json()
    examples = document["components"]["requestBodies"]["Images"]["content"]["application/json"]["examples"]
    url = f"{origin}/prod/image-similarity"
    asked = httpx.post(url, json=examples["similar"]["value"], trust_env=False, timeout=30).json()
    assert similarity(page) == pytest.approx(asked["similarity"], abs=1e-6)
