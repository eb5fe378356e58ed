"""A real browser for tests of a page: the Chromium of the machine, driven by Playwright."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium or Chrome is installed")


@contextmanager
def open_browser() -> Iterator[Browser]:
    """Start the browser, and end it."""
    assert CHROMIUM
    with sync_playwright() as playwright:
        # Chromium refuses to start its sandbox as root, as in a container.
        browser = playwright.chromium.launch(executable_path=CHROMIUM, chromium_sandbox=False)
        try:
            yield browser
        finally:
            browser.close()


def errors_of(page: Page) -> list[str]:
    """Return a list that gets what goes wrong in a page from now on.

    These are exceptions of scripts, errors that the browser writes to the console, and refusals of
    the page's policy.
    """
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda each: errors.append(each.text) if each.type == "error" else None)
    return errors
