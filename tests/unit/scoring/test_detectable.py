import numpy as np
import pytest

from nmt.scoring.significance.detectable import Likeness, measure_likeness, predict_detectable

SIZE = 1012
UNRELATED = Likeness(agreement=80, equal=0.03, distances=np.full(SIZE, 20.0))
SCORES = np.full(SIZE, 50.0)


def kin(differing: float, distance: float) -> Likeness:
    """Make two systems that differ by a distance in a share of the sentences."""
    distances = np.where(np.arange(SIZE) < differing * SIZE, distance, 0.0)
    return Likeness(100 - float(distances.mean()), 1 - differing, distances)


def test_of_unrelated_systems_the_detectable_difference_follows_from_their_agreement():
    # 2.80 * 1.81 * sqrt(100 - 80) / sqrt(1012)
    assert predict_detectable("chrf++", UNRELATED, SCORES) == pytest.approx(0.713, abs=0.001)
    assert predict_detectable("bleu", UNRELATED, SCORES) == pytest.approx(1.083, abs=0.001)
    assert predict_detectable("chrf", UNRELATED, SCORES) == pytest.approx(0.697, abs=0.001)


def test_of_kin_systems_it_follows_from_the_sentences_that_differ():
    # 2.80 * 0.28 * 30 * sqrt(0.25) / sqrt(1012)
    assert predict_detectable("chrf++", kin(0.25, 30), SCORES) == pytest.approx(0.370, abs=0.002)


def test_a_translation_further_away_than_the_reference_must_lose_the_rest_of_the_way():
    # Of 25 % of the sentences, 80 - (100 - 50) = 30 is lost; the deviation is 30 * sqrt(.25 * .75).
    predicted = predict_detectable("chrf++", kin(0.25, 80), SCORES)
    assert predicted == pytest.approx(2.80 * 30 * (0.25 * 0.75) ** 0.5 / SIZE**0.5, rel=0.01)


def test_a_larger_set_detects_a_smaller_difference():
    here = predict_detectable("chrf++", UNRELATED, SCORES)
    larger = predict_detectable("chrf++", UNRELATED, SCORES, sentences=4 * SIZE)
    assert here
    assert larger == pytest.approx(here / 2, rel=0.01)


def test_other_metrics_single_sentences_and_equal_systems_have_no_prediction():
    assert predict_detectable("meteor", UNRELATED, SCORES) is None
    assert predict_detectable("chrf++", UNRELATED, SCORES, sentences=1) is None
    assert predict_detectable("chrf++", kin(0, 0), SCORES) is None


def test_likeness_takes_the_direction_in_which_two_translations_agree_less():
    whole, half = "the doctor is at home today", "the doctor is"
    cut = measure_likeness([half], [whole])
    grown = measure_likeness([whole], [half])
    assert cut.distances == pytest.approx(grown.distances)
    assert grown.agreement > cut.agreement
    assert cut.equal == 0


def test_systems_that_translate_a_quarter_alike_are_kin():
    assert not UNRELATED.are_kin
    assert kin(0.5, 40).are_kin
    assert Likeness(90, 0.0, np.full(SIZE, 10.0)).are_kin
