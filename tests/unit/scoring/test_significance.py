"""How sure differences are: standard errors, p-values, and agreement with sacreBLEU's bootstrap."""

import math
import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF
from sacrebleu.significance import PairedTest

from nmt.errors import DataError
from nmt.metrics import SegmentStatistics, statistics
from nmt.runs.evaluation import COMPARED_METRICS
from nmt.scoring.significance import resampling
from nmt.scoring.significance.differences import (
    Difference,
    MeasuredScore,
    Part,
    SentenceMeans,
    compare,
    influence,
    measure,
    number_documents,
)
from nmt.scoring.significance.resampling import resample
from nmt.scoring.significance.student_t import two_sided_p

WORDS = [f"சொல்{index}" for index in range(60)]
METRICS = {"bleu": BLEU(), "chrf": CHRF(), "chrf++": CHRF(word_order=2)}
# sacreBLEU's default, which it takes from the environment.
SEED = 12345


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


def count(system: Sequence[str], references: Sequence[str], metric: str) -> SegmentStatistics:
    return statistics(metric, system, [references], "tam_Taml")


def measure_each(
    systems: dict[str, list[str]],
    references: list[str],
    metric: str = "chrf++",
    *,
    documents: Sequence[str] | None = None,
    samples: int = 500,
    seed: int = SEED,
) -> dict[str, MeasuredScore]:
    counts = {(name, metric): count(text, references, metric) for name, text in systems.items()}
    units = None if documents is None else number_documents(documents)
    measured = measure(counts, units, samples=samples, seed=seed)
    return {name: score for (name, _), score in measured.items()}


def difference(
    base: list[str], tuned: list[str], references: list[str], metric: str = "chrf++", **options: Any
) -> Difference:
    found = measure_each({"base": base, "tuned": tuned}, references, metric, **options)
    return compare(found["base"], found["tuned"])


@pytest.mark.parametrize("metric", COMPARED_METRICS)
def test_scores_and_bootstrap_p_are_those_of_sacrebleu(metric: str, references: list[str]):
    base, tuned = spoil(references, 0.30, 2), spoil(references, 0.27, 3)
    found = measure_each({"base": base, "tuned": tuned}, references, metric)
    systems: list[tuple[str, Sequence[str]]] = [("base", base), ("tuned", tuned)]
    test = PairedTest(systems, {"m": METRICS[metric]}, [references], test_type="bs", n_samples=500)
    rows: Any = next(values for name, values in test()[1].items() if name != "System")
    assert found["base"].value == pytest.approx(rows[0].score)
    assert found["tuned"].value == pytest.approx(rows[1].score)
    p_value = compare(found["base"], found["tuned"]).bootstrap_p
    assert 0.002 < p_value < 1
    assert p_value == pytest.approx(rows[1].p_value)


@pytest.mark.parametrize("metric", COMPARED_METRICS)
def test_influences_add_up_to_no_change_and_agree_with_leaving_a_sentence_out(
    metric: str, references: list[str]
):
    counts = count(spoil(references, 0.3, 2), references, metric)
    found = influence(counts)
    total = counts.counts.sum(axis=0).astype(float)
    without = counts.corpus(total - counts.counts)
    left_out = len(found) * (counts.corpus(total) - without)
    # The score depends on proportions alone, so all sentences together move it nowhere.
    assert abs(found.mean()) < 0.01
    assert np.corrcoef(found, left_out)[0, 1] > 0.99
    assert found == pytest.approx(left_out, abs=3)


@pytest.mark.parametrize("metric", COMPARED_METRICS)
def test_standard_error_agrees_with_the_spread_of_the_bootstrap(metric: str, references: list[str]):
    base, tuned = spoil(references, 0.4, 2), spoil(references, 0.3, 3)
    systems = {"base": base, "tuned": tuned}
    found = measure_each(systems, references, metric, samples=4000)
    error = compare(found["base"], found["tuned"]).standard_error
    spread = np.std(found["tuned"].resampled - found["base"].resampled)
    assert error == pytest.approx(spread, rel=0.06)


@pytest.mark.parametrize("metric", COMPARED_METRICS)
def test_clearly_better_system_has_a_small_p(metric: str, references: list[str]):
    found = difference(spoil(references, 0.4, 2), spoil(references, 0.2, 3), references, metric)
    assert found.value > 0
    assert found.p_value < 0.001
    assert found.interval[0] > 0


def test_p_value_is_two_sided(references: list[str]):
    systems = [spoil(references, 0.3, 2), spoil(references, 0.28, 3)]
    found, reverse = (
        difference(first, second, references) for first, second in (systems, systems[::-1])
    )
    t = found.value / found.standard_error
    assert found.p_value == pytest.approx(two_sided_p(t, 99))
    assert reverse.p_value == pytest.approx(found.p_value)
    assert reverse.value == -found.value


@pytest.mark.parametrize("metric", COMPARED_METRICS)
def test_equal_translations_have_no_error_and_p_1(metric: str, references: list[str]):
    system = spoil(references, 0.3, 2)
    found = difference(system, system, references, metric)
    assert found == Difference(0, (0, 0), standard_error=0, p_value=1, bootstrap_p=1, detectable=0)


def test_same_counts_in_other_sentences_are_not_a_difference(references: list[str]):
    # The same sentences twice, and each system spoils the other half.
    spoilt, twice = spoil(references, 0.3, 2), references * 2
    found = difference(spoilt + references, references + spoilt, twice)
    assert found.standard_error > 0
    assert found.p_value == 1


@pytest.mark.parametrize("metric", ["bleu", "chrf++"])
def test_equal_systems_are_called_different_in_5_percent_of_trials(
    metric: str, references: list[str]
):
    both = [count(spoil(references, 0.3, seed), references, metric) for seed in (2, 3)]
    joined = replace(both[0], counts=np.concatenate([each.counts for each in both]))
    rng, size, trials = np.random.default_rng(4), len(references), 400
    called = 0
    for _ in range(trials):
        drawn = rng.integers(size, size=size)
        # Which system made which translation is decided by a coin, so neither is better.
        coins = rng.integers(2, size=size)
        pair = {
            ("base", metric): Part(joined, drawn + size * coins),
            ("tuned", metric): Part(joined, drawn + size * (1 - coins)),
        }
        found = measure(pair, None, samples=1, seed=1)
        called += compare(found["base", metric], found["tuned", metric]).p_value < 0.05
    # Of 400 trials, chance moves the share by 1.1 percent.
    assert 0.03 < called / trials < 0.07


def test_detectable_difference_is_found_in_80_percent_of_trials(references: list[str]):
    rng, trials, size = np.random.default_rng(3), 1000, 200
    found = 0
    for _ in range(trials):
        base = rng.normal(50, 10, size)
        # Standard error of the mean of differences with a deviation of 10.
        true = (1.959964 + 0.841621) * 10 / math.sqrt(size)
        pair = {
            ("base", "mean"): SentenceMeans(base),
            ("tuned", "mean"): SentenceMeans(base + rng.normal(true, 10, size)),
        }
        measured = measure(pair, None, samples=1, seed=1)
        compared = compare(measured["base", "mean"], measured["tuned", "mean"])
        assert compared.detectable == pytest.approx(true, rel=0.3)
        found += compared.p_value < 0.05
    assert 0.77 < found / trials < 0.83


def test_documents_are_judged_as_wholes(references: list[str]):
    # Each sentence ten times: ten times the sentences say no more than one document of them.
    repeated = [line for line in references[:40] for _ in range(10)]
    base, tuned = (
        [line for line in spoil(references[:40], 0.3, seed) for _ in range(10)] for seed in (2, 3)
    )
    documents = [f"document {index // 10}" for index in range(len(repeated))]
    once = difference(base[::10], tuned[::10], repeated[::10])
    whole = difference(base, tuned, repeated, documents=documents)
    sentences = difference(base, tuned, repeated)
    assert whole.value == pytest.approx(once.value)
    assert whole.standard_error == pytest.approx(once.standard_error)
    assert whole.interval == pytest.approx(once.interval)
    assert sentences.standard_error == pytest.approx(whole.standard_error / math.sqrt(10), rel=0.02)


def test_few_equal_documents_are_called_different_in_5_percent_of_trials():
    rng, trials, documents = np.random.default_rng(8), 1000, 8
    called = 0
    for _ in range(trials):
        pair = {
            (name, "mean"): SentenceMeans(rng.normal(50, 10, documents)) for name in ("one", "two")
        }
        found = measure(pair, None, samples=1, seed=1)
        called += compare(found["one", "mean"], found["two", "mean"]).p_value < 0.05
    # The normal distribution would call 9 % different.
    assert 0.035 < called / trials < 0.065


def test_sentences_of_a_document_need_not_follow_each_other():
    assert number_documents(["b", "a", "b"]).tolist() == [0, 1, 0]


def test_means_of_documents_of_different_sizes_are_means_of_sentences():
    means = SentenceMeans(np.array([10.0, 20.0, 60.0]))
    measured = measure({("a", "meteor"): means}, np.array([0, 0, 1]), samples=50, seed=1)
    assert measured["a", "meteor"].value == 30
    # Both documents, or one of them twice.
    assert set(measured["a", "meteor"].resampled.tolist()) == {15, 30, 60}


def test_intervals_surround_their_scores(references: list[str]):
    systems = {"base": spoil(references, 0.4, 2), "tuned": spoil(references, 0.2, 3)}
    for score in measure_each(systems, references).values():
        assert score.interval
        assert score.interval[0] < score.value < score.interval[1]
    found = difference(systems["base"], systems["tuned"], references)
    assert found.interval[0] < found.value < found.interval[1]


def test_seed_decides_the_intervals_and_nothing_else(
    references: list[str], monkeypatch: pytest.MonkeyPatch
):
    pair = spoil(references, 0.4, 2), spoil(references, 0.2, 3)
    found = difference(*pair, references)
    monkeypatch.setenv("SACREBLEU_SEED", "99")
    assert difference(*pair, references) == found
    other = difference(*pair, references, seed=7)
    assert other.interval != found.interval
    assert (other.value, other.standard_error) == (found.value, found.standard_error)


def test_large_sets_are_resampled_in_blocks_with_the_same_draws(monkeypatch: pytest.MonkeyPatch):
    counts = np.random.default_rng(1).normal(size=(37, 3))
    at_once = resample(counts, 50, seed=5)
    monkeypatch.setattr(resampling, "DRAWS_AT_ONCE", 4 * 37)
    assert resample(counts, 50, seed=5) == pytest.approx(at_once, rel=1e-12)
    drawn = np.random.default_rng(5).choice(37, (50, 37))
    assert at_once == pytest.approx(counts[drawn].sum(axis=1))


def test_no_samples_are_refused():
    with pytest.raises(DataError, match="samples"):
        resample(np.ones((3, 2)), 0, seed=1)
