"""Chromium on the local stack's Explorer. Every page is watched: no error, no request to another host."""

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright
from skimage import data, io, transform

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "test-results"
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
FLAGS = [
    "--no-sandbox",  # the tests may run as root
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE_MS = 60_000
expect.set_options(timeout=PATIENCE_MS)  # five seconds otherwise, which a busy machine may need
Open = Callable[..., Page]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker("browser")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield running
        running.close()


@pytest.fixture
def open_page(browser: Browser, local_stack: Callable[..., str]) -> Iterator[Open]:
    """`open_page(parameters, environment, stage=..., width=..., ...)` gives the Explorer, loaded."""
    complaints: list[str] = []
    contexts = []

    def listen(page: Page, host: str) -> None:
        def on_console(message: ConsoleMessage) -> None:
            # An answer of 4xx is what some tests provoke; Chromium reports it as a failed resource.
            if message.type == "error" and "Failed to load resource" not in message.text:
                complaints.append(message.text)

        page.on("console", on_console)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "request",
            lambda request: (
                complaints.append(f"third party: {request.url}")
                if urlsplit(request.url).netloc not in ("", host)
                else None
            ),
        )

    def open_(
        parameters: str = "",
        environment: dict[str, str] | None = None,
        *,
        stage: str = "prod",
        width: int = 1200,
        scheme: Literal["light", "dark"] = "light",
        locale: str = "en-GB",
    ) -> Page:
        origin = local_stack(parameters, environment or {})
        context = browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme=scheme,
            locale=locale,
            permissions=["clipboard-read", "clipboard-write"],
        )
        context.set_default_timeout(PATIENCE_MS)
        contexts.append(context)
        page = context.new_page()
        listen(page, urlsplit(origin).netloc)
        page.goto(f"{origin}/{stage}/api-explorer")
        expect(page.locator("#status")).not_to_have_attribute("data-t", "status.loading")
        return page

    yield open_
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def keep(request: pytest.FixtureRequest) -> Callable[[Page, str], None]:
    """Keep a screenshot of the whole page under the test's name in test-results/."""

    def save(page: Page, what: str) -> None:
        RESULTS.mkdir(exist_ok=True)
        name = re.sub(r"[^\w-]+", "-", f"{request.node.name}-{what}").strip("-")
        page.screenshot(path=RESULTS / f"{name}.png", full_page=True)

    return save


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """cat.png and coffee.jpg, a name that needs quoting, and a text that is no picture."""
    folder = tmp_path_factory.mktemp("chosen")
    io.imsave(folder / "cat.png", data.chelsea())
    io.imsave(folder / 'it\'s $1 "cup".jpg', data.coffee(), check_contrast=False)
    io.imsave(folder / "coffee.jpg", data.coffee())
    mirrored = transform.resize(data.chelsea()[:, ::-1], (200, 300), preserve_range=True).astype("uint8")
    io.imsave(folder / "mirrored.jpg", mirrored)
    (folder / "no-picture.jpg").write_text("this is no picture")
    (folder / "large.jpg").write_bytes(bytes(4 * 1024**2))
    return folder
