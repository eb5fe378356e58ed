"""The report page of a summary."""

import base64
import hashlib
import re
from html.parser import HTMLParser
from typing import get_args

import pytest

from nmt.report.page import render_report, trial_rows
from nmt.report.page.axes import linear_axis, setting_axis
from nmt.runs.evaluation import EvaluationResult, SystemInfo, TestSetInfo
from nmt.runs.results import InputCounts, Summary
from nmt.runs.trials import TrialState
from tests.support.runs.summaries import (
    UNSURE,
    WORSE,
    bare,
    evaluation,
    full,
    sample,
    three_systems,
    trial,
)

VOID = {"meta", "br", "hr", "img", "link", "input"}
SECTIONS = (
    "Scores",
    "Learning curves",
    "Search",
    "Translations",
    "Data",
    "Time and outcome",
    "Reproduce",
    "Notes",
)


class Page(HTMLParser):
    """Tags in balance, attributes and visible text of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.faults: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.text: dict[str, str] = {}
        self.section = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag == "section":
            self.section = dict(attrs).get("id") or "hero"
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.faults.append(tag)

    def handle_data(self, data: str) -> None:
        self.text[self.section] = self.text.get(self.section, "") + data

    def tags(self) -> set[str]:
        return {tag for tag, _, _ in self.attributes}


def section(html: str, name: str) -> str:
    return " ".join(Page(html).text[name].split())


@pytest.fixture(scope="module")
def page() -> str:
    return render_report(full())


# Page


@pytest.mark.parametrize("name", SECTIONS)
def test_page_has_section(page: str, name: str):
    assert f"<h2>{name}</h2>" in page


@pytest.mark.parametrize("summary", [full(), bare()], ids=["full", "bare"])
def test_page_is_well_formed(summary: Summary):
    parsed = Page(render_report(summary))
    assert parsed.faults == []
    assert parsed.open == []


def test_page_loads_nothing(page: str):
    parsed = Page(page)
    assert not parsed.tags() & {"link", "img", "iframe", "object", "embed", "base"}
    names = {name for _, name, _ in parsed.attributes}
    assert not names & {"src", "href", "srcset", "style", "action"}
    assert not {name for name in names if name.startswith("on")}
    assert not re.search(r"https?://|url\(|@import", page)


def test_policy_allows_the_one_style_sheet_the_one_script_and_nothing_else(page: str):
    parts = (
        page.split("<style>")[1].split("</style>")[0],
        page.split("<script>")[1].split("</script>")[0],
    )
    style, script = (
        base64.b64encode(hashlib.sha256(part.encode()).digest()).decode() for part in parts
    )
    policies = [v for t, n, v in Page(page).attributes if t == "meta" and n == "content"]
    assert policies[0] == (
        f"default-src 'none'; style-src 'sha256-{style}'; script-src 'sha256-{script}'; "
        "base-uri 'none'; form-action 'none'"
    )


@pytest.mark.parametrize("side", ["source", "reference", "base", "tuned"])
def test_page_escapes_sentences(side: str):
    row = sample(**{side: "<script>alert(1)</script>\u202e&"})
    html = render_report(full(evaluation=evaluation(samples=(row,))))
    assert html.count("<script") == 1  # the page's own
    assert "\u202e" not in html
    assert "alert" in section(html, "translations")


def test_page_escapes_every_other_text():
    evil = "\"><script>\u2066'"
    html = render_report(
        full(
            run=evil,
            notes=[evil],
            versions={evil: evil},
            seconds={evil: 1.0},
            data={"name": evil, "sizes": {evil: 1}, "dropped": {evil: 1}},
            config={"data": {"source_language": evil}, evil: evil},
            trials=[
                trial(8, 2.0) | {"config": {evil: evil}},
                trial(8, 1.0) | {"config": {evil: "b"}},
            ],
            endpoint={"checked": True, "source": evil, "target": evil, "engine": evil},
        )
    )
    assert html.count("<script") == 1  # the page's own
    assert "\u2066" not in html
    assert Page(html).faults == []


def test_headline_has_both_scores_the_gain_and_the_verdicts(page: str):
    hero = section(page, "hero")
    for part in ("20.0 → 31.5", "+11.50 BLEU", "very unlikely to be chance", "p = 0.002"):
        assert part in hero
    assert "kept within 1 BLEU" in hero


def test_loss_of_bleu_is_called_worse():
    html = render_report(full(evaluation=evaluation(20.0, 12.0, compared=WORSE)))
    assert "−8.00 BLEU, worse than the base" in section(html, "hero")


def test_a_gain_that_may_be_chance_is_not_called_better_without_saying_so():
    html = render_report(full(evaluation=evaluation(20.0, 20.5, compared=UNSURE)))
    assert "+0.50 BLEU, better than the base, but this may be chance" in section(html, "hero")
    assert 'pill delta up"' not in html


def test_page_shows_three_systems_on_two_test_sets():
    html = render_report(full(evaluation=three_systems()))
    assert Page(html).faults == []
    scores = section(html, "scores")
    # The text of neighbouring cells is joined.
    for part in (
        "SystemTest set60 sentences tuned31.50best28.50 to 34.50 memory25.2522.25 to 28.25",
        "base20.0017.00 to 23.00",
        "What was forgotten: BLEU SystemGeneral test set30 sentences base40.00",
    ):
        assert part in scores
    assert "memory against base+5.25+2.25 to +8.25better0.004" in section(html, "differences")
    label = 'aria-label="BLEU, Test set, of tuned and memory and base"'
    chart = html.split(label)[1].split("</svg>")[0]
    styles = set(re.findall(r'class="dot ([\w-]+)"', chart))
    assert styles == {"base", "tuned", "other-1"}
    assert "memoryநினைவகம்." in section(html, "translations")


def test_page_shows_an_evaluation_without_any_comparison_or_score():
    empty = EvaluationResult(
        systems={"base": SystemInfo(), "tuned": SystemInfo()},
        test_sets={"test": TestSetInfo(sentences=5)},
        scores=(),
        comparisons=(),
    )
    html = render_report(full(evaluation=empty))
    assert Page(html).faults == []
    assert "not computed" in section(html, "hero")


def test_scores_come_with_signatures(page: str):
    assert all(part in section(page, "reproduce") for part in ("nrefs:1|tok:13a", "norm:yes"))


@pytest.mark.parametrize("name", ["hero", "differences", "curves", "search", "translations"])
def test_null_is_not_computed(name: str):
    assert "not computed" in section(render_report(bare()), name)


def test_null_is_never_0():
    html = render_report(bare())
    text = section(html, "hero") + section(html, "scores")
    assert not re.search(r"(?<![\d.])0\.0(?!5)", text)  # 0.05 is the level of the tests


def test_only_scores_that_were_resampled_have_whiskers(page: str):
    assert page.count('class="whisker"') == 2
    assert "bootstrap with 1,000 resamples" in section(page, "differences")


def test_general_test_set_is_in_the_scores_table(page: str):
    assert "39.50" in section(page, "scores")


def test_trials_are_sorted_by_bleu_with_failed_ones_last():
    assert [row.number for row in trial_rows(full())] == [4, 1, 2, 3]


def test_trial_with_0_bleu_is_above_one_without():
    rows = trial_rows(full(trials=[trial(8, None, "failed"), trial(16, 0.0)]))
    assert [row.number for row in rows] == [2, 1]


def test_only_the_best_trial_is_marked(page: str):
    assert re.findall(r'<tr class="chosen"><th scope="row">(\d+)', page) == ["4"]


def test_learning_chart_greys_the_pruned_and_has_the_base_and_the_final_run(page: str):
    chart = page.split('aria-label="Validation BLEU by optimizer step"')[1].split("</svg>")[0]
    styles = re.findall(r'class="line (\w+)"', chart)
    assert styles == ["pruned", "finished", "chosen", "base", "final"]


def test_learning_chart_shows_the_base_as_a_level_line(page: str):
    level = r'<g class="line base"><title>base</title><path d="M[\d.]+ ([\d.]+)L[\d.]+ ([\d.]+)"'
    start, end = re.findall(level, page)[0]
    assert start == end


def test_learning_chart_has_no_base_where_it_was_not_validated():
    assert 'class="line base"' not in render_report(full(base_validation_bleu=None))


def test_each_setting_that_varies_has_a_scatter_chart(page: str):
    found = re.findall(r'aria-label="BLEU by ([\w.]+)"', page)
    assert found == ["adapter.rank", "training.learning_rate"]


def test_translation_marks_what_only_the_tuned_system_has_right(page: str):
    assert '<mark class="won">செவிலியர்</mark>' in page


def test_sentences_carry_their_language(page: str):
    assert '<p lang="en-Latn" dir="auto">The nurse.</p>' in page
    assert '<p lang="ta-Taml" dir="auto">' in page


def test_page_shows_licence_and_notes(page: str):
    assert "CC-BY-NC-4.0" in section(page, "notes")
    assert "A tiny model shows the path." in section(page, "notes")


def test_page_shows_what_cleaning_did_to_each_input():
    summary = full()
    counts = {
        "news": InputCounts(read=200, kept=190, dropped={"duplicate": 9, "empty": 1}),
        "web": InputCounts(read=50, kept=49, dropped={"empty": 1}, bad_rows=3),
    }
    flagged = {"train": {"numbers_differ": 7}, "test": {}}
    sums = {"duplicate": 9, "empty": 2}
    update = {"inputs": counts, "flagged": flagged, "dropped": sums}
    data = summary.data.model_copy(update=update)
    text = Page(render_report(summary.model_copy(update={"data": data}))).text["data"]
    cells = "".join(text.split())
    assert "news2001900web50493" in cells
    assert "rulenewswebduplicate9(4.50%)0empty1(0.50%)1(2.00%)" in cells
    assert "flagtrainnumbers_differ7(0.78%)" in cells


def test_page_shows_the_sums_of_an_earlier_release():
    summary = full()
    data = summary.data.model_copy(update={"inputs": {}, "dropped": {"html": 12}})
    text = Page(render_report(summary.model_copy(update={"data": data}))).text["data"]
    assert "rulepairshtml12" in "".join(text.split())


def test_settings_can_be_copied_as_yaml(page: str):
    block = page.split("<pre>")[1].split("</pre>")[0]
    assert block == "data:\n  source_language: eng_Latn\n  target_language: tam_Taml\n"


def test_page_warns_when_the_metrics_disagree():
    html = render_report(full(evaluation=evaluation(chrf=40.0)))
    expected = "BLEU prefers tuned (+11.50, p = 0.002): have somebody read the translations"
    assert expected in section(html, "best")


def test_page_renders_single_points_and_equal_values():
    html = render_report(
        full(
            trials=[trial(8, 0.0), trial(16, 0.0)],
            curve=[{"step": 0, "bleu": 0.0, "loss": 0.0}],
            seconds={"train": 0.0},
        )
    )
    assert Page(html).faults == []


# Axes


def test_axis_covers_its_values_with_round_ticks():
    axis = linear_axis([3.2, 18.9], 0, 100)
    assert [value for value, _ in axis.ticks] == [0, 5, 10, 15, 20]
    assert (axis.place(0), axis.place(20)) == (0, 100)


def test_wide_range_of_a_setting_is_logarithmic():
    axis, places = setting_axis([1e-4, 1e-3, 1e-2], 0, 100)
    assert axis.logarithmic
    assert places == [0, 50, 100]


def test_words_are_spread_evenly():
    _, places = setting_axis(["linear", "cosine", "linear"], 0, 100)
    assert places == [75, 25, 75]


@pytest.mark.parametrize("state", get_args(TrialState))
def test_a_trial_of_every_state_is_shown(state: str) -> None:
    page = render_report(bare(trials=[trial(8, 30.0), trial(16, 12.0, state)]))
    assert f"<td>{state}</td>" in page
    assert f"trial 2, {state}" in page
