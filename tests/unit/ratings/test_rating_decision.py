"""When ratings accept, reject, or ask for more."""

import numpy as np
import pytest

from nmt.errors import InputError
from nmt.ratings.decision import decide, decide_by_differences, fit_slope
from nmt.ratings.statistics.gain import GainEstimate, estimate_gain
from nmt.ratings.statistics.pocock import crossing_chance, pocock_bound
from tests.support.ratings.studies import design, outputs, rating


def rate(count, gain, spread=2.0):
    """Rate the first segments, with differences around a gain."""
    signs = [spread * (-1) ** segment for segment in range(count)]
    return [
        rating(segment, {"old": 50.0, "new": 50.0 + gain + sign})
        for segment, sign in enumerate(signs)
    ]


@pytest.mark.parametrize(
    ("looks", "bound"), [(1, 1.645), (2, 1.875), (4, 2.067), (5, 2.122), (6, 2.164), (10, 2.270)]
)
def test_the_bounds_are_those_of_pocock(looks, bound):
    assert pocock_bound(looks, 0.05) == pytest.approx(bound, abs=0.001)


def test_a_two_sided_level_has_the_published_bound():
    # Pocock 1977, table 1: five looks, 5 % two-sided.
    assert pocock_bound(5, 0.025) == pytest.approx(2.413, abs=0.0005)


def test_the_chance_to_cross_agrees_with_a_simulation():
    data = np.random.default_rng(1).normal(size=(40_000, 4)).cumsum(axis=1)
    z = data / np.sqrt(np.arange(1, 5))
    assert crossing_chance(2.0, 4) == pytest.approx((z >= 2.0).any(axis=1).mean(), abs=0.004)


def test_a_clear_gain_is_accepted_at_the_first_look():
    found = decide(rate(20, 8.0), design())
    assert (found.answer, found.looks, found.ratings_used) == ("accept", 1, 20)
    assert found.estimate == pytest.approx(8.0)
    assert found.next_batch is None


def test_no_gain_is_rejected():
    assert decide(rate(20, 0.0), design()).answer == "reject"


def test_fewer_than_twenty_sentences_accept_nothing():
    # Differences of ranks that all agree by chance have no spread.
    study = design(outputs(40, same=35), protocol="pairwise", gain=1.0)
    found = decide_by_differences(dict.fromkeys(range(5), 100.0), study)
    assert (found.answer, found.looks_left) == ("undecided", 0)
    assert "fewer than 20 sentences accept nothing" in found.reason


@pytest.mark.parametrize("differing", [0, 4])
@pytest.mark.parametrize("other", [-100.0, 100.0])
def test_a_small_sample_that_is_nearly_all_ties_decides_nothing(differing, other):
    values = [other] * differing + [0.0] * (20 - differing)
    study = design(protocol="pairwise", gain=50.0)
    found = decide_by_differences(dict(enumerate(values)), study)
    assert (found.answer, found.next_batch) == ("undecided", 2)


def test_a_small_sample_in_which_all_win_by_the_same_decides_nothing():
    found = decide(rate(20, 3.3, spread=0.0), design())
    assert found.answer == "undecided"
    assert "nearly all of the 20 differences are equal" in found.reason


def test_a_small_sample_with_five_sentences_that_are_told_apart_decides():
    values = [-100.0] * 5 + [0.0] * 15
    study = design(protocol="pairwise")
    assert decide_by_differences(dict(enumerate(values)), study).answer == "reject"


def test_fifty_ties_are_enough_to_reject():
    study = design(outputs(100), rows=50, protocol="pairwise")
    assert decide_by_differences(dict.fromkeys(range(50), 0.0), study).answer == "reject"


def test_a_gain_that_ties_hide_from_most_small_samples_is_rarely_rejected():
    # 1 of 10 sentences is won, the others are ties: the least gain that matters.
    study = design(outputs(120), rows=20, looks=6, protocol="pairwise")
    draws = np.random.default_rng(4).choice([100.0, 0.0], (1000, 120), p=[0.1, 0.9])
    found = [decide_by_differences(dict(enumerate(row)), study) for row in draws]
    assert [each.answer for each in found].count("reject") / 1000 < 0.05


def test_an_unclear_gain_asks_for_the_next_batch():
    found = decide(rate(20, 3.0, spread=9.0), design())
    assert (found.answer, found.looks_left, found.next_batch) == ("undecided", 1, 2)
    assert found.missing == 20


def test_after_the_last_look_nothing_more_is_asked_for():
    found = decide(rate(40, 2.5, spread=9.0), design())
    assert (found.answer, found.looks_left, found.next_batch) == ("undecided", 0, None)


def test_an_incomplete_batch_is_not_looked_at():
    found = decide(rate(19, 8.0), design())
    assert (found.answer, found.looks, found.missing) == ("undecided", 0, 1)
    assert "19 of its 20" in found.reason


def test_a_sentence_that_all_raters_get_waits_for_all_of_them():
    study = design(raters=("1", "2"), shared=2)
    found = decide(rate(20, 8.0), study)
    assert (found.looks, found.missing) == (0, 2)
    others = [rating(at, {"old": 50.0, "new": 54.0}, "2") for at in range(2)]
    assert decide([*rate(20, 8.0), *others], study).looks == 1


def test_an_answer_stays_whatever_comes_later():
    later = [rating(segment, {"old": 90.0, "new": 10.0}) for segment in range(20, 40)]
    assert decide([*rate(20, 8.0), *later], design()).answer == "accept"


def test_repeats_and_degraded_rows_do_not_count():
    others = [
        rating(3, {"old": 90.0, "new": 0.0}, row=f"x{kind}", kind=kind)
        for kind in ("repeat", "degraded")
    ]
    assert decide([*rate(20, 8.0), *others], design()) == decide(rate(20, 8.0), design())


def test_a_strict_rater_counts_like_a_mild_one():
    ratings = rate(20, 8.0)
    strict = [
        rating(each.segment, {name: fields["score"] - 30 for name, fields in each.values.items()})
        for each in ratings[5:]
    ]
    mixed = decide([*ratings[:5], *strict], design())
    assert mixed == decide(ratings, design())


def test_sentences_with_equal_translations_count_as_no_difference():
    study = design(outputs(80, same=40))
    assert len(study.segments) == 40
    assert decide(rate(20, 8.0), study).estimate == pytest.approx(4.0)


def test_the_control_variate_corrects_a_draw_of_easy_sentences():
    metric = np.array([2.0, 4.0, 6.0, 8.0])
    found = estimate_gain(metric[2:] * 3, metric[2:], metric, slope=3.0, share_differing=1.0)
    assert found.gain == pytest.approx(15.0)


def test_losses_in_few_sentences_make_a_gain_less_sure():
    few_losses = GainEstimate(gain=2.0, error=1.0, skewness=-2.0, count=50)
    few_wins = GainEstimate(gain=2.0, error=1.0, skewness=2.0, count=50)
    even = GainEstimate(gain=2.0, error=1.0, skewness=0.0, count=50)
    assert few_losses.z() < even.z() == 2.0
    assert few_wins.z() == even.z()
    # What few sentences win may be more than they show.
    assert few_wins.bounds(2.0)[1] > even.bounds(2.0)[1] == 4.0


@pytest.mark.parametrize("skewness", [-3.0, -0.5, 0.0, 0.5, 3.0])
@pytest.mark.parametrize("gain", [-4.0, 0.5, 2.0, 3.0])
def test_the_lower_bound_is_above_zero_exactly_if_z_exceeds_its_bound(skewness, gain):
    found = GainEstimate(gain, error=1.0, skewness=skewness, count=30)
    for bound in (0.4, 1.3, 1.9, 2.1, 3.1):
        assert (found.bounds(bound)[0] > 0) == (found.z() > bound)


@pytest.mark.parametrize("skewness", [5e-324, 1e-51, -1e-17, 1e-15, 1e-9])
def test_a_skewness_by_rounding_alone_changes_nothing(skewness):
    even = GainEstimate(gain=2.0, error=1.0, skewness=0.0, count=50)
    rounded = GainEstimate(gain=2.0, error=1.0, skewness=skewness, count=50)
    assert rounded.z() == pytest.approx(even.z())
    assert rounded.bounds(1.9) == pytest.approx(even.bounds(1.9))


def _rare_losses(random, shape):
    """Draw gains of 6.7 points in 90 of 100 sentences and losses of 60 in the others: mean 0."""
    even = np.where(random.random(shape) < 0.1, -60.0, 60.0 / 9)
    return even + random.normal(0, 3, shape)


@pytest.mark.parametrize(
    ("draw", "most"),
    [
        (lambda random, shape: random.normal(0, 15, shape), 7.5),
        (lambda random, shape: 15 - random.exponential(15, shape), 8),
        (_rare_losses, 5),
    ],
)
def test_equal_systems_are_rarely_accepted_however_their_differences_are_spread(draw, most):
    study = design(outputs(300), rows=50, looks=6)
    draws = draw(np.random.default_rng(0), (1000, 300))
    found = [decide_by_differences(dict(enumerate(row)), study) for row in draws]
    assert 100 * [each.answer for each in found].count("accept") / 1000 < most


def test_the_slope_of_an_earlier_study_is_found():
    study = design(outputs(40, last_scores=[40.0 + number for number in range(40)]))
    ratings = []
    for place, segment in enumerate(study.segments):
        old, new = (score or 0.0 for score in segment.scores["chrf++"])
        ratings.append(rating(place, {"old": 50.0, "new": 50.0 + 0.4 * (new - old)}))
    assert fit_slope(ratings, study) == pytest.approx(0.4)


def test_a_study_without_a_gain_decides_nothing():
    with pytest.raises(InputError, match="two systems"):
        decide([], design(protocol="post-editing"))


@pytest.mark.parametrize(
    ("systems", "protocol"), [(("a", "b", "c"), "da"), (("a", "b"), "post-editing")]
)
def test_a_study_that_decides_nothing_has_no_slope(systems, protocol):
    study = design(outputs(systems=systems), protocol=protocol)
    with pytest.raises(InputError, match="study 'first' decides nothing"):
        fit_slope([rating(0, dict.fromkeys(systems, 50.0))], study)


@pytest.mark.parametrize(
    ("truth", "accepted", "rejected", "sentences"),
    [(0, 5, 89, 150), (1, 23, 58, 191), (3, 89, 5, 150), (5, 100, 0, 82)],
)
def test_six_looks_err_as_often_as_documented(truth, accepted, rejected, sentences):
    study = design(outputs(300), rows=50, looks=6)
    draws = np.random.default_rng(truth).normal(truth, 15.6, (400, 300))
    found = [decide_by_differences(dict(enumerate(row)), study) for row in draws]
    answers = [each.answer for each in found]
    assert 100 * answers.count("accept") / 400 == pytest.approx(accepted, abs=5)
    assert 100 * answers.count("reject") / 400 == pytest.approx(rejected, abs=5)
    assert np.mean([each.ratings_used for each in found]) == pytest.approx(sentences, abs=15)
