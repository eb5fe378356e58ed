"""Paired bootstrap resampling: intervals, p-values and agreement with sacreBLEU's own test."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.significance import PairedTest

from nmt.errors import DataError
from nmt.evaluation.significance import BleuDifference, ResampledBleu, compare, resample_bleu
from tests.support.runs.summaries import BETTER

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


@dataclass(frozen=True)
class Bootstrap:
    """A system and a baseline, resampled with the same draws, and how they compare."""

    base: ResampledBleu
    tuned: ResampledBleu
    compared: BleuDifference

    @property
    def is_significant(self) -> bool:
        row = BETTER.model_copy(
            update={
                "difference": self.compared.difference,
                "interval": self.compared.interval,
                "p_value": self.compared.p_value,
            }
        )
        return row.is_significant


def bootstrap(
    base: Sequence[str], tuned: Sequence[str], references: Sequence[str], **options: int
) -> Bootstrap:
    resampled = [resample_bleu(each, references, "tam_Taml", **options) for each in (base, tuned)]
    return Bootstrap(resampled[0], resampled[1], compare(*resampled))


@pytest.fixture(scope="module")
def better(references: list[str]) -> Bootstrap:
    return bootstrap(spoil(references, 0.4, 2), spoil(references, 0.2, 3), references)


def test_p_value_and_scores_are_those_of_sacrebleu(references: list[str]):
    base, tuned = spoil(references, 0.30, 2), spoil(references, 0.27, 3)
    found = bootstrap(base, tuned, references, samples=500, seed=12345)
    systems: list[tuple[str, Sequence[str]]] = [("base", base), ("tuned", tuned)]
    _, table = PairedTest(systems, {"bleu": BLEU()}, [references], test_type="bs", n_samples=500)()
    results: Any = table["BLEU"]
    assert 0.002 < found.compared.p_value < 1
    assert found.compared.p_value == pytest.approx(results[1].p_value)
    assert found.base.value == pytest.approx(results[0].score)
    assert found.tuned.value == pytest.approx(results[1].score)


def test_clearly_better_system_is_significant(better: Bootstrap):
    assert better.compared.p_value < 0.01
    assert better.is_significant


def test_clearly_worse_system_is_significant(references: list[str]):
    worse = bootstrap(spoil(references, 0.2, 2), spoil(references, 0.4, 3), references)
    assert worse.compared.interval[1] < 0
    assert worse.is_significant


def test_identical_systems_have_p_1(references: list[str]):
    system = spoil(references, 0.3, 2)
    found = bootstrap(system, system, references)
    assert found.compared.p_value == 1
    assert not found.is_significant


def test_small_difference_is_not_significant(references: list[str]):
    found = bootstrap(spoil(references, 0.3, 2), spoil(references, 0.3, 4), references)
    assert not found.is_significant


def test_interval_around_0_is_not_significant_for_any_p(better: Bootstrap):
    around_0 = replace(better.compared, interval=(-0.1, 9.0))
    assert not replace(better, compared=around_0).is_significant


def test_same_seed_gives_the_same_result(references: list[str], better: Bootstrap):
    again = bootstrap(spoil(references, 0.4, 2), spoil(references, 0.2, 3), references)
    assert again.compared == better.compared
    assert again.base.interval == better.base.interval
    assert again.tuned.interval == better.tuned.interval


def test_other_seed_gives_other_intervals(references: list[str], better: Bootstrap):
    other = bootstrap(spoil(references, 0.4, 2), spoil(references, 0.2, 3), references, seed=7)
    assert other.compared.interval != better.compared.interval
    assert other.tuned.value == better.tuned.value


def test_seed_comes_from_the_argument_not_the_environment(
    references: list[str], better: Bootstrap, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("SACREBLEU_SEED", "99")
    again = bootstrap(spoil(references, 0.4, 2), spoil(references, 0.2, 3), references)
    assert again.compared == better.compared


def test_intervals_surround_their_scores(better: Bootstrap):
    difference = better.compared.difference
    assert difference == better.tuned.value - better.base.value
    assert better.base.interval[0] < better.base.value < better.base.interval[1]
    assert better.tuned.interval[0] < better.tuned.value < better.tuned.interval[1]
    assert better.compared.interval[0] < difference < better.compared.interval[1]


def test_system_with_a_missing_hypothesis_is_refused(references: list[str]):
    with pytest.raises(DataError, match="99 hypotheses for 100 references"):
        resample_bleu(references[:-1], references, "tam_Taml")


def test_no_samples_are_refused(references: list[str]):
    with pytest.raises(DataError, match="samples"):
        resample_bleu(references, references, "tam_Taml", samples=0)
