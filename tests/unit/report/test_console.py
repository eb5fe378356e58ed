"""The outcome of a run in words: figures, verdicts, marks and the lines on the console."""

import re
from typing import Any

import pytest

from nmt.report.console import console_lines
from nmt.report.formatting import (
    chance_verdict,
    change,
    clean,
    duration,
    general_verdict,
    number,
    score,
)
from nmt.report.highlight import mark_differences, split_words
from nmt.report.ranking import disagreements
from nmt.report.scores import Difference, Results
from nmt.runs.evaluation import Comparison, format_p_value
from tests.support.runs.summaries import (
    BASE,
    BETTER,
    REFERENCE,
    UNSURE,
    bare,
    evaluation,
    full,
    three_systems,
)


def results(**fields: Any) -> Results:
    return Results(evaluation(**fields))


@pytest.mark.parametrize(("chrf", "expected"), [(60.0, False), (40.0, True), (50.0, False)])
def test_metrics_disagree_when_chrf_moves_the_other_way(chrf: float, expected: bool):
    assert bool(disagreements(results(chrf=chrf), "test")) is expected


def test_two_differences_that_may_be_chance_do_not_disagree():
    unsure = BETTER.model_copy(update={"p_value": 0.4})
    assert not disagreements(results(chrf=40.0, compared=unsure), "test")


def difference(comparison: Comparison, **changes: Any) -> Difference | None:
    row = comparison.model_copy(update=changes)
    return results(compared=row).difference("tuned", "base", "test", "bleu")


# Words


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (number(None), "not computed"),
        (number(0.0), "0.00"),
        (score(0.87351, "comet"), "0.8735"),
        (score(22.07484, "bleu"), "22.07"),
        (change(None, 1.0), "not computed"),
        (change(2.0, 1.0), "-1.00"),
        (change(1.0, 1.0 - 1e-9), "+0.00"),
        (format_p_value(0.0004), "p < 0.001"),
        (format_p_value(0.032), "p = 0.032"),
        (duration(0.44), "0.4 s"),
        (duration(59.7), "1 min 00 s"),
        (duration(7384), "2 h 03 min"),
        (general_verdict(40.0, 40.5), "kept"),
        (general_verdict(40.0, 39.0), "kept within 1 BLEU"),
        (general_verdict(40.0, 38.9), "partly lost"),
        (general_verdict(None, None), "not computed"),
        (chance_verdict(None), "not computed"),
        (chance_verdict(difference(UNSURE)), "may be chance"),
        (chance_verdict(difference(BETTER, p_value=0.03)), "unlikely to be chance"),
        (chance_verdict(difference(BETTER)), "very unlikely to be chance"),
    ],
)
def test_figure_in_words(shown: str, expected: str):
    assert shown == expected


def test_clean_drops_controls_and_keeps_indic_joiners():
    assert clean("a\u202eb\u2066c\x1b[0m\u200f\ufeff") == "abc[0m"
    assert clean("க்\u200cஷ\u200d") == "க்\u200cஷ\u200d"


def test_tamil_words_stay_whole():
    assert split_words("மருந்தைக் கொடு.") == ["மருந்தைக்", " ", "கொடு", "."]


def marked(reference: str, **hypotheses: str) -> dict[str, list[str]]:
    """Mark hypotheses, of which the one named `base` is the baseline."""
    spans = mark_differences(reference, hypotheses, "base")
    return {name: [span.text for span in found if span.marked] for name, found in spans.items()}


def test_marked_words_are_right_in_one_system_only():
    found = marked("a b c d", base="a x c y", tuned="a b z d")
    assert found == {"base": ["c"], "tuned": ["b", "d"]}


def test_of_three_systems_each_is_marked_against_the_base():
    found = marked("a b c d", base="a x c y", tuned="a b z d", memory="a x c d")
    assert found == {"base": ["c"], "tuned": ["b", "d"], "memory": ["d"]}


def test_spans_hold_the_whole_sentence():
    text = "«காலையில்», 5 மணி!"
    spans = mark_differences(REFERENCE, {"base": BASE, "tuned": text}, "base")
    assert "".join(span.text for span in spans["tuned"]) == text


# Console


def test_console_lines_show_the_outcome():
    text = "\n".join(console_lines(full()))
    for part in ("20.00", "31.50", "+11.50", "p = 0.002", "40.00 -> 39.50", "adapter.rank 64"):
        assert part in text


def test_console_lines_say_not_computed_and_never_0():
    text = "\n".join(console_lines(bare()))
    assert "verdict     not computed" in text
    assert "general     not computed" in text
    assert not re.search(r"\b0\.00\b", text)


def test_console_lines_count_what_cleaning_left_out():
    summary = full()
    dropped = {"empty": 1, "duplicate": 1200, "leak": 7, "markup": 5, "too_long": 2}
    data = summary.data.model_copy(update={"dropped": dropped})
    lines = console_lines(summary.model_copy(update={"data": data}))
    assert (
        "data        900 training pairs; left out: 1,200 duplicate, 7 leak, 5 markup, "
        "3 by other rules"
    ) in lines


def test_console_lines_are_at_most_20_with_many_notes():
    assert len(console_lines(full(notes=["note"] * 40))) <= 20


def test_console_lines_hold_no_control_characters():
    endpoint = {"checked": True, "source": "a\nb\x1b[31m", "target": "\u202ec"}
    text = "".join(console_lines(full(endpoint=endpoint)))
    assert not re.search("[\x00-\x1f\u202e]", text)


def test_console_lines_show_three_systems_on_two_test_sets():
    lines = console_lines(full(evaluation=three_systems()))
    text = [" ".join(line.split()) for line in lines]
    for part in (
        "BLEU chrF++ TER",
        "tuned 31.50* ±3.00 60.00* 68.50*",
        "memory 25.25 ±3.00 52.00 74.75",
        "base 20.00 ±3.00 50.00 80.00",
        "* best; ± half a 95 % interval; TER: lower is better",
        "verdict tuned: significantly better than the base (+11.50 BLEU, p = 0.002)",
        "verdict memory: significantly better than the base (+5.25 BLEU, p = 0.004)",
        "general tuned: 40.00 -> 39.50 BLEU (-0.50): kept within 1 BLEU",
        "general memory: 40.00 -> 11.75 BLEU (-28.25): partly lost",
    ):
        assert part in text
