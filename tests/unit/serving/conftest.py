"""The browser and the application for the tests of the page, and a replica's world."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from nmt.serving.web.app import build_app
from tests.support.browser import open_browser
from tests.support.live import live
from tests.support.replica import world
from tests.support.web import CONFIG, FakeTranslator

__all__ = ["browser", "url", "world"]


# Not of the session: while Playwright runs, a test cannot run an event loop of its own.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as browser:
        yield browser


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """Serve the application, and return its address."""
    with live(build_app(FakeTranslator(), CONFIG)) as url:
        yield url
