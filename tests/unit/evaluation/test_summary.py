"""The types of a summary and of an evaluation, and their lines on the console."""

import re
from typing import Any

import pytest
from pydantic import ValidationError

from nmt.errors import StorageError
from nmt.report.console import console_lines
from nmt.report.formatting import (
    chance_verdict,
    change,
    clean,
    duration,
    general_verdict,
    number,
)
from nmt.report.highlight import mark_differences, split_words
from nmt.report.scores import metrics_disagree
from nmt.runs.evaluation import Comparison, EvaluationResult, format_p_value
from nmt.runs.results import Summary, read_result
from tests.support.runs.summaries import (
    BASE,
    BETTER,
    REFERENCE,
    UNSURE,
    WORSE,
    bare,
    evaluation,
    full,
    score,
    three_systems,
    trial,
)

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


P_ABOVE_1 = BETTER.model_dump() | {"p_value": 1.5}


@pytest.mark.parametrize(
    "fault",
    [
        {"unknown": 1},
        {"curve": [{"step": 1, "bleu": 1.0, "loss": float("nan")}]},
        {"evaluation": evaluation().model_dump() | {"comparisons": [P_ABOVE_1]}},
        {"trials": [trial(8, 1.0, "lost")]},
    ],
    ids=["unknown field", "loss that is not a number", "p above 1", "unknown state"],
)
def test_summary_refuses(fault: dict[str, Any]):
    with pytest.raises(ValidationError):
        bare(**fault)


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ({"scores": (score("memory", "test", "bleu", 1.0),)}, "memory"),
        ({"scores": (score("base", "sacred", "bleu", 1.0),)}, "sacred"),
        ({"comparisons": (BETTER.model_copy(update={"baseline": "other"}),)}, "other"),
        ({"scores": (score("base", "test", "bleu", 1.0),) * 2}, "two scores"),
    ],
    ids=["unknown system", "unknown test set", "unknown baseline", "score given twice"],
)
def test_evaluation_refuses_rows_that_do_not_fit(rows: dict[str, Any], reason: str):
    content = evaluation(**rows).model_dump()
    with pytest.raises(ValidationError, match=reason):
        EvaluationResult.model_validate(content)


def test_evaluation_of_an_earlier_release_is_refused_with_what_makes_it_again():
    before = {"base": {"bleu": 20.0}, "best": {"bleu": 31.5}, "p_value": 0.002}
    with pytest.raises(StorageError, match=r"runs/step\.json.*nmt evaluate --restart"):
        read_result(EvaluationResult, before, step="evaluate", place="runs/step.json")


def test_evaluation_holds_the_verdict_for_other_tools():
    assert evaluation().model_dump(mode="json")["comparisons"][0]["verdict"] == "better"


@pytest.mark.parametrize(
    ("comparison", "verdict"),
    [(BETTER, "better"), (WORSE, "worse"), (UNSURE, "no significant difference")],
    ids=["better", "worse", "unsure"],
)
def test_verdict_of_a_comparison(comparison: Comparison, verdict: str):
    assert comparison.verdict == verdict


def test_a_significantly_higher_ter_is_worse():
    assert BETTER.model_copy(update={"metric": "ter"}).verdict == "worse"


def test_best_trial_is_the_one_whose_settings_were_taken():
    trials = [trial(8, 25.0), trial(16, 24.0)]
    assert full(trials=trials, best_config=trials[1]["config"]).best_trial() == 1


def test_best_trial_without_settings_has_the_highest_bleu():
    trials = [trial(8, None, "failed"), trial(16, 24.0), trial(32, 22.0)]
    assert full(trials=trials, best_config={}).best_trial() == 1


def test_without_a_scored_trial_there_is_no_best_trial():
    assert full(trials=[trial(8, None, "failed")]).best_trial() is None


@pytest.mark.parametrize(("chrf", "expected"), [(60.0, False), (40.0, True), (50.0, False)])
def test_metrics_disagree_when_chrf_moves_the_other_way(chrf: float, expected: bool):
    assert metrics_disagree(evaluation(chrf=chrf)) is expected


# Words


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (number(None), "not computed"),
        (number(0.0), "0.00"),
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
        (chance_verdict(UNSURE), "may be chance"),
        (chance_verdict(BETTER.model_copy(update={"p_value": 0.03})), "unlikely to be chance"),
        (chance_verdict(BETTER), "very unlikely to be chance"),
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
        "test base tuned change memory change",
        "BLEU 20.00 31.50 +11.50 25.25 +5.25",
        "TER 80.00 68.50 -11.50 74.75 -5.25 lower is better",
        "verdict tuned: significantly better than the base (p = 0.002, paired bootstrap of BLEU)",
        "verdict memory: significantly better than the base (p = 0.004, paired bootstrap of BLEU)",
        "general tuned: 40.00 -> 39.50 BLEU (-0.50): kept within 1 BLEU",
        "general memory: 40.00 -> 11.75 BLEU (-28.25): partly lost",
    ):
        assert part in text
