"""The rules by which an engine is accepted, rejected, or left undecided."""

import pytest

from nmt.config import GateConfig
from nmt.evaluation.gate.decision import Decision
from nmt.runs.gate import GateRule
from tests.support.evaluation.gate_results import SetFigures, decide_on

GOOD = SetFigures(1.5, 0.25)


def rule(decision: Decision, name: str, test_set: str | None = None) -> GateRule:
    (found,) = [r for r in decision.rules if (r.name, r.test_set) == (name, test_set)]
    return found


@pytest.mark.parametrize(
    ("difference", "error", "verdict"),
    [
        (1.5, 0.25, "accept"),
        (1.0, 0.25, "accept"),
        (0.95, 0.25, "undecided"),  # the least gain is 1.0, and may be true
        (1.5, 0.95, "undecided"),  # the gain may be chance
        (0.4, 0.25, "reject"),  # at most 0.81
        (-0.5, 0.25, "reject"),
    ],
)
def test_a_gain_must_be_large_enough_and_not_chance(difference, error, verdict):
    assert decide_on({"news": SetFigures(difference, error)}).verdict == verdict


def test_each_rule_is_reported_with_its_figure_and_its_limit():
    decision = decide_on({"news": GOOD})
    gain = rule(decision, "gain")
    assert (gain.figure, gain.limit, gain.outcome) == (1.5, 1.0, "passed")
    assert "+1.50 chrF++, between +1.09 and +1.91" in gain.text
    assert {(r.name, r.outcome) for r in decision.rules} == {
        ("gain", "passed"), ("loss", "passed"), ("BLEU", "passed"), ("off-target", "passed"),
        ("empty", "passed"), ("error rate", "passed"),
    }  # fmt: skip
    assert decision.reason.startswith("gain: +1.50")


def test_dividing_the_error_rate_among_uses_asks_for_a_surer_gain():
    figures = {"news": SetFigures(1.2, 0.5)}
    assert decide_on(figures, GateConfig(uses=1)).verdict == "accept"
    # 2.81 standard errors
    assert decide_on(figures, GateConfig(uses=20)).verdict == "undecided"


def test_several_sets_are_pooled_by_their_precision():
    decision = decide_on({"news": SetFigures(2.0, 0.3), "talks": SetFigures(1.0, 0.6)})
    assert decision.difference == pytest.approx(1.8)
    assert decision.standard_error == pytest.approx((0.3**-2 + 0.6**-2) ** -0.5)


def test_a_loss_on_one_set_rejects_whatever_the_others_gain():
    decision = decide_on({"news": SetFigures(3.0, 0.2), "talks": SetFigures(-2.5, 0.4)})
    assert decision.verdict == "reject"
    assert "loss on talks: -2.50" in decision.reason


def test_a_set_that_may_hide_a_loss_leaves_it_undecided():
    decision = decide_on({"news": SetFigures(2.0, 0.2), "talks": SetFigures(0.0, 1.2, 300)})
    assert decision.verdict == "undecided"
    assert rule(decision, "loss", "talks").outcome == "open"


def test_a_small_set_may_show_a_larger_loss_than_a_large_one():
    small = decide_on({"news": GOOD, "talks": SetFigures(0.0, 0.7, 300)})
    large = decide_on({"news": GOOD, "talks": SetFigures(0.0, 0.7, 1000)})
    assert rule(small, "loss", "talks").limit == -1.5
    assert rule(large, "loss", "talks").limit == -1.0
    assert (small.verdict, large.verdict) == ("accept", "undecided")


def test_a_set_that_shows_forgetting_has_no_part_in_the_gain_and_its_own_limit():
    sets = {"news": GOOD, "old": SetFigures(-2.0, 0.3, forgetting=True)}
    decision = decide_on(sets)
    assert decision.difference == 1.5
    assert (decision.verdict, rule(decision, "forgetting", "old").outcome) == ("reject", "failed")
    allowed = GateConfig(uses=1, largest_losses={"old": 3.0})
    assert decide_on(sets, allowed).verdict == "accept"


def test_sets_that_only_show_forgetting_cannot_decide():
    with pytest.raises(ValueError, match="only show forgetting"):
        decide_on({"old": SetFigures(2.0, 0.2, forgetting=True)})


def test_a_significantly_lower_bleu_rejects():
    assert decide_on({"news": SetFigures(1.5, 0.25, bleu=-0.4)}).verdict == "accept"
    decision = decide_on({"news": SetFigures(1.5, 0.25, bleu=-0.6)})
    assert decision.verdict == "reject"
    assert decision.reason == "BLEU: -0.60, at most -0.11; it must not be shown to be lower"


def test_bleu_has_no_veto_where_it_decides_itself():
    decision = decide_on({"news": SetFigures(0, 1, bleu=2.0)}, GateConfig(uses=1, metric="bleu"))
    assert decision.verdict == "accept"
    assert "BLEU" not in {r.name for r in decision.rules}


def test_equal_translations_are_no_reason_for_a_change():
    decision = decide_on({"news": SetFigures(0.0, 0.0)})
    assert decision.verdict == "reject"
    assert "no difference" in decision.reason


@pytest.mark.parametrize("sentences", [60, 1000])
def test_a_cheaper_engine_with_equal_translations_is_accepted(sentences):
    settings = GateConfig(goal="as_good")
    decision = decide_on({"news": SetFigures(0.0, 0.0, sentences)}, settings, sizes=(50, 100))
    assert decision.verdict == "accept"


def test_an_engine_that_should_be_as_good_may_lose_as_much_bleu_as_its_limit():
    settings = GateConfig(goal="as_good", uses=1)
    assert decide_on({"news": SetFigures(0.0, 0.2, bleu=-0.8)}, settings).verdict == "accept"
    assert decide_on({"news": SetFigures(0.0, 0.2, bleu=-1.6)}, settings).verdict == "reject"


@pytest.mark.parametrize(
    ("difference", "verdict"), [(0.0, "accept"), (-0.4, "undecided"), (-1.8, "reject")]
)
def test_an_engine_that_should_be_as_good_must_be_shown_to_lose_less_than_the_limit(
    difference, verdict
):
    settings = GateConfig(goal="as_good", uses=1)
    assert decide_on({"news": SetFigures(difference, 0.37)}, settings).verdict == verdict


@pytest.mark.parametrize(
    ("figures", "name"),
    [
        (SetFigures(3.0, 0.2, off_target=11), "off-target"),
        (SetFigures(3.0, 0.2, empty=6), "empty"),
    ],
)
def test_faults_beyond_their_limit_reject(figures, name):
    decision = decide_on({"news": figures})
    assert decision.verdict == "reject"
    assert decision.reason.startswith(f"{name} on news")


def test_a_set_that_is_like_the_training_data_decides_nothing():
    decision = decide_on({"news": SetFigures(3.0, 0.2, overlap=11)})
    assert decision.verdict == "undecided"
    assert "name evaluation.sets.news before `nmt prepare`" in decision.reason
    assert decide_on({"news": SetFigures(3.0, 0.2, overlap=10)}).verdict == "accept"


def test_a_set_without_error_rate_accepts_nothing_and_still_rejects():
    used_up = {"news": "its error rate is used up"}
    assert decide_on({"news": GOOD}, used_up=used_up).verdict == "undecided"
    assert decide_on({"news": SetFigures(-3.0, 0.2)}, used_up=used_up).verdict == "reject"


def test_time_and_size_have_limits_where_they_are_set():
    limits = GateConfig(uses=1, max_slowdown=1.5, max_growth=2.0)
    assert decide_on({"news": GOOD}, limits, seconds=(1.4, 1.0)).verdict == "accept"
    slow = decide_on({"news": GOOD}, limits, seconds=(1.6, 1.0))
    assert slow.reason == "time: 1.60 times that of the baseline, at most 1.50 is allowed"
    large = decide_on({"news": GOOD}, limits, sizes=(201, 100))
    assert large.reason == "size: 2.01 times that of the baseline, at most 2.00 is allowed"


def test_times_of_two_devices_cannot_be_compared():
    limits = GateConfig(uses=1, max_slowdown=1.5)
    decision = decide_on({"news": GOOD}, limits, devices=("cpu", "NVIDIA H100"))
    assert decision.verdict == "undecided"
    assert "NVIDIA H100 and cpu" in decision.reason


def test_few_documents_ask_for_a_larger_difference_than_many_sentences():
    figures = SetFigures(1.2, 0.7, sentences=1000)
    assert decide_on({"news": figures}).low > 0
    documents = SetFigures(1.2, 0.7, sentences=1000, documents=5)
    assert decide_on({"news": documents}).low < 0


def test_the_gain_that_can_be_found_is_predicted_from_all_sets_that_decide():
    # Standard error .25: the estimate must reach 1.0, in 80 % of cases.
    predicted = SetFigures(0.0, 0.3, predicted=2.80 * 0.25)
    assert decide_on({"news": predicted}).findable == pytest.approx(1.0 + 0.842 * 0.25, abs=0.01)
    unknown = SetFigures(0.0, 0.3, predicted=None)
    assert decide_on({"news": predicted, "talks": unknown}).findable is None
