"""What terminal and report say of a search over methods."""

from typing import Any

import pytest

from nmt.report.console import console_lines
from nmt.report.page import render_report
from nmt.runs.results import Summary
from nmt.runs.tuning import TrialDifference
from tests.support.runs.summaries import full

LORA = {"adapter.type": "lora", "adapter.rank": 8}
FULL = {"adapter.type": "none"}
LEAD = {"metric": "chrf", "settings": LORA, "sentences": 60}


def searched(**fields: Any) -> Summary:
    """The summary of a run that compared two methods by chrF."""
    methods = [
        {"method": "lora", "trials": 3, "score": 48.5, "seconds": 61.2, "trained_parameters": 9},
        {"method": "none", "trials": 2, "score": None, "seconds": 30.0},
    ]
    second = {**LEAD, "other": {**LORA, "adapter.rank": 4}, "difference": 0.5}
    between = [{**LEAD, "other": FULL, "difference": 3.0, "interval": (1.0, 5.0)}]
    given = {
        "validation_metric": "chrf",
        "methods": methods,
        "against_second": {**second, "interval": (-1.0, 2.0)},
        "between_methods": between,
    }
    return full(**{**given, **fields})


SENTENCES = (
    "best trial against the second: +0.50 chrF (95 % interval -1.00 to +2.00, 60 sentences); this "
    "may be chance",
    "best of lora against the best of none: +3.00 chrF (95 % interval +1.00 to +5.00, 60 "
    "sentences)",
)


@pytest.mark.parametrize("sentence", SENTENCES)
def test_the_lead_of_the_best_trial_is_told_with_its_interval(sentence: str) -> None:
    assert any(sentence in line for line in console_lines(searched()))
    assert sentence in render_report(searched())


def test_each_method_has_a_line() -> None:
    text = "\n".join(console_lines(searched()))
    assert "lora: chrF 48.50 (3 trials, 61 s)" in text
    assert "none: no score (2 trials, 30 s)" in text
    page = render_report(searched())
    assert "Methods that the search compared" in page
    assert "Best chrF" in page


def test_a_search_of_one_method_has_no_table_of_methods() -> None:
    assert "Methods that the search compared" not in render_report(full())


@pytest.mark.parametrize(
    ("metric", "interval", "is_chance"),
    [
        ("chrf", (0.1, 2.0), False),
        ("chrf", (-0.1, 2.0), True),
        ("ter", (-2.0, -0.1), False),
        ("ter", (-2.0, 0.1), True),
    ],
)
def test_a_lead_may_be_chance_where_its_interval_reaches_zero(
    metric: str, interval: tuple[float, float], is_chance: bool
) -> None:
    found = TrialDifference.model_validate(
        {**LEAD, "metric": metric, "other": FULL, "difference": 1.0, "interval": interval}
    )
    assert found.may_be_chance == is_chance
