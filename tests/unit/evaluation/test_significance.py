"""Paired bootstrap resampling: its verdicts, and agreement with sacreBLEU's own test."""

import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.significance import PairedTest

from nmt.errors import DataError
from nmt.evaluation.significance import paired_bootstrap
from nmt.runs.comparison import Significance

WORDS = [f"சொல்{index}" for index in range(60)]


def spoil(references: list[str], share: float, seed: int) -> list[str]:
    """Replace about this share of all words."""
    rng = random.Random(seed)
    return [
        " ".join(word if rng.random() > share else rng.choice(WORDS) for word in line.split())
        for line in references
    ]


@pytest.fixture(scope="module")
def references() -> list[str]:
    rng = random.Random(1)
    return [" ".join(rng.choices(WORDS, k=rng.randint(5, 12))) for _ in range(100)]


@pytest.fixture(scope="module")
def better(references: list[str]) -> Significance:
    return paired_bootstrap(
        spoil(references, 0.4, 2), spoil(references, 0.2, 3), references, "tam_Taml"
    )


def test_p_value_and_scores_are_those_of_sacrebleu(references: list[str]):
    base, best = spoil(references, 0.30, 2), spoil(references, 0.27, 3)
    found = paired_bootstrap(base, best, references, "tam_Taml", samples=500, seed=12345)
    systems: list[tuple[str, Sequence[str]]] = [("base", base), ("best", best)]
    _, table = PairedTest(systems, {"bleu": BLEU()}, [references], test_type="bs", n_samples=500)()
    results: Any = table["BLEU"]
    assert 0.002 < found.p_value < 1
    assert found.p_value == pytest.approx(results[1].p_value)
    assert found.base_bleu == pytest.approx(results[0].score)
    assert found.best_bleu == pytest.approx(results[1].score)


def test_clearly_better_system_is_significant(better: Significance):
    assert better.p_value < 0.01
    assert better.is_significant


def test_clearly_worse_system_is_significant(references: list[str]):
    worse = paired_bootstrap(
        spoil(references, 0.2, 2), spoil(references, 0.4, 3), references, "tam_Taml"
    )
    assert worse.difference_interval[1] < 0
    assert worse.is_significant


def test_identical_systems_have_p_1(references: list[str]):
    system = spoil(references, 0.3, 2)
    found = paired_bootstrap(system, system, references, "tam_Taml")
    assert found.p_value == 1
    assert not found.is_significant


def test_small_difference_is_not_significant(references: list[str]):
    found = paired_bootstrap(
        spoil(references, 0.3, 2), spoil(references, 0.3, 4), references, "tam_Taml"
    )
    assert not found.is_significant


def test_interval_that_holds_0_is_not_significant_whatever_p_says(better: Significance):
    assert not replace(better, difference_interval=(-0.1, 9.0)).is_significant


def test_same_seed_gives_the_same_result(references: list[str], better: Significance):
    again = paired_bootstrap(
        spoil(references, 0.4, 2), spoil(references, 0.2, 3), references, "tam_Taml"
    )
    assert again == better


def test_other_seed_gives_other_intervals(references: list[str], better: Significance):
    other = paired_bootstrap(
        spoil(references, 0.4, 2), spoil(references, 0.2, 3), references, "tam_Taml", seed=7
    )
    assert other.difference_interval != better.difference_interval
    assert other.best_bleu == better.best_bleu


def test_seed_comes_from_the_argument_not_the_environment(
    references: list[str], better: Significance, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("SACREBLEU_SEED", "99")
    again = paired_bootstrap(
        spoil(references, 0.4, 2), spoil(references, 0.2, 3), references, "tam_Taml"
    )
    assert again == better


def test_intervals_surround_their_scores(better: Significance):
    difference = better.best_bleu - better.base_bleu
    assert better.base_interval[0] < better.base_bleu < better.base_interval[1]
    assert better.best_interval[0] < better.best_bleu < better.best_interval[1]
    assert better.difference_interval[0] < difference < better.difference_interval[1]


@pytest.mark.parametrize("empty", ["base", "best"])
def test_system_with_a_missing_hypothesis_is_refused(references: list[str], empty: str):
    base, best = list(references), list(references)
    (base if empty == "base" else best).pop()
    with pytest.raises(DataError, match="99 hypotheses for 100 references"):
        paired_bootstrap(base, best, references, "tam_Taml")


def test_no_samples_are_refused(references: list[str]):
    with pytest.raises(DataError, match="samples"):
        paired_bootstrap(references, references, references, "tam_Taml", samples=0)
