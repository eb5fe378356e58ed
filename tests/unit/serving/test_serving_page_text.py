"""The page translates texts: choices, marks, errors, keys, feedback and the focus."""

import json
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.support.browser import needs_browser
from tests.support.page import HEALTH, TranslatePage, open_page

pytestmark = needs_browser

TOO_LONG = {"error": "too long", "code": "too_large"}


@pytest.fixture
def translator(browser: Browser, url: str) -> Iterator[TranslatePage]:
    """Return the page before it is opened; no error may come up that the test does not expect."""
    with open_page(browser, url) as page:
        page.answer_all()
        yield page
        assert page.errors == []


@pytest.fixture
def opened(translator: TranslatePage) -> TranslatePage:
    translator.open()
    return translator


def test_a_text_is_translated_line_by_line_with_its_blank_lines(opened):
    opened.translate("one\n\n two.\n")
    assert opened.texts(".translation") == ["ONE", "TWO."]
    _, body = opened.bodies[-1]
    assert body == {
        "text": ["one", " two."], "source": "eng_Latn", "target": "tam_Taml", "details": True,
    }  # fmt: skip
    opened.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    opened.page.get_by_role("button", name="Copy").click()
    expect(opened.page.get_by_role("button", name="Copied")).to_be_visible()
    assert opened.page.evaluate("navigator.clipboard.readText()") == "ONE\n\n TWO.\n"


def test_the_focus_stays_on_the_button(opened):
    opened.page.fill("#source", "one")
    opened.page.press("#source", "Tab")
    assert opened.focus() == "go"
    opened.page.press(":focus", "Enter")
    opened.settle()
    assert opened.texts(".translation") == ["ONE"]
    assert opened.focus() == "go"


def test_an_error_leaves_the_last_translation(opened):
    opened.translate("one")
    opened.answer("v1/translate", TOO_LONG, 413)
    opened.translate("two")
    assert opened.error() == "Too long."
    assert opened.texts(".translation") == ["ONE"]
    assert opened.focus() == "source"
    opened.answer("v1/translate", "<html>no server</html>", 404)
    opened.translate("two")
    assert opened.error() == "The service answered with status 404."
    opened.page.route("**/v1/translate", lambda route: route.abort())
    opened.translate("two")
    assert opened.error() == "The service cannot be reached."
    assert opened.texts(".translation") == ["ONE"]
    opened.errors.clear()


def test_lines_that_come_one_by_one_are_put_in_their_order(opened):
    lines = [
        {"index": 1, "text": "TWO"},
        {"index": 0, "text": "ONE"},
        {"engine": "d1", "source": "eng_Latn", "target": "tam_Taml"},
    ]
    stream = {"Content-Type": "application/x-ndjson"}
    opened.answer("v1/translate", "".join(f"{json.dumps(each)}\n" for each in lines), **stream)
    opened.translate("one\ntwo")
    assert opened.headers[-1]["accept"] == "application/x-ndjson"
    assert opened.texts(".translation") == ["ONE", "TWO"]
    late = {"error": "no answer within 30 s", "code": "timeout"}
    opened.answer("v1/translate", f"{json.dumps(lines[0])}\n{json.dumps(late)}\n", **stream)
    opened.translate("one\nthree")
    assert opened.error() == "No answer within 30 s."
    opened.answer("v1/translate", f"{json.dumps(lines[0])}\n", **stream)
    opened.translate("one\nthree")
    assert opened.error() == "The service ended before its answer was complete."
    assert opened.texts(".translation") == ["ONE", "TWO"]


def test_a_busy_replica_is_asked_again_before_an_error_is_shown(translator):
    translator.page.clock.install()
    translator.open()
    busy = {"error": "busy", "code": "overloaded"}
    translator.answer("v1/translate", busy, 503, **{"Retry-After": "1"})
    translator.page.fill("#source", "one")
    translator.page.press("#source", "Control+Enter")
    while translator.page.locator("#results[aria-busy]").count():
        translator.page.clock.run_for(1000)
    assert translator.error() == "Busy. Try again in 1 s."
    assert [path for path, _ in translator.bodies].count("v1/translate") == 3
    translator.errors.clear()


def test_the_page_recovers_if_the_service_does_not_answer_at_first(translator):
    translator.page.clock.install()
    translator.answer("health", "", 503)
    translator.start()
    expect(translator.page.locator("#connection")).to_contain_text("Trying again …")
    assert translator.texts("#served-engine") == ["…"]
    translator.answer("health", HEALTH)
    translator.page.clock.run_for(3000)
    expect(translator.page.locator("#served-engine")).to_have_text("d1")
    expect(translator.page.locator("#connection")).to_be_hidden()
    # A later failure changes nothing.
    translator.answer("health", "", 503)
    translator.page.clock.run_for(30000)
    translator.translate("one")
    assert translator.texts(".translation") == ["ONE"]
    assert translator.texts("#served-engine") == ["d1"]
    assert translator.error() == ""
    translator.errors.clear()


def test_without_an_engine_the_page_says_so(translator):
    missing = {"status": "no_engine", "message": "no engine has been promoted yet", "routes": []}
    translator.answer("health", missing)
    translator.open()
    assert translator.texts("#connection") == ["No engine has been promoted yet."]
    assert translator.texts("#served-engine") == ["none promoted yet"]


def test_confidence_and_warnings_are_words(opened):
    opened.translate("fine\nunsure\nin 1994 unsure")
    assert opened.texts(".marks li") == [
        "▰▰▰ Confidence high, 90 %",
        "▰▱▱ Confidence low, 30 %",
        "▰▱▱ Confidence low, 30 %",
        "Numbers differ",
    ]


def test_markup_is_shown_as_text(opened):
    opened.answer("v1/translate", lambda _: {
        "translations": [{"text": "<img src=x onerror=alert(1)>"}], "engine": "<b>d1</b>",
    })  # fmt: skip
    opened.translate("one")
    assert opened.texts(".translation") == ["<img src=x onerror=alert(1)>"]
    assert opened.page.locator("img, b").count() == 0


def test_languages_are_chosen_swapped_and_remembered(opened):
    page = opened.page
    assert opened.options("source-language") == ["English", "Tamil", "Detect language"]
    assert page.title() == "English to Tamil"
    opened.translate("one")
    page.get_by_role("button", name="Swap the languages").click()
    assert page.input_value("#source") == "ONE"
    assert page.title() == "Tamil to English"
    assert page.get_attribute("#source", "lang") == "ta"
    page.reload()
    expect(page).to_have_title("Tamil to English")
    assert page.input_value("#source") == "ONE"
    page.select_option("#source-language", "eng_Latn")
    page.select_option("#target-language", "arb_Arab")
    expect(page.get_by_role("button", name="Swap the languages")).to_be_hidden()
    opened.translate("two")
    assert page.get_attribute(".translation", "dir") == "rtl"
    assert page.get_attribute(".translation", "lang") == "ar"
    assert opened.bodies[-1][1]["domain"] == "medical"


def test_a_detected_language_is_named(opened):
    opened.page.select_option("#source-language", "auto")
    opened.translate("one")
    assert opened.bodies[-1][1]["source"] == "auto"
    expect(opened.page.locator("#results")).to_contain_text("English detected (98 %) · Engine d1")
    opened.page.get_by_role("button", name="Swap the languages").click()
    assert opened.page.title() == "Tamil to English"


def test_both_engines_of_a_canary_are_shown_side_by_side(opened):
    page = opened.page
    expect(page.locator("#engine-field")).to_be_hidden()
    page.select_option("#target-language", "arb_Arab")
    assert opened.options("engine") == [
        "Automatic (10 % new)", "Stable: d3", "New (canary): d4", "Both, side by side",
    ]  # fmt: skip
    page.select_option("#engine", "both")
    opened.translate("one")
    assert opened.texts("#results h2") == ["Arabic, stable", "Arabic, new"]
    assert opened.texts(".translation") == ["ONE", "ONE NEW"]
    assert opened.texts("mark") == ["NEW"]
    opened.answer("v1/translate", TOO_LONG, 413)
    opened.translate("two")
    assert opened.texts(".translation") == ["ONE", "ONE NEW"]
    assert opened.error() == "Too long."
    opened.errors.clear()


def test_a_text_above_the_limit_is_not_sent(opened):
    opened.page.fill("#source", "x" * 98 + "😀😀")
    assert opened.texts("#count") == ["100 of 100 characters"]
    opened.translate("x" * 103)
    assert opened.texts("#count") == ["103 of 100 characters: 3 characters too many"]
    assert opened.error() == "The text is too long: shorten it, or upload it as a document."
    assert opened.texts(".translation") == []


def test_more_lines_than_a_request_may_have_are_sent_as_one_text(opened):
    def answer(route) -> None:
        texts = route.request.post_data_json["text"]
        if len(texts) > 1:
            route.fulfill(status=413, json=TOO_LONG)
        else:
            route.fallback()

    opened.page.route("**/v1/translate", answer)
    opened.translate("one\ntwo")
    assert opened.texts(".translation") == ["ONE\nTWO"]
    opened.errors.clear()


def test_glossary_terms_are_sent_and_missing_ones_are_marked(opened):
    page = opened.page
    page.get_by_text("Glossary", exact=True).click()
    page.fill("#terms", "heart = இதயம்\nlung")
    opened.translate("heart")
    assert opened.error() == 'Line 2 of the glossary is not "term = translation".'
    page.fill("#terms", "heart = இதயம்")
    assert opened.texts("#glossary summary") == ["Glossary: 1 term"]
    opened.translate("heart")
    assert opened.bodies[-1][1]["glossary"] == {"heart": "இதயம்"}
    assert opened.texts(".marks .warning") == ["Not used: heart → இதயம்"]
    page.fill("#terms", "")
    page.fill("#glossary-name", "hospital")
    opened.translate("heart")
    assert opened.bodies[-1][1]["glossary"] == "hospital"


def test_alternatives_are_asked_for_and_chosen(opened):
    page = opened.page
    opened.translate("one\ntwo")
    page.get_by_role("button", name="Alternatives").nth(1).click()
    page.get_by_role("button", name="TWO 1", exact=True).click()
    assert opened.texts(".translation") == ["ONE", "TWO 1"]
    assert opened.bodies[-1][1] == {
        "text": "two", "source": "eng_Latn", "target": "tam_Taml", "engine": "d1",
        "alternatives": 3,
    }  # fmt: skip


def test_a_rating_and_a_correction_are_stored_with_the_request(opened):
    page = opened.page
    opened.answer("v1/feedback", {"id": "1"})
    opened.translate("one")
    assert page.locator("#feedback-note").is_visible()
    page.get_by_role("button", name="Bad translation").press("Enter")
    expect(page.get_by_role("button", name="Bad translation")).to_have_attribute(
        "aria-pressed", "true"
    )
    common = {
        "request_id": "r1", "text": "one", "translation": "ONE", "source": "eng_Latn",
        "target": "tam_Taml", "engine": "d1",
    }  # fmt: skip
    assert opened.bodies[-1] == ("v1/feedback", common | {"rating": "bad"})
    page.get_by_role("button", name="Correct", exact=True).press("Enter")
    assert opened.focus() == "Correction"
    page.fill(":focus", "ஒன்று")
    page.press(":focus", "Control+Enter")
    expect(page.locator(".translation")).to_have_text("ஒன்று")
    assert opened.bodies[-1][1] == common | {"rating": None, "correction": "ஒன்று"}
    assert opened.focus() == "Correct"


def test_no_feedback_is_asked_for_where_none_is_stored(translator):
    translator.answer("health", HEALTH | {"feedback": False})
    translator.open()
    translator.translate("one")
    assert translator.page.get_by_role("button", name="Good translation").count() == 0
    assert translator.page.locator("#feedback-note").is_hidden()


def test_a_key_is_asked_for_and_stays_in_the_tab(translator):
    page = translator.page
    translator.answer("frontend/settings", {"keyRequired": True})
    translator.answer("v1/translate", {"error": "no key", "code": "unauthorized"}, 401)
    translator.answer("v1/documents", {"documents": []})
    translator.open()
    expect(page.locator("#key")).to_be_visible()
    translator.translate("one")
    assert translator.error() == "No key."
    page.fill("#key", "nmt_1_2")
    page.press("#key", "Enter")
    expect(page.locator("#key")).to_be_hidden()
    assert translator.focus() == "key-toggle"
    translator.answer_all(keyRequired=True)
    translator.translate("one")
    assert translator.texts(".translation") == ["ONE"]
    assert translator.headers[-1]["authorization"] == "Bearer nmt_1_2"
    page.reload()
    translator.translate("two")
    assert translator.headers[-1]["authorization"] == "Bearer nmt_1_2"
    stores = "[localStorage, sessionStorage].map((each) => JSON.stringify(each).includes('nmt_1'))"
    assert page.evaluate(stores) == [False, True]
    assert not re.search("nmt_1", page.url)
    page.click("#key-toggle")
    page.get_by_role("button", name="Forget the key").click()
    assert page.evaluate(stores) == [False, False]
    translator.errors.clear()
