"""A whole folder: its groups, its matrix, what happens to single pictures, and to the requests."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, Request, Route, expect
from skimage import data

from tests.browser.conftest import Open
from tests.browser.test_quality import overflow, violations
from tests.browser.test_safety import Held

Keep = Callable[[Page, str], None]
OPEN = "ImageSimilarity=yes-lambda"
SOURCES = ("chelsea", "coffee", "astronaut", "rocket")
PATIENCE_MS = 60_000


@pytest.fixture(scope="session")
def holidays(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four pictures, smaller copies of two in a folder within, an AVIF, a broken one, what is no picture."""
    folder = tmp_path_factory.mktemp("chosen") / "holidays"
    (folder / "copies").mkdir(parents=True)
    for name in SOURCES:
        picture = Image.fromarray(getattr(data, name)())
        picture.save(folder / f"{name}.jpg")
        if name in SOURCES[:2]:
            smaller = picture.resize((picture.width // 2, picture.height // 2))
            smaller.save(folder / "copies" / f"{name}.jpg", quality=60)
        if name == "rocket":
            picture.save(folder / "rocket.avif")
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 this is no picture")
    (folder / "notes.txt").write_text("no picture, and no file of one")
    (folder / "._chelsea.jpg").write_bytes(b"what macOS leaves beside it")
    return folder


def take(page: Page, folder: Path) -> None:
    page.locator("#folder-files").set_input_files(folder)


def results(page: Page) -> None:
    page.locator(".matrix-area").wait_for(timeout=PATIENCE_MS)


def grouped(page: Page) -> list[list[str]]:
    return [
        sorted(card.locator(".path").all_inner_texts()) for card in page.locator(".group-list > li").all()
    ]


def sizes(request: Request) -> tuple[int, int]:
    """The images of a request, and its bytes."""
    body = request.post_data or ""
    return len(json.loads(body)["images"]), len(body)


def batches_of(page: Page, folder: Path) -> list[tuple[int, int]]:
    """Take a folder: the images and the bytes of each request that it is sent in."""
    sent: list[Request] = []
    page.on("request", lambda request: sent.append(request) if request.method == "POST" else None)
    take(page, folder)
    results(page)
    return [sizes(request) for request in sent]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1200, 320])
def test_groups_and_matrix(open_page: Open, keep: Keep, holidays: Path, scheme: str, width: int) -> None:
    page = open_page(OPEN, width=width, scheme=scheme)
    take(page, holidays)
    results(page)
    assert sorted(grouped(page)) == [
        ["chelsea.jpg", "copies/chelsea.jpg"],
        ["coffee.jpg", "copies/coffee.jpg"],
        ["rocket.avif", "rocket.jpg"],
    ]
    assert page.locator(".group-list strong").all_inner_texts() == ["largest"] * 3
    assert page.locator(".matrix tbody tr").count() == 7
    page.get_by_text("One picture could not be used").click()
    expect(page.locator(".remarks.unusable")).to_contain_text("broken.jpg")
    expect(page.locator(".remarks.unusable .failure-title")).to_have_text("The API can't read this picture.")
    page.get_by_text("One picture was made smaller or converted").click()
    expect(page.locator(".remarks").first).to_contain_text("rocket.avif Converted from AVIF to JPEG")
    page.locator(".matrix tbody td[data-pair]").nth(1).hover()
    expect(page.locator(".pair .number")).to_be_visible()
    keep(page, "matrix")
    assert violations(page) == []
    assert overflow(page) == 0


def test_the_threshold_regroups_and_is_never_chained_below(open_page: Open, holidays: Path) -> None:
    page = open_page(OPEN)
    take(page, holidays)
    results(page)
    page.get_by_label("Find").select_option("everything from one scene")
    assert page.get_by_label("Lowest similarity in a group").input_value() == "0.80"
    page.get_by_label("Lowest similarity in a group").fill("1")
    page.get_by_label("Lowest similarity in a group").press("Tab")
    expect(page.locator(".groups")).to_have_text("No two pictures reach 1.00.")
    page.get_by_label("Lowest similarity in a group").fill("0")
    page.get_by_label("Lowest similarity in a group").press("Tab")
    assert [len(group) for group in grouped(page)] == [7]


def test_the_groups_can_be_downloaded(open_page: Open, holidays: Path, tmp_path: Path) -> None:
    page = open_page(OPEN)
    take(page, holidays)
    results(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download the groups").click()
    download.value.save_as(tmp_path / "groups.json")
    saved = json.loads((tmp_path / "groups.json").read_text())
    assert saved["threshold"] == 0.91
    assert saved["model"].startswith("embedded/")
    assert sorted(sorted(group["pictures"]) for group in saved["groups"]) == sorted(grouped(page))
    assert all(group["lowest"] >= saved["threshold"] for group in saved["groups"])


def test_a_pair_opens_in_the_comparison(open_page: Open, holidays: Path) -> None:
    page = open_page(OPEN)
    take(page, holidays)
    results(page)
    page.locator(".matrix tbody td[data-pair]").nth(1).click()
    score = page.locator(".pair .number").inner_text()
    page.get_by_role("button", name="Open in the comparison").click()
    assert page.evaluate("document.activeElement.id") == "send"
    page.keyboard.press("Enter")
    page.wait_for_selector("#outcome .number")
    assert float(page.locator("#outcome .number").inner_text()) == pytest.approx(float(score), abs=0.005)


def test_a_dropped_folder_is_read_with_its_folders(open_page: Open, holidays: Path) -> None:
    """By the browser's own drag and drop: scripts can't make the entry of a folder."""
    page = open_page(OPEN)
    session = page.context.new_cdp_session(page)
    for kind in ("dragEnter", "dragOver", "drop"):
        session.send(
            "Input.dispatchDragEvent",
            {
                "type": kind,
                "x": 300,
                "y": 300,
                "data": {"items": [], "files": [str(holidays)], "dragOperationsMask": 1},
            },
        )
    results(page)
    assert len(grouped(page)) == 3


def test_many_go_in_batches_within_the_limits(open_page: Open, keep: Keep, tmp_path: Path) -> None:
    """70 small pictures: by number. The keyboard reads the drawing that so many become."""
    folder = tmp_path / "many"
    folder.mkdir()
    coffee = Image.fromarray(data.coffee())
    for number in range(70):
        coffee.crop((number, 0, 300 + number, 300)).resize((64, 64)).save(folder / f"{number}.png")
    page = open_page(OPEN)
    batches = batches_of(page, folder)
    assert sum(images for images, _ in batches) == 70
    assert len(batches) == 3
    page.locator("canvas").press("ArrowDown")
    expect(page.locator(".pair .path")).to_have_count(2)
    keep(page, "many")
    assert violations(page) == []


def test_large_ones_go_in_batches_of_five_mebibytes(open_page: Open, tmp_path: Path) -> None:
    folder = tmp_path / "large"
    folder.mkdir()
    for number in range(16):
        Image.effect_noise((600, 600), 90 + number).save(folder / f"{number}.png")
    assert sum(file.stat().st_size for file in folder.iterdir()) > 4 * 1024**2
    page = open_page(OPEN)
    batches = batches_of(page, folder)
    assert sum(images for images, _ in batches) == 16
    assert len(batches) > 1
    assert max(size for _, size in batches) <= 5 * 1024**2


def test_cancelled_and_continued(open_page: Open, keep: Keep, holidays: Path) -> None:
    page = open_page(OPEN)
    held = Held(page)
    take(page, holidays)
    held.wait_for(1)
    expect(page.get_by_role("progressbar")).to_be_visible()
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("#folder-outcome")).to_contain_text("8 pictures were not sent yet")
    keep(page, "cancelled")
    page.unroute_all()
    page.get_by_role("button", name="Continue").click()
    results(page)
    assert len(grouped(page)) == 3


def test_a_busy_api_is_asked_again(open_page: Open, holidays: Path) -> None:
    page = open_page(OPEN)
    refusals: list[Route] = []

    def refuse_once(route: Route) -> None:
        if refusals:
            route.continue_()
        else:
            refusals.append(route)
            busy = {"code": "TooManyRequests", "message": "Too many at once.", "requestId": "1"}
            route.fulfill(status=429, json=busy, headers={"Retry-After": "1"})

    page.route("**/image-similarity", refuse_once)
    take(page, holidays)
    results(page)
    assert len(grouped(page)) == 3


def test_what_fails_is_told_once_and_can_go_on(open_page: Open, keep: Keep, holidays: Path) -> None:
    page = open_page(OPEN)
    broken = {"code": "InternalError", "message": "Something failed on our side.", "requestId": "id-1"}
    page.route("**/image-similarity", lambda route: route.fulfill(status=500, json=broken))
    take(page, holidays)
    expect(page.locator("#folder-outcome .failure")).to_have_count(1)
    expect(page.locator("#folder-outcome .failure")).to_contain_text("id-1")
    keep(page, "failed")
    page.unroute_all()
    page.get_by_role("button", name="Continue").click()
    results(page)
    expect(page.locator("#folder-outcome > .failure")).to_have_count(0)


def test_a_new_folder_takes_the_place_of_the_old_answer(
    open_page: Open, holidays: Path, pictures: Path
) -> None:
    page = open_page(OPEN)
    held = Held(page)
    take(page, holidays)
    held.wait_for(1)
    take(page, pictures)
    held.wait_for(2)
    held.let_go(1)
    results(page)
    shown = page.locator(".matrix thead img").evaluate_all("all => all.map(({ alt }) => alt)")
    assert sorted(shown) == ["cat.png", "coffee.jpg", 'it\'s $1 "cup".jpg', "mirrored.jpg"]


def test_a_folder_without_pictures(open_page: Open, tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "notes.txt").write_text("no picture")
    page = open_page(OPEN)
    take(page, tmp_path / "notes")
    expect(page.locator("#folder-outcome .failure")).to_contain_text("There is no picture in what you chose")


NO_PICTURE = "There is no picture in what you chose"
HOLD_PAUSES = """() => {
  const { setTimeout } = globalThis;
  globalThis.pauses = [];
  globalThis.setTimeout = (call, ...rest) =>
    rest.length > 0 ? setTimeout(call, ...rest) : globalThis.pauses.push(call);
}"""


def test_a_folder_that_is_still_compared_does_not_take_the_place_of_a_new_one(
    open_page: Open, tmp_path: Path
) -> None:
    """The scores of many pictures are computed with pauses, in which people go on."""
    (many := tmp_path / "many").mkdir()
    (none := tmp_path / "none").mkdir()
    (none / "notes.txt").write_text("no picture")
    cup = Image.fromarray(data.coffee())
    for number in range(65):
        cup.crop((number, 0, 300 + number, 300)).resize((32, 32)).save(many / f"{number}.png")
    page = open_page(OPEN)
    page.evaluate(HOLD_PAUSES)
    take(page, many)
    while page.evaluate("globalThis.pauses.length") == 0:
        page.wait_for_timeout(20)
    take(page, none)
    expect(page.locator("#folder-outcome .failure")).to_contain_text(NO_PICTURE)
    page.evaluate("globalThis.pauses.splice(0).forEach((call) => call())")
    page.wait_for_timeout(500)
    expect(page.locator("#folder-outcome .failure")).to_contain_text(NO_PICTURE)
    expect(page.locator(".matrix-area")).to_have_count(0)


def test_vectors_of_two_models_are_never_compared(open_page: Open, tmp_path: Path) -> None:
    """The model changes between two batches: all pictures are sent again."""
    (many := tmp_path / "many").mkdir()
    cup = Image.fromarray(data.coffee())
    for number in range(40):
        cup.crop((number, 0, 300 + number, 300)).resize((32, 32)).save(many / f"{number}.png")
    page = open_page(OPEN)
    sent: list[int] = []

    def by_another_model_from_the_second_on(route: Route) -> None:
        sent.append(sizes(route.request)[0])
        response = route.fetch()
        changed = {} if len(sent) == 1 else {"x-model": "another/model"}
        route.fulfill(response=response, headers=response.headers | changed)

    page.route("**/image-similarity", by_another_model_from_the_second_on)
    take(page, many)
    failure = page.locator("#folder-outcome .failure")
    expect(failure).to_contain_text("The API's model has changed", timeout=PATIENCE_MS)
    expect(page.locator("#folder-outcome")).to_contain_text("40 pictures were not sent yet")
    page.get_by_role("button", name="Continue").click()
    results(page)
    assert sum(sent[2:]) == 40


# What Chromium gives for a folder, where one file left after the folder was dropped.
DROP_A_FOLDER_WITH_A_FILE_THAT_IS_GONE = """() => {
  const gone = new DOMException("gone", "NotFoundError");
  const file = { name: "gone.jpg", fullPath: "/photos/gone.jpg", file: (_, reject) => reject(gone) };
  const given = [[file], []];
  const reader = { readEntries: (resolve) => resolve(given.shift()) };
  const folder = { isDirectory: true, createReader: () => reader };
  const dataTransfer = { items: [{ webkitGetAsEntry: () => folder }], files: [] };
  document.body.dispatchEvent(Object.assign(new Event("drop", { bubbles: true }), { dataTransfer }));
}"""


def test_what_can_not_be_listed_is_told(open_page: Open) -> None:
    """A file that left after the folder was dropped, or one that may not be read."""
    page = open_page(OPEN)
    page.evaluate(DROP_A_FOLDER_WITH_A_FILE_THAT_IS_GONE)
    page.locator("summary", has_text="One picture could not be used").click()
    expect(page.locator(".remarks.unusable")).to_contain_text("gone.jpg")
    expect(page.locator(".remarks.unusable .failure-title")).to_contain_text("can no longer be read")
