"""Agreement, ranking and correlation agree with published examples."""

import math

import numpy as np
import pytest

from nmt.ratings.statistics.agreement import (
    agreement_of_raters,
    agreement_with_oneself,
    krippendorff_alpha,
    standardize,
    summarize_raters,
)
from nmt.ratings.statistics.correlation import correlate_metrics, kendall_tau, pearson
from nmt.ratings.statistics.ranking import (
    bradley_terry,
    expected_wins,
    find_clusters,
    rank_systems,
)
from tests.support.ratings.studies import design, outputs, rating

_ = math.nan
# Krippendorff 2011, Computing Krippendorff's Alpha-Reliability, example C.
OBSERVERS = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, _, _, _],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, _, 3],
    [_, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, _],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, _],
]
# American League 1987, Agresti, Categorical Data Analysis, table 10.10: wins of the row's team.
TEAMS = ("Milwaukee", "Detroit", "Toronto", "New York", "Boston", "Cleveland", "Baltimore")
WINS = np.array(
    [
        [0, 7, 9, 7, 7, 9, 11],
        [6, 0, 7, 5, 11, 9, 9],
        [4, 6, 0, 7, 7, 8, 12],
        [6, 8, 6, 0, 6, 7, 10],
        [6, 2, 6, 7, 0, 7, 12],
        [4, 4, 5, 6, 6, 0, 6],
        [2, 4, 1, 3, 1, 7, 0],
    ],
    dtype=float,
)


@pytest.mark.parametrize(
    ("level", "alpha"),
    [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849), ("ratio", 0.797)],
)
def test_alpha_is_that_of_krippendorffs_example(level, alpha):
    assert krippendorff_alpha(OBSERVERS, level) == pytest.approx(alpha, abs=0.0005)


def test_alpha_of_two_observers_is_that_of_krippendorffs_example():
    # Example A of the same paper: binary data, two observers.
    observers = [[0, 1, 0, 0, 0, 0, 0, 0, 1, 0], [1, 1, 1, 0, 0, 1, 0, 0, 0, 0]]
    assert krippendorff_alpha(observers, "nominal") == pytest.approx(0.095, abs=0.0005)


@pytest.mark.parametrize("values", [[], [[1, 2, 3]], [[1, _], [_, 2]], [[3, 3], [3, 3]]])
def test_alpha_is_unknown_where_nothing_can_be_compared(values):
    assert krippendorff_alpha(values, "interval") is None


def test_strengths_are_those_of_agrestis_example():
    strengths = bradley_terry(WINS)
    assert strengths is not None
    found = dict(zip(TEAMS, strengths - strengths[-1], strict=True))
    published = (1.581, 1.436, 1.294, 1.248, 1.108, 0.684, 0.0)
    assert found == pytest.approx(dict(zip(TEAMS, published, strict=True)), abs=0.001)


def test_a_system_that_never_loses_has_no_strength():
    assert bradley_terry(np.array([[0.0, 3.0], [0.0, 0.0]])) is None


def test_expected_wins_are_the_mean_share_of_wins_without_ties():
    wins = np.array([[0, 3, 1], [1, 0, 0], [1, 0, 0]], dtype=float)
    assert expected_wins(wins) == pytest.approx([(0.75 + 0.5) / 2, 0.25, 0.5])


def test_systems_that_were_never_told_apart_have_no_wins():
    assert expected_wins(np.zeros((2, 2))) == [None, None]


def test_a_cluster_begins_where_all_above_are_better_than_all_below():
    noise = np.random.default_rng(1).normal(size=(500, 4)) * 0.1

    def clusters(*means: float) -> list[int]:
        return find_clusters(noise + np.array(means))

    # The second is better than the fourth, but the first two and the last two overlap.
    assert clusters(3.0, 2.95, 1.0, 0.9) == [1, 1, 2, 2]
    assert clusters(3.0, 2.0, 1.0, 0.0) == [1, 2, 3, 4]
    assert clusters(0.0, 0.0, 0.0, 0.0) == [1, 1, 1, 1]


def test_correlations_are_those_of_a_hand_computed_example():
    one, other = np.array([1.0, 2.0, 3.0, 4.0]), np.array([1.0, 3.0, 2.0, 4.0])
    assert pearson(one, other) == pytest.approx(0.8)
    assert kendall_tau(one, other) == pytest.approx(2 / 3)


def test_ties_count_as_in_tau_b():
    # 5 pairs without ties in both, 4 concordant and 1 discordant; 1 tie on one side.
    one, other = np.array([1.0, 2.0, 3.0, 4.0]), np.array([1.0, 1.0, 3.0, 2.0])
    assert kendall_tau(one, other) == pytest.approx((4 - 1) / np.sqrt(6 * 5))


def test_what_does_not_vary_is_not_correlated():
    assert pearson(np.ones(3), np.arange(3.0)) is None
    assert kendall_tau(np.ones(3), np.arange(3.0)) is None


@pytest.mark.parametrize("value", [3.3, 70.1, 0.1])
def test_what_does_not_vary_is_not_correlated_by_the_rounding_of_its_mean(value):
    assert pearson(np.full(20, value), np.arange(20.0)) is None


@pytest.mark.parametrize("value", [3.3, 70.1, 0.1])
def test_the_standard_score_of_a_rater_who_always_gives_the_same_is_zero(value):
    ratings = [rating(at, {"old": value, "new": value}) for at in range(7)]
    assert set(standardize(ratings, design()).values()) == {0.0}


def two_raters():
    mild = [rating(at, {"old": 80.0 + at, "new": 90.0 + at}, "1") for at in range(6)]
    strict = [rating(at, {"old": 20.0 + at, "new": 30.0 + at}, "2") for at in range(6)]
    return [*mild, *strict], design(raters=("1", "2"))


def test_a_strict_and_a_mild_rater_have_the_same_standard_scores():
    ratings, study = two_raters()
    alone = standardize(ratings[:6], study)
    assert standardize(ratings, study) == pytest.approx(alone)


def test_raters_who_agree_in_nothing_but_the_order_have_a_low_alpha():
    ratings, study = two_raters()
    alpha = agreement_of_raters(ratings, study)["score"]
    assert alpha is not None
    assert alpha < 0


def test_the_better_system_comes_first_with_an_interval_around_its_mean():
    ratings, study = two_raters()
    best, other = rank_systems(ratings, study)
    assert (best.system, best.cluster, other.cluster) == ("new", 1, 2)
    assert best.mean == pytest.approx(62.5)
    assert best.mean_interval[0] <= best.mean <= best.mean_interval[1]
    assert best.strength is None
    assert best.expected_wins == 1.0


def test_controls_and_repeats_of_a_rater_are_counted():
    original = rating(0, {"old": 70.0, "new": 80.0})
    others = [
        rating(0, {"old": 74.0, "new": 78.0}, row="again", kind="repeat", original=original.row),
        rating(0, {"old": 10.0, "new": 80.0}, row="bad", kind="degraded", original=original.row,
               degraded="old"),
        rating(0, {"old": 70.0, "new": 80.0}, row="missed", kind="degraded", original=original.row,
               degraded="new"),
    ]  # fmt: skip
    (found,) = summarize_raters([original, *others], design())
    assert (found.rows, found.controls, found.controls_passed) == (1, 2, 1)
    assert found.repeat_difference == pytest.approx(3.0)
    assert found.warning is not None
    assert "rater '1' rated 1 of 2 degraded translations no lower" in found.warning


def test_repeats_give_the_agreement_of_a_rater_with_themselves():
    ratings = []
    for at in range(4):
        first = rating(at, {"old": 10.0 * at, "new": 90.0})
        again = rating(
            at, {"old": 10.0 * at, "new": 90.0}, row=f"a{at}", kind="repeat", original=first.row
        )
        ratings += [first, again]
    assert agreement_with_oneself(ratings, design())["score"] == pytest.approx(1.0)


def test_metrics_are_correlated_with_translations_and_with_differences():
    study = design(outputs(last_scores=[60.0 + number for number in range(40)]))
    ratings = []
    for at, segment in enumerate(study.segments[:10]):
        scores = [score or 0.0 for score in segment.scores["chrf++"]]
        ratings.append(rating(at, dict(zip(study.systems, scores, strict=True))))
    found = {each.what: each for each in correlate_metrics(ratings, study)}
    assert found["translations"].pearson == pytest.approx(1.0)
    assert found["differences"].kendall == pytest.approx(1.0)
    assert (found["translations"].count, found["differences"].count) == (20, 10)


def test_with_three_systems_their_means_are_correlated():
    study = design(outputs(systems=("a", "b", "c")))
    ratings = [rating(at, {"a": 10.0, "b": 20.0, "c": 30.0}) for at in range(5)]
    found = {each.what: each for each in correlate_metrics(ratings, study)}
    assert found["systems"].pearson == pytest.approx(1.0)
