"""The choice among sampled translations."""

import pytest
from sacrebleu.metrics.chrf import CHRF

from nmt.decoding.consensus import rank_samples

SAMPLES = ["we need water", "we need a boat", "we need water", "he sees the water", "", "we need"]


def test_the_utility_is_the_mean_chrf_with_all_samples() -> None:
    chrf = CHRF()
    for place, utility in rank_samples(SAMPLES):
        scores = [chrf.sentence_score(SAMPLES[place], [other]).score for other in SAMPLES]
        assert utility == pytest.approx(sum(scores) / len(scores))


def test_distinct_samples_are_ranked_and_the_most_typical_is_first() -> None:
    found = rank_samples(SAMPLES)
    assert found[0].place == 0
    assert found[-1].place == 4
    assert sorted(sample.place for sample in found) == [0, 1, 3, 4, 5]
    utilities = [sample.utility for sample in found]
    assert utilities == sorted(utilities, reverse=True)


def test_of_equally_typical_samples_the_earlier_one_is_taken() -> None:
    assert [sample.place for sample in rank_samples(["ab", "cd", "ef"])] == [0, 1, 2]
    assert rank_samples(["", ""])[0].place == 0
