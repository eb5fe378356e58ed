"""The types of a summary and of an evaluation."""

from typing import Any

import pytest
from pydantic import ValidationError

from nmt.errors import StorageError
from nmt.runs.evaluation import Comparison, EvaluationResult
from nmt.runs.results import Summary
from nmt.runs.step_result import read_result
from tests.support.runs.summaries import (
    BETTER,
    UNSURE,
    WORSE,
    bare,
    evaluation,
    full,
    score,
    trial,
)


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
