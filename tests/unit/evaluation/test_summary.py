"""The summary's types and console lines."""

import re
from typing import Any

import pytest
from pydantic import ValidationError

from nmt.evaluation.systems import summarize_system
from nmt.metrics import score_all
from nmt.report.formatting import (
    chance_verdict,
    change,
    clean,
    duration,
    general_verdict,
    number,
    probability,
)
from nmt.report.highlight import mark_differences, split_words
from nmt.report.summary import Summary, console_lines, metrics_disagree
from tests.support.runs.summaries import BASE, REFERENCE, SIGNIFICANCE, bare, full, system, trial

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
    scores = score_all([BASE], [REFERENCE], "tam_Taml")
    made = summarize_system(scores, None)
    assert made.bleu == scores["bleu"].value
    assert made.scores["ter"].signature == scores["ter"].signature
    assert made.general_bleu is None
    assert summarize_system(scores, scores).general_bleu == made.bleu


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
    assert "verdict     not computed" in text
    assert "general     not computed" in text
    assert not re.search(r"\b0\.00\b", text)


def test_console_lines_are_at_most_20_with_many_notes():
    assert len(console_lines(full(notes=["note"] * 40))) <= 20


def test_console_lines_hold_no_control_characters():
    endpoint = {"checked": True, "source": "a\nb\x1b[31m", "target": "\u202ec"}
    text = "".join(console_lines(full(endpoint=endpoint)))
    assert not re.search("[\x00-\x1f\u202e]", text)
