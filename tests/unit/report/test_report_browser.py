"""The report in a real browser: every sentence can be reached, and nothing is loaded."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from nmt.report.page import render_scores
from tests.support.browser import errors_of, needs_browser, open_browser
from tests.support.runs.many_systems import SENTENCES, result, stored

pytestmark = needs_browser

ARTICLES = "document.querySelectorAll('#list article')"


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    page = tmp_path_factory.mktemp("report") / "report.html"
    page.write_text(render_scores(result(), stored(), "Three systems"), encoding="utf-8")
    return page


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as browser:
        yield browser


@pytest.fixture
def page(browser: Browser, file: Path) -> Iterator[Page]:
    page = browser.new_page(viewport={"width": 1100, "height": 900})
    open_sentences(page, file)
    yield page
    page.close()


def open_sentences(page: Page, file: Path) -> None:
    page.goto(file.as_uri())
    page.evaluate("document.getElementById('translations').scrollIntoView()")
    page.locator("#list article").first.wait_for()


def choose(page: Page, name: str, value: str) -> None:
    page.evaluate(
        f"(() => {{ const control = document.getElementById('{name}'); control.value = '{value}';"
        "control.dispatchEvent(new Event('change')); control.dispatchEvent(new Event('input'));})()"
    )


def labels(page: Page) -> list[str]:
    """Return the label of the source of each sentence that is shown."""
    expression = f"[...{ARTICLES}].map((each) => each.querySelector('.label').textContent)"
    return page.evaluate(expression)


def test_nothing_but_the_page_is_loaded_and_no_script_fails(browser: Browser, file: Path):
    page = browser.new_page()
    errors, requests = errors_of(page), set[str]()
    page.on("request", lambda request: requests.add(request.url))
    open_sentences(page, file)
    page.close()
    assert requests == {file.as_uri()}
    assert errors == []


def test_every_sentence_can_be_reached_page_by_page(page: Page):
    choose(page, "order", "place")
    seen = labels(page)
    assert len(seen) == 50
    while not page.evaluate("document.getElementById('next').disabled"):
        page.evaluate("document.getElementById('next').click()")
        seen += labels(page)
    expected = [f"Source, sentence {n + 1}, health" for n in range(SENTENCES["news"])]
    assert seen == expected


def test_the_largest_win_comes_first(page: Page):
    assert page.evaluate("document.getElementById('order').value") == "win"
    assert labels(page)[0] == "Source, sentence 8, health"


def test_the_lowest_confidence_comes_first_if_it_is_chosen(page: Page):
    choose(page, "order", "unsure")
    assert labels(page)[0] == f"Source, sentence {SENTENCES['news']}, health"


def test_sentences_are_chosen_by_fault_and_by_text(page: Page):
    choose(page, "fault", page.evaluate("document.getElementById('fault').options[1].value"))
    choose(page, "order", "place")
    assert labels(page) == [f"Source, sentence {number}, health" for number in (1, 41, 81)]
    choose(page, "fault", "")
    choose(page, "text", "SENTENCE 77")
    assert labels(page) == ["Source, sentence 78, health"]
    assert page.evaluate("document.getElementById('status').textContent") == (
        "1 of 120 sentences, 1 to 1"
    )


def test_words_that_differ_are_marked_by_whether_a_reference_has_them(page: Page):
    marks = page.evaluate(
        f"[...{ARTICLES}[0].querySelectorAll('mark')].map((m) => [m.className, m.textContent])"
    )
    assert marks == [["won", "இரண்டு"], ["lost", "ஒன்று"]]


def test_another_test_set_can_be_opened(page: Page):
    choose(page, "set", "1")
    expect(page.locator("#list article")).to_have_count(SENTENCES["talks"])
    assert "talks sentence" in page.evaluate(f"{ARTICLES}[0].textContent")


def test_all_systems_are_shown_if_wanted(page: Page):
    names = f"[...{ARTICLES}[0].querySelectorAll('.label b')].map((each) => each.textContent)"
    assert page.evaluate(names) == ["tuned", "base"]
    page.evaluate("document.getElementById('all').click()")
    assert page.evaluate(names) == ["tuned", "base", "engine"]


def test_markup_in_a_sentence_is_shown_as_text(page: Page):
    choose(page, "text", "onerror")
    assert '<img src="x"' in page.evaluate(f"{ARTICLES}[0].textContent")
    assert page.evaluate("document.images.length") == 0
    assert page.evaluate("document.title") == "Three systems"


def test_arrow_keys_turn_the_pages(page: Page):
    choose(page, "order", "place")
    page.evaluate(
        "document.getElementById('list').dispatchEvent(new KeyboardEvent('keydown', "
        "{key: 'ArrowRight'}))"
    )
    assert labels(page)[0] == "Source, sentence 51, health"


def test_another_metric_switches_all_tables(page: Page):
    shown = (
        "[...document.querySelectorAll('#scores .by-metric > *')].filter((each) => !each.hidden)"
        ".map((each) => each.dataset.metric)"
    )
    assert page.evaluate(shown) == ["chrf++"]
    choose(page, "metric", "bleu")
    assert page.evaluate(shown) == ["bleu"]


@pytest.mark.parametrize("width", [500, 1100])
def test_the_page_is_not_wider_than_the_window(page: Page, width: int):
    page.set_viewport_size({"width": width, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_without_scripts_the_first_sentences_are_shown_and_a_line_says_what_is_missing(
    browser: Browser, file: Path
):
    page = browser.new_page(java_script_enabled=False)
    page.goto(file.as_uri())
    # The page runs no script, but the test still may.
    visible = "[...document.querySelectorAll('{}')].map((each) => each.checkVisibility())"
    assert page.evaluate(visible.format("#samples article")) == [True] * 12
    assert page.evaluate(visible.format(".no-script")) == [True]
    assert page.evaluate(visible.format("#browser")) == [False]
    page.close()
