"""What a person does in Swagger UI, step by step."""

from typing import Any

from playwright.sync_api import Locator, Page

OPERATION = "#operations-Image_similarity-imageSimilarity"
KEYS = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "example-secret"}
SESSION = {**KEYS, "AWS_SESSION_TOKEN": "example-token"}


def operation(page: Page) -> Locator:
    return page.locator(OPERATION)


def expand(page: Page) -> Locator:
    """Step 5: the down arrow beside the API."""
    found = operation(page)
    found.locator(".opblock-control-arrow").click()
    found.locator(".opblock-body").wait_for()
    return found


def try_it_out(page: Page) -> Locator:
    found = expand(page)
    found.get_by_role("button", name="Try it out").click()
    found.get_by_role("textbox", name="Request body").wait_for()
    return found


def choose_example(found: Locator, title: str) -> None:
    found.locator(".opblock-section-request-body .examples-select-element").select_option(title)


def execute(found: Locator) -> int:
    """Step 7; the status of the answer."""
    found.get_by_role("button", name="Execute").click()
    return int(found.locator(".live-responses-table .response .response-col_status").inner_text().split()[0])


def response_body(found: Locator) -> Locator:
    return found.locator(
        ".live-responses-table .response .response-col_description .highlight-code code"
    ).first


def sign(page: Page, keys: dict[str, str], **changed: str) -> None:
    """Fill in the form of the credentials and submit it."""
    fields: dict[str, Any] = {
        "Access key id": keys["AWS_ACCESS_KEY_ID"],
        "Secret access key": keys["AWS_SECRET_ACCESS_KEY"],
        "Session token": keys.get("AWS_SESSION_TOKEN", ""),
        **changed,
    }
    for label, value in fields.items():
        page.get_by_label(label).fill(value)
    page.get_by_role("button", name="Use these credentials").click()


def paste(page: Page, text: str) -> None:
    """Paste credentials from the clipboard."""
    page.evaluate("text => navigator.clipboard.writeText(text)", text)
    page.locator("#paste").focus()
    page.keyboard.press("Control+V")
