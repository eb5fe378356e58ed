"""The summary's types and console lines, and the page made of it."""

import base64
import hashlib
import re
from html.parser import HTMLParser
from typing import Any

import pytest
from pydantic import ValidationError

from nmt.evaluation.charts import linear_axis, setting_axis
from nmt.evaluation.highlight import mark_differences, split_words
from nmt.evaluation.report import render_report, trial_rows
from nmt.evaluation.significance import Significance
from nmt.evaluation.summary import Summary, SystemSummary, console_lines, metrics_disagree
from nmt.evaluation.wording import (
    chance_verdict,
    change,
    clean,
    duration,
    general_verdict,
    number,
    probability,
)
from nmt.metrics import score_all

VOID = {"meta", "br", "hr", "img", "link", "input"}
REFERENCE = "செவிலியர் காலையில் மருந்தைக் கொடுக்கிறார்."
BASE = "பெண் காலையில் புத்தகத்தைக் கொடுக்கிறார்."
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
SIGNIFICANCE = Significance(
    p_value=0.002,
    base_bleu=20.0,
    base_interval=(17.0, 23.0),
    best_bleu=31.5,
    best_interval=(28.0, 35.0),
    difference_interval=(8.5, 14.5),
    samples=1000,
    sentences=60,
)


def system(bleu: float, general: float | None, chrf: float = 50.0) -> dict[str, Any]:
    scores = {
        "bleu": {"value": bleu, "signature": "nrefs:1|tok:13a"},
        "chrf++": {"value": chrf, "signature": "nrefs:1|nw:2"},
        "ter": {"value": 100 - bleu, "signature": "nrefs:1|norm:yes"},
    }
    parts = None if general is None else {"bleu": {"value": general, "signature": "general"}}
    return {"bleu": bleu, "general_bleu": general, "scores": scores, "general_scores": parts}


def trial(rank: int, bleu: float | None, state: str = "finished") -> dict[str, Any]:
    curve = [] if bleu is None else [{"step": 100, "bleu": bleu / 2}, {"step": 200, "bleu": bleu}]
    config = {"adapter.rank": rank, "training.learning_rate": rank * 1e-4, "kind": "a"}
    return {"config": config, "bleu": bleu, "state": state, "steps": 200, "curve": curve}


def sample(**sides: str) -> dict[str, str]:
    return {"source": "The nurse.", "reference": REFERENCE, "base": BASE, "best": REFERENCE} | sides


def bare(**fields: Any) -> Summary:
    """Own data without a general part, no search, no curve: what may be null is null."""
    return Summary.model_validate(
        {
            "run": "demo",
            "version": "0.1.0",
            "data": {"name": "corpus.tsv", "sizes": {"train": 900, "test": 60}},
            "model": {
                "name": "nllb",
                "license": "CC-BY-NC-4.0",
                "tiny": False,
                "parameters": 1000,
                "trainable": 50,
            },
            "base": system(20.0, None),
            "best": system(31.5, None, chrf=60.0),
        }
        | fields
    )


def full(**fields: Any) -> Summary:
    return bare(
        **{
            "base": system(20.0, 40.0),
            "best": system(31.5, 39.5, chrf=60.0),
            "p_value": SIGNIFICANCE.p_value,
            "significance": SIGNIFICANCE,
            "trials": [
                trial(8, 22.25),
                trial(16, 18.5, "pruned"),
                trial(32, None, "failed"),
                trial(64, 30.75),
            ],
            "best_config": trial(64, 30.75)["config"],
            "curve": [
                {"step": 100, "bleu": 15.0, "loss": 3.5},
                {"step": 200, "bleu": 31.0, "loss": 2.25},
            ],
            "samples": [sample()],
            "seconds": {"prepare": 1.5, "train": 75.0},
            "endpoint": {"checked": True, "source": "Hello.", "target": "வணக்கம்."},
            "engine": "0123456789ab",
            "notes": ["A tiny model shows the path."],
            "versions": {"torch": "2.13.0"},
            "config": {"data": {"source_language": "eng_Latn", "target_language": "tam_Taml"}},
        }
        | fields
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


# Types


@pytest.mark.parametrize("summary", [full(), bare()], ids=["full", "bare"])
def test_summary_survives_json(summary: Summary):
    assert Summary.model_validate_json(summary.model_dump_json()) == summary


def test_setting_keeps_its_type_through_json():
    config = {"number": 8, "share": 0.5, "flag": True, "word": "cosine", "whole": 2.0}
    summary = full(trials=[trial(8, 1.0) | {"config": config}])
    read = Summary.model_validate_json(summary.model_dump_json()).trials[0].config
    assert {key: type(value) for key, value in read.items()} == {
        key: type(value) for key, value in config.items()
    }


@pytest.mark.parametrize(
    "fault",
    [
        {"unknown": 1},
        {"curve": [{"step": 1, "bleu": 1.0, "loss": float("nan")}]},
        {"p_value": 1.5},
        {"trials": [trial(8, 1.0, "lost")]},
    ],
    ids=["unknown field", "loss that is no number", "p above 1", "unknown state"],
)
def test_summary_refuses(fault: dict[str, Any]):
    with pytest.raises(ValidationError):
        bare(**fault)


def test_summary_refuses_two_p_values():
    with pytest.raises(ValidationError, match="differs"):
        full(p_value=0.5)


def test_system_summary_takes_what_score_all_gives():
    scores = score_all([BASE], [REFERENCE])
    made = SystemSummary.of(scores, None)
    assert made.bleu == scores["bleu"].value
    assert made.scores["ter"].signature == scores["ter"].signature
    assert made.general_bleu is None
    assert SystemSummary.of(scores, scores).general_bleu == made.bleu


def test_best_trial_is_the_one_whose_settings_were_taken():
    trials = [trial(8, 25.0), trial(16, 24.0)]
    assert full(trials=trials, best_config=trials[1]["config"]).best_trial() == 1


def test_best_trial_without_settings_has_the_highest_bleu():
    trials = [trial(8, None, "failed"), trial(16, 24.0), trial(32, 22.0)]
    assert full(trials=trials, best_config={}).best_trial() == 1


def test_no_scored_trial_is_no_best_trial():
    assert full(trials=[trial(8, None, "failed")]).best_trial() is None


@pytest.mark.parametrize(("chrf", "expected"), [(60.0, False), (40.0, True), (50.0, False)])
def test_metrics_disagree_when_chrf_moves_the_other_way(chrf: float, expected: bool):
    assert metrics_disagree(full(best=system(31.5, 39.5, chrf))) is expected


# Words


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (number(None), "not computed"),
        (number(0.0), "0.00"),
        (change(None, 1.0), "not computed"),
        (change(2.0, 1.0), "-1.00"),
        (change(1.0, 1.0 - 1e-9), "+0.00"),
        (probability(None), "not computed"),
        (probability(0.0004), "p < 0.001"),
        (probability(0.032), "p = 0.032"),
        (duration(0.44), "0.4 s"),
        (duration(59.7), "1 min 00 s"),
        (duration(7384), "2 h 03 min"),
        (general_verdict(40.0, 40.5), "kept"),
        (general_verdict(40.0, 39.0), "kept within 1 BLEU"),
        (general_verdict(40.0, 38.9), "partly lost"),
        (general_verdict(None, None), "not computed"),
        (chance_verdict(None, None), "not computed"),
        (chance_verdict(0.2, None), "may be chance"),
        (chance_verdict(0.03, None), "unlikely to be chance"),
        (chance_verdict(0.002, SIGNIFICANCE), "very unlikely to be chance"),
    ],
)
def test_figure_in_words(shown: str, expected: str):
    assert shown == expected


def test_clean_drops_controls_and_keeps_indic_joiners():
    assert clean("a\u202eb\u2066c\x1b[0m\u200f\ufeff") == "abc[0m"
    assert clean("க்\u200cஷ\u200d") == "க்\u200cஷ\u200d"


def test_tamil_words_stay_whole():
    assert split_words("மருந்தைக் கொடு.") == ["மருந்தைக்", " ", "கொடு", "."]


def test_marked_words_are_right_in_one_system_only():
    base, best = mark_differences("a b c d", "a x c y", "a b z d")
    assert [piece.text for piece in base if piece.marked] == ["c"]
    assert [piece.text for piece in best if piece.marked] == ["b", "d"]


def test_pieces_hold_the_whole_sentence():
    _, best = mark_differences(REFERENCE, BASE, "«காலையில்», 5 மணி!")
    assert "".join(piece.text for piece in best) == "«காலையில்», 5 மணி!"


# Console


def test_console_lines_tell_the_outcome():
    text = "\n".join(console_lines(full()))
    for part in ("20.00", "31.50", "+11.50", "p = 0.002", "40.00 -> 39.50", "adapter.rank 64"):
        assert part in text


def test_console_lines_say_not_computed_and_never_0():
    text = "\n".join(console_lines(bare()))
    assert "difference  not computed" in text
    assert "general     not computed" in text
    assert not re.search(r"\b0\.00\b", text)


def test_console_lines_are_at_most_20_with_many_notes():
    assert len(console_lines(full(notes=["note"] * 40))) <= 20


def test_console_lines_hold_no_control_characters():
    endpoint = {"checked": True, "source": "a\nb\x1b[31m", "target": "\u202ec"}
    text = "".join(console_lines(full(endpoint=endpoint)))
    assert not re.search("[\x00-\x1f\u202e]", text)


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
    assert not parsed.tags() & {"script", "link", "img", "iframe", "object", "embed", "base"}
    names = {name for _, name, _ in parsed.attributes}
    assert not names & {"src", "href", "srcset", "style", "action"}
    assert not {name for name in names if name.startswith("on")}
    assert not re.search(r"https?://|url\(|@import", page)


def test_policy_allows_the_one_style_sheet_and_nothing_else(page: str):
    style = page.split("<style>")[1].split("</style>")[0]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policies = [v for t, n, v in Page(page).attributes if t == "meta" and n == "content"]
    assert f"default-src 'none'; style-src 'sha256-{digest}'" in policies[0]


@pytest.mark.parametrize("side", ["source", "reference", "base", "best"])
def test_page_escapes_sentences(side: str):
    html = render_report(full(samples=[sample(**{side: "<script>alert(1)</script>\u202e&"})]))
    assert "<script" not in html
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
            endpoint={"checked": True, "source": evil, "target": evil, "adapter": evil},
        )
    )
    assert "<script" not in html
    assert "\u2066" not in html
    assert Page(html).faults == []


def test_headline_has_both_scores_the_gain_and_the_verdicts(page: str):
    hero = section(page, "hero")
    for part in ("20.0 → 31.5", "+11.50 BLEU", "very unlikely to be chance", "p = 0.002"):
        assert part in hero
    assert "kept within 1 BLEU" in hero


def test_loss_of_bleu_is_called_worse():
    html = render_report(full(best=system(12.0, 39.5)))
    assert "−8.00 BLEU, worse than the base" in section(html, "hero")


def test_scores_come_with_signatures(page: str):
    assert all(part in section(page, "scores") for part in ("nrefs:1|tok:13a", "norm:yes"))


@pytest.mark.parametrize("name", ["hero", "scores", "curves", "search", "translations"])
def test_null_is_not_computed(name: str):
    assert "not computed" in section(render_report(bare()), name)


def test_null_is_never_0():
    text = section(render_report(bare()), "scores")
    assert not re.search(r"(?<![\d.])0\.0", text)


def test_general_part_is_in_the_scores_table(page: str):
    assert "39.50" in section(page, "scores")


def test_trials_are_sorted_by_bleu_with_failed_ones_last():
    assert [row.number for row in trial_rows(full())] == [4, 1, 2, 3]


def test_trial_with_0_bleu_is_above_one_without():
    rows = trial_rows(full(trials=[trial(8, None, "failed"), trial(16, 0.0)]))
    assert [row.number for row in rows] == [2, 1]


def test_only_the_best_trial_is_marked(page: str):
    assert re.findall(r'<tr class="chosen"><th scope="row">(\d+)', page) == ["4"]


def test_learning_chart_greys_the_pruned_and_has_the_final_run(page: str):
    chart = page.split('aria-label="Validation BLEU by optimizer step"')[1].split("</svg>")[0]
    styles = re.findall(r'class="line (\w+)"', chart)
    assert styles == ["pruned", "finished", "chosen", "final"]


def test_each_setting_that_varies_has_a_scatter_chart(page: str):
    found = re.findall(r'aria-label="BLEU by ([\w.]+)"', page)
    assert found == ["adapter.rank", "training.learning_rate"]


def test_translation_marks_what_only_best_has_right(page: str):
    assert '<mark class="won">செவிலியர்</mark>' in page


def test_sentences_carry_their_language(page: str):
    assert '<p lang="en-Latn" dir="auto">The nurse.</p>' in page
    assert '<p lang="ta-Taml" dir="auto">' in page


def test_licence_and_notes_are_there(page: str):
    assert "CC-BY-NC-4.0" in section(page, "notes")
    assert "A tiny model shows the path." in section(page, "notes")


def test_settings_can_be_copied_as_yaml(page: str):
    block = page.split("<pre>")[1].split("</pre>")[0]
    assert block == "data:\n  source_language: eng_Latn\n  target_language: tam_Taml\n"


def test_disagreement_of_the_metrics_is_said():
    html = render_report(full(best=system(31.5, 39.5, chrf=40.0)))
    assert "disagree" in section(html, "hero")


def test_one_point_and_equal_values_make_a_page():
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
