"""The page at `/` in a real browser, with the answers of the endpoint put in by the test."""

import json
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest

from tests.support.browser import CHROMIUM, Browser, browser

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium or Chrome is installed")

HEALTH = {
    "status": "ok",
    "engine": "d1",
    "base": "tiny",
    "license": "mit",
    "source": "eng_Latn",
    "target": "tam_Taml",
    "routes": [],
}
TRANSLATED = {"translations": [{"text": "மருத்துவமனை"}], "engine": "d1"}


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Browser]:
    """Open the page; without a server, its first request fails."""
    file = tmp_path / "page.html"
    html = files("nmt.serving.web").joinpath("page.html").read_text(encoding="utf-8")
    file.write_text(html, encoding="utf-8")
    with browser(tmp_path / "profile") as window:
        window.open(file)
        yield window


def answer(page: Browser, status: int, body: object, **headers: str) -> None:
    """Give this answer to every request from now on; text is sent as it is."""
    text = body if isinstance(body, str) else json.dumps(body)
    page.evaluate(
        "window.fetch = async (path, options) => { window.sent = options?.headers; return new "
        f"Response({json.dumps(text)}, {{status: {status}, headers: {json.dumps(headers)}}}); }}"
    )


def translate(page: Browser) -> None:
    page.evaluate("at('go').focus(); at('source').value = 'Hospital'; at('go').click()")
    page.wait_for("at('go').ariaDisabled === 'false'")


def text(page: Browser, name: str) -> str:
    return page.evaluate(f"at('{name}').hidden ? '' : at('{name}').textContent")


def test_an_error_is_shown_without_losing_the_translation_or_the_focus(page: Browser) -> None:
    assert text(page, "error") == "The service cannot be reached."
    answer(page, 200, HEALTH)
    # The page asks again by itself.
    page.wait_for("at('engine').textContent === 'd1'")
    assert text(page, "error") == ""

    answer(page, 200, TRANSLATED)
    translate(page)
    assert text(page, "target") == "மருத்துவமனை"
    assert page.evaluate("document.activeElement.id") == "go"

    answer(page, 413, {"error": "too long", "code": "too_large"})
    translate(page)
    assert text(page, "error") == "too long"
    assert text(page, "target") == "மருத்துவமனை"
    assert page.evaluate("document.activeElement.id") == "go"

    answer(page, 503, "<html>no server</html>", **{"Retry-After": "1"})
    translate(page)
    assert text(page, "error") == "The service answered with status 503. Try again in 1 s."

    answer(page, 401, {"error": "no key", "code": "unauthorized"})
    translate(page)
    assert page.evaluate("!at('key-row').hidden && at('key').offsetHeight > 0")
    page.evaluate("at('key').value = 'nmt_1_2'")
    answer(page, 200, TRANSLATED)
    translate(page)
    assert page.evaluate("window.sent.Authorization") == "Bearer nmt_1_2"
    assert text(page, "error") == ""
