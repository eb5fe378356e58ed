"""The chance that a translation is usable, as its confidence shows it."""

import math

import numpy as np
import pytest

from nmt.scoring.confidence import (
    MIN_SENTENCES,
    Calibration,
    fit_calibration,
    summarize_confidence,
)

CALIBRATION = Calibration(slope=4, intercept=2, threshold=60, sentences=100)


def sample(count: int) -> tuple[list[float], list[float]]:
    """Draw confidences, and chrF++ that is above 60 with a chance of logistic(4 c + 2)."""
    generator = np.random.default_rng(1)
    confidences = generator.normal(-0.6, 0.3, count)
    usable = generator.random(count) < 1 / (1 + np.exp(-(4 * confidences + 2)))
    return confidences.tolist(), np.where(usable, 80.0, 40.0).tolist()


def test_the_curve_that_made_the_data_is_found() -> None:
    calibration = fit_calibration(*sample(20_000), threshold=60)
    assert calibration
    assert calibration.slope == pytest.approx(4, abs=0.2)
    assert calibration.intercept == pytest.approx(2, abs=0.15)
    assert (calibration.threshold, calibration.sentences) == (60, 20_000)


def test_the_estimated_share_is_the_share_of_the_data() -> None:
    confidences, chrf = sample(1000)
    calibration = fit_calibration(confidences, chrf, threshold=60)
    assert calibration
    estimated = [calibration.estimate(confidence) for confidence in confidences]
    assert np.mean(estimated) == pytest.approx(np.mean(np.array(chrf) >= 60), abs=0.002)


def test_confidences_that_separate_the_usable_ones_give_a_finite_curve() -> None:
    confidences = np.linspace(-2, 0, 100)
    calibration = fit_calibration(
        confidences.tolist(), np.where(confidences > -1, 80.0, 20.0), threshold=60
    )
    assert calibration
    assert math.isfinite(calibration.slope)
    assert calibration.estimate(-2) < 0.05
    assert calibration.estimate(0) > 0.95


@pytest.mark.parametrize(("chrf", "chance"), [(80.0, 41 / 42), (20.0, 1 / 42)])
def test_equal_quality_gives_the_share_with_one_sentence_of_doubt(
    chrf: float, chance: float
) -> None:
    calibration = fit_calibration(np.linspace(-2, 0, 40).tolist(), [chrf] * 40, threshold=60)
    assert calibration
    assert calibration.estimate(-1) == pytest.approx(chance, abs=1e-6)
    assert calibration.slope == pytest.approx(0, abs=1e-6)


def test_equal_confidences_give_the_share_of_usable_ones() -> None:
    calibration = fit_calibration([-0.3] * 40, [80.0] * 10 + [20.0] * 30, threshold=60)
    assert calibration
    assert calibration.estimate(-0.3) == pytest.approx(0.25, abs=0.02)


def test_too_few_confidences_give_no_calibration() -> None:
    known, missing = [-0.3] * (MIN_SENTENCES - 1), [None, math.nan, -math.inf]
    chrf = [80.0] * (len(known) + len(missing))
    assert fit_calibration([*known, *missing], chrf, 60) is None
    assert fit_calibration([-0.2, *known, *missing], [50.0, *chrf], 60) is not None


def test_an_estimate_of_any_confidence_is_a_chance() -> None:
    assert CALIBRATION.estimate(-0.5) == pytest.approx(0.5)
    assert CALIBRATION.estimate(-1e9) == pytest.approx(0)
    assert CALIBRATION.estimate(1e9) == pytest.approx(1)


def test_a_summary_has_five_equally_filled_bins() -> None:
    confidences, chrf = sample(1003)
    summary = summarize_confidence("test", "tuned", confidences, chrf, CALIBRATION)
    assert summary
    assert [each.sentences for each in summary.bins] == [201, 201, 201, 200, 200]
    means = [each.confidence for each in summary.bins]
    assert means == sorted(means)
    assert all(abs(each.estimated - each.usable) < 0.12 for each in summary.bins)
    assert summary.usable == pytest.approx(np.mean(np.array(chrf) >= 60))
    assert summary.estimated == pytest.approx(summary.usable, abs=0.05)
    assert summary.correlation == pytest.approx(np.corrcoef(confidences, chrf)[0, 1])
    assert summary.threshold == 60


@pytest.mark.parametrize(
    ("confidences", "chrf"), [([-0.3] * 7, [1.0, 2, 3, 4, 5, 6, 7]), ([-0.3, -0.2], [50.0, 50.0])]
)
def test_equal_values_have_no_correlation(confidences: list[float], chrf: list[float]) -> None:
    summary = summarize_confidence("test", "tuned", confidences, chrf, CALIBRATION)
    assert summary
    assert summary.correlation is None
    assert sum(each.sentences for each in summary.bins) == len(chrf)


def test_sentences_without_a_confidence_are_left_out_of_a_summary() -> None:
    summary = summarize_confidence("test", "tuned", [-0.5, None], [80, 20], CALIBRATION)
    assert summary
    assert (summary.usable, summary.estimated) == (1, pytest.approx(0.5))
    assert summarize_confidence("test", "tuned", [None], [80], CALIBRATION) is None
