"""The page for everybody: by keyboard, on a phone, in the dark, without a finding of axe-core."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, expect

from tests.support.browser import needs_browser
from tests.support.page import TranslatePage, open_page

pytestmark = needs_browser

TEXT = "fine\nunsure in 1994\n\nhttps://example.org/" + "x" * 50
WIDTH = "document.documentElement.scrollWidth"


def empty(page: TranslatePage) -> None:
    page.open()


def translated(page: TranslatePage) -> None:
    page.open()
    page.page.get_by_text("Glossary", exact=True).click()
    page.page.fill("#terms", "heart = இதயம்")
    page.translate(TEXT)
    page.page.get_by_role("button", name="Alternatives").first.click()
    expect(page.page.locator(".alternatives:visible")).to_have_count(1)
    page.page.get_by_role("button", name="Correct", exact=True).nth(1).click()


def side_by_side(page: TranslatePage) -> None:
    page.open()
    page.page.select_option("#target-language", "arb_Arab")
    page.page.select_option("#engine", "both")
    page.translate(TEXT)
    assert len(page.texts("#results h2")) == 2


def failed(page: TranslatePage) -> None:
    page.open()
    page.translate("x" * 120)
    assert page.error()


def key_asked(page: TranslatePage) -> None:
    page.answer_all(keyRequired=True)
    page.open()
    expect(page.page.locator("#key")).to_be_visible()


def unreachable(page: TranslatePage) -> None:
    page.answer("health", "", 502)
    page.start()
    expect(page.page.locator("#connection")).to_be_visible()


def no_documents(page: TranslatePage) -> None:
    page.open()
    page.page.get_by_role("tab", name="Documents").click()


def documents(page: TranslatePage) -> None:
    warning = {"kind": "cut", "path": "p[3]", "source": "See https://example.org/" + "x" * 50}
    answers = [
        {"status": "translating", "sentences": 10, "sentences_done": 4, "seconds_left": 9},
        {"status": "done", "sentences": 10, "sentences_done": 10, "warnings": [warning]},
        {"status": "failed", "sentences": 10, "sentences_done": 4, "error": "line 3: no JSON"},
    ]
    for number, body in enumerate(answers):
        page.answer(f"v1/documents/d{number}", body)
    ids = iter(range(3))
    page.answer("v1/documents", lambda _: {"id": f"d{next(ids)}"} | answers[0], 202)
    page.open()
    page.page.get_by_role("tab", name="Documents").click()
    page.page.get_by_text("Options for new documents").click()
    for name in ("a-very-long-name-of-a-file-" * 4 + ".md", "menu.json", "film.srt"):
        file = {"name": name, "mimeType": "text/plain", "buffer": b"x"}
        page.page.set_input_files("#files", [file])  # type: ignore[list-item]
    expect(page.page.get_by_role("button", name="Download")).to_be_visible()
    page.page.get_by_text("1 place to check").click()


STATES = [
    empty, translated, side_by_side, failed, key_asked, unreachable, no_documents, documents,
]  # fmt: skip


@pytest.mark.parametrize("act", STATES, ids=lambda act: act.__name__)
def test_no_state_has_a_finding_or_is_wider_than_a_phone(
    browser: Browser, url: str, act: Callable[[TranslatePage], None]
):
    with open_page(browser, url, viewport={"width": 1200, "height": 800}) as page:
        page.answer_all()
        act(page)
        assert page.findings() == []
        page.page.emulate_media(color_scheme="dark")
        page.page.set_viewport_size({"width": 320, "height": 640})
        assert page.findings() == []
        assert page.page.evaluate(WIDTH) <= 320


@pytest.mark.parametrize("act", [translated, documents], ids=lambda act: act.__name__)
def test_every_control_is_reached_by_keyboard_and_shows_the_focus(
    browser: Browser, url: str, act: Callable[[TranslatePage], None]
):
    with open_page(browser, url) as page:
        page.answer_all(keyRequired=True)
        act(page)
        page.page.evaluate("document.activeElement.blur(); window.getSelection().empty()")
        wanted = page.page.evaluate(
            "[...document.querySelectorAll('button, input, select, textarea, summary, a[href]')]"
            ".filter((each) => each.checkVisibility() && each.tabIndex >= 0)"
            ".map((each, index) => each.dataset.number = String(index))"
        )
        reached = set()
        # Twice more: between the last and the first, the focus is at the browser itself.
        for _ in range(len(wanted) + 2):
            page.page.keyboard.press("Tab")
            number, outline = page.page.evaluate(
                "[document.activeElement.dataset.number,"
                " getComputedStyle(document.activeElement).outlineWidth]"
            )
            reached.add(number)
            assert outline == "3px" or number is None
        assert reached >= set(wanted)


def test_a_phone_has_targets_large_enough_for_a_finger(browser: Browser, url: str):
    options = {"viewport": {"width": 320, "height": 640}, "has_touch": True, "is_mobile": True}
    with open_page(browser, url, **options) as page:
        page.answer_all()
        translated(page)
        sizes = page.page.evaluate(
            "[...document.querySelectorAll('button, select, summary')]"
            ".filter((each) => each.checkVisibility())"
            ".map((each) => each.getBoundingClientRect()).map((box) => [box.width, box.height])"
        )
        assert all(min(size) >= 44 for size in sizes), sizes


def test_without_scripts_a_line_says_what_is_missing(browser: Browser, url: str):
    with open_page(browser, url, java_script_enabled=False) as page:
        page.start()
        expect(page.page.locator("noscript p")).to_contain_text("This page needs JavaScript")


def test_the_page_is_one_file_under_a_policy(browser: Browser, url: str):
    with open_page(browser, url) as page:
        page.answer_all()
        requests: list[str] = []
        page.page.on("request", lambda request: requests.append(request.url))
        page.open()
        paths = {each.removeprefix(url) for each in requests}
        assert paths == {"/", "/health", "/languages", "/frontend/settings", "data:,"} - (
            {"data:,"} - paths
        )
        assert page.page.evaluate("typeof translate") == "undefined"
        refused: list[str] = []
        page.page.on("console", lambda each: refused.append(each.text))
        page.page.evaluate(
            "const script = document.createElement('script');"
            "script.textContent = 'window.run = 1'; document.body.append(script)"
        )
        assert page.page.evaluate("window.run") is None
        assert "Content Security Policy" in refused[0]
