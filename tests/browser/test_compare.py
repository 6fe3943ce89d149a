"""Two pictures from disk, their similarity, and the same call in code."""

import ast
import json
import re
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import Open
from tests.browser.steps import SESSION, sign
from tests.support.filled import answer, run

Keep = Callable[[Page, str], None]
SCRIPTS = {"curl": "call.sh", "Python": "call.py", "JavaScript": "call.mjs"}


def choose(page: Page, *files: Path) -> None:
    for label, file in zip(("First picture", "Second picture"), files, strict=False):
        page.get_by_label(label, exact=True).set_input_files(file)


def compare(page: Page) -> None:
    page.get_by_role("button", name="Compare").click()
    page.wait_for_selector("#outcome .number")


def similarity(page: Page) -> float:
    """The exact number, which the page keeps folded."""
    return float(page.locator("#outcome dd").first.text_content() or "")


@pytest.mark.parametrize("backend", ["yes-lambda", "yes-sagemaker"])
def test_two_pictures_from_disk(open_page: Open, keep: Keep, pictures: Path, backend: str) -> None:
    page = open_page(f"ImageSimilarity={backend}")
    choose(page, pictures / "cat.png", pictures / "mirrored.jpg")
    for name in ("cat.png", "mirrored.jpg"):
        expect(page.get_by_role("img", name=name)).to_be_visible()
    compare(page)
    assert 0.9 < similarity(page) < 1
    expect(page.locator("#outcome .verdict")).to_have_text("A copy")
    assert page.locator("#outcome .number").inner_text() == f"{similarity(page):.3f}"
    expect(page.locator("#outcome dd").first).to_be_hidden()
    page.get_by_text("Exact number and details").click()
    expect(page.locator("#outcome .details")).to_contain_text(re.compile(r"Answered in\s*\d+ ms"))
    expect(page.locator("#outcome .details")).to_contain_text("fetch ")
    expect(page.locator("#outcome .details")).to_contain_text("embedded/")
    keep(page, "alike")
    choose(page, pictures / "cat.png", pictures / "coffee.jpg")
    compare(page)
    assert similarity(page) < 0.8
    expect(page.locator("#outcome .verdict")).to_have_text("Unrelated")
    expect(page.locator("#outcome .part.here")).to_have_class("part unrelated here")


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


def test_a_failure_says_what_to_do(open_page: Open, keep: Keep, pictures: Path) -> None:
    page = open_page("ImageSimilarity=yes-lambda")
    page.get_by_label("Address of the first picture").fill("https://127.0.0.1/cat.jpg")
    page.get_by_role("button", name="Get the vector").click()
    failure = page.locator("#outcome .failure")
    expect(failure).to_contain_text("The API may not fetch this address.")
    expect(failure).to_contain_text("url: the host's address is not a public one")
    expect(failure).to_contain_text("SourceNotAllowed · 400")
    keep(page, "failure")


def test_an_address_and_a_file_are_compared(open_page: Open, pictures: Path) -> None:
    """Nothing is fetched in tests: what is sent is looked at, and the answer is a plain one."""
    page = open_page("ImageSimilarity=yes-lambda")
    bodies: list[dict[str, str]] = []

    def answer_it(route: Route) -> None:
        bodies.append(json.loads(route.request.post_data or ""))
        route.fulfill(json={"similarity": 0.75})

    page.route("**/image-similarity", answer_it)
    page.get_by_label("Address of the second picture").fill("s3://photos/cat.jpg")
    choose(page, pictures / "cat.png")
    compare(page)
    assert sorted(bodies[0]) == ["img_1", "url_2"]
    assert bodies[0]["url_2"] == "s3://photos/cat.jpg"
    expect(page.locator("#code")).to_be_hidden()  # the samples read files
    page.get_by_role("button", name="Swap").click()
    expect(page.get_by_label("Address of the first picture")).to_have_value("s3://photos/cat.jpg")
    expect(page.locator("#outcome")).to_have_text("")


def copied_code(page: Page, language: str) -> str:
    if not page.locator("#snippet").is_visible():
        page.get_by_text("The same call in code").click()
    page.get_by_role("combobox", name="Language").select_option(language)
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
    compare(page)
    script = tmp_path / SCRIPTS.get(language, "OpenCall.java")
    script.write_text(copied_code(page, language), "utf-8")
    assert answer(run(script, pictures, {}))["similarity"] == pytest.approx(similarity(page), abs=1e-5)


def test_a_file_name_is_never_code(open_page: Open, tmp_path: Path) -> None:
    """This one has in it what the shell's example has in the place of the names."""
    name = """'cat.jpg' 'other.jpg'"]; raise SystemExit(7) #.png"""
    (tmp_path / name).write_bytes(b"BM")
    page = open_page("ImageSimilarity=yes-lambda")
    choose(page, tmp_path / name)
    code = ast.parse(copied_code(page, "Python"))
    assigned = [node.value for node in code.body if isinstance(node, ast.Assign)]
    assert [name] in [ast.literal_eval(value) for value in assigned if isinstance(value, ast.List)]


@pytest.mark.parametrize("language", ["curl", "Python", "Java"])
def test_the_copied_code_signs_where_the_api_asks(
    open_page: Open, pictures: Path, tmp_path: Path, language: str
) -> None:
    page = open_page("ImageSimilarity=yes-lambda APIGatewayAuthorization=AWS_IAM", SESSION)
    sign(page, SESSION)
    choose(page, pictures / "cat.png", pictures / "mirrored.jpg")
    compare(page)
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
    expect(page.locator("#outcome .failure")).to_contain_text("The secret does not belong to the key")


def test_the_page_and_a_plain_client_get_the_same(
    open_page: Open, local_stack: Callable[..., str], pictures: Path
) -> None:
    page = open_page("ImageSimilarity=yes-lambda")
    page.get_by_role("button", name="Use the example pictures").click()
    compare(page)
    origin = local_stack("ImageSimilarity=yes-lambda", {})
    document = httpx.get(f"{origin}/prod/api-explorer/openapi.json", trust_env=False).json()
    examples = document["components"]["requestBodies"]["Images"]["content"]["application/json"]["examples"]
    url = f"{origin}/prod/image-similarity"
    asked = httpx.post(url, json=examples["similar"]["value"], trust_env=False, timeout=30).json()
    assert similarity(page) == pytest.approx(asked["similarity"], abs=1e-6)
