"""The page and the application understand each other, without an answer put in by the test."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from nmt.config import ServingConfig
from nmt.serving.feedback.store import FeedbackStore
from nmt.serving.types import ServedRoute
from nmt.serving.web.app import build_app
from nmt.storage import Storage
from tests.support.browser import needs_browser
from tests.support.live import live
from tests.support.page import TranslatePage, open_page
from tests.support.web import ROUTE, FakeTranslator

pytestmark = needs_browser

REVERSE = ServedRoute("tam_Taml-eng_Latn", "tam_Taml", "eng_Latn", None, "d2", "tiny", "mit")
TEXT = "The doctor is at home.\n\nWhere is the hospital?"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the storage root."""
    return tmp_path_factory.mktemp("storage")


@pytest.fixture(scope="module")
def url(root: Path) -> Iterator[str]:
    config = ServingConfig(feedback=True)
    feedback = FeedbackStore(Storage(str(root)), config.name, "r1")
    with live(build_app(FakeTranslator(ROUTE, REVERSE), config, feedback=feedback)) as url:
        yield url


@pytest.fixture
def page(browser: Browser, url: str) -> Iterator[TranslatePage]:
    with open_page(browser, url) as page:
        page.open()
        yield page
        assert page.errors == []


def test_a_text_is_translated_with_its_confidence(page):
    page.translate(TEXT)
    assert page.texts(".translation") == ["THE DOCTOR IS AT HOME.", "WHERE IS THE HOSPITAL?"]
    assert len(page.texts(".confidence")) == 2
    assert page.texts("#count") == [f"{len(TEXT)} of 20,000 characters"]


def test_alternatives_are_found(page):
    page.translate(TEXT)
    page.page.get_by_role("button", name="Alternatives").first.click()
    expect(page.page.locator(".alternatives:visible button")).not_to_have_count(0)


def test_the_language_is_detected(page):
    page.page.select_option("#source-language", "auto")
    page.page.select_option("#target-language", "eng_Latn")
    page.translate("மருத்துவர் எங்கே இருக்கிறார்?")
    assert page.error() == ""
    expect(page.page.locator("#results")).to_contain_text("Tamil detected")


def test_a_glossary_is_taken(page):
    page.page.get_by_text("Glossary", exact=True).click()
    page.page.fill("#terms", "doctor = மருத்துவர்")
    page.translate("The doctor is at home.")
    assert page.error() == ""
    expect(page.page.locator(".marks")).to_contain_text("doctor → மருத்துவர்")


def test_a_rating_and_a_correction_are_stored(page, root):
    page.translate("The doctor is at home.")
    page.page.get_by_role("button", name="Good translation").click()
    expect(page.page.locator(".line")).to_contain_text("Rating stored.")
    page.page.get_by_role("button", name="Correct", exact=True).click()
    page.page.fill(":focus", "மருத்துவர் வீட்டில் இருக்கிறார்.")
    page.page.get_by_role("button", name="Save the correction").click()
    expect(page.page.locator(".line")).to_contain_text("Correction stored.")
    rows = [each.read_text("utf-8") for each in root.rglob("*.jsonl")]
    assert sum("மருத்துவர் வீட்டில்" in row for row in rows) == 1
