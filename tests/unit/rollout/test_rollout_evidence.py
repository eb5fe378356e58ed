"""Evidence follows from sums of counts, and equal engines hardly ever seem to do harm."""

import math
import random
from itertools import accumulate

import pytest

from nmt.rollout import RULES, Counts, SignalRule, Situation, decide, rules_for
from nmt.rollout.evidence import log_average, log_excess, log_harm, log_safety, total
from tests.support.rollouts import CLEAN, QUICK

BETS = (0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 0.9)
LIMIT = math.log(20)


def bet_one_by_one(signs: list[int], tolerance: float) -> float:
    """Multiply the wealth of each bet pair by pair, and average at the end."""
    wealth = [1.0] * len(BETS)
    for sign in signs:
        wealth = [
            each * (1 + bet * (sign - tolerance)) for each, bet in zip(wealth, BETS, strict=True)
        ]
    return math.log(sum(wealth) / len(wealth))


def counts_of(signs: list[int]) -> Counts:
    return Counts(signs.count(1), signs.count(0), signs.count(-1))


@pytest.fixture
def signs() -> list[int]:
    return random.Random(1).choices([1, 0, -1], [3, 95, 2], k=400)


def test_counts_of_replicas_in_any_order_give_the_evidence_of_pair_by_pair(signs):
    parts = [counts_of(signs[start::4]) for start in range(4)]
    expected = bet_one_by_one(signs, 0.005)
    for order in (parts, parts[::-1], [parts[2], parts[0], parts[3], parts[1]]):
        assert log_harm(total(order), 0.005) == pytest.approx(expected, abs=1e-9)


def test_evidence_of_safety_is_that_of_the_opposite(signs):
    counts = counts_of(signs)
    turned = Counts(counts.minus, counts.zero, counts.plus)
    assert log_safety(counts, 0.02) == pytest.approx(log_harm(turned, -0.02))


def test_without_counts_there_is_no_evidence():
    assert log_harm(Counts(), 0.005) == pytest.approx(0)
    assert log_safety(Counts(), 0.02) == pytest.approx(0)
    assert log_excess({}, 1.25) == pytest.approx(0)


def test_millions_of_counts_give_finite_evidence():
    many = Counts(plus=10_000_000, zero=50_000_000, minus=1_000_000)
    assert 1e6 < log_harm(many, 0.005) < 1e8
    assert -1e8 < log_safety(many, 0.02) < 0
    events = {0.1: Counts(events_canary=10**7, events_stable=10**7)}
    assert math.isfinite(log_excess(events, 1.25))


def test_events_are_weighed_at_the_share_of_their_step():
    # A tenth of the clients and a tenth of the events: nothing. The same at one in a hundred: much.
    seen = Counts(events_canary=20, events_stable=180)
    assert log_excess({0.1: seen}, 1.25) < 0
    assert log_excess({0.01: seen}, 1.25) > LIMIT


def test_events_of_several_steps_multiply():
    steps = {0.01: Counts(events_canary=1, events_stable=40), 0.5: Counts(0, 0, 0, 9, 3)}
    by_hand = 0.0
    for ratio in (1.5, 2, 3, 5, 10):
        product = 1.0
        for share, each in steps.items():
            null = 1.25 * share / (1.25 * share + 1 - share)
            other = ratio * 1.25 * share / (ratio * 1.25 * share + 1 - share)
            product *= (other / null) ** each.events_canary
            product *= ((1 - other) / (1 - null)) ** each.events_stable
        by_hand += product / 5
    assert log_excess(steps, 1.25) == pytest.approx(math.log(by_hand))


def test_an_average_of_evidence_needs_no_more_than_its_largest_part():
    assert log_average([(0.2, math.log(100.0)), (0.8, -1000.0)]) == pytest.approx(LIMIT)
    assert log_average([(1.0, 5.0), (0.0, 900.0)]) == pytest.approx(5.0)


@pytest.mark.parametrize("kin", [True, False])
def test_the_weights_add_up_to_1(kin):
    for off in ((), ("len",), ("len", "num"), ("glossary",), ("num", "glossary")):
        rules = rules_for(kin=kin, off=off)
        assert sum(rule.weight for rule in rules.values()) == pytest.approx(1)


def test_numbers_have_half_the_weight_where_terms_of_a_glossary_are_counted():
    both, alone = rules_for(kin=False), rules_for(kin=False, off=("glossary",))
    assert [both[each].weight for each in ("num", "glossary")] == pytest.approx([0.075, 0.075])
    assert alone["num"].weight == pytest.approx(0.15)
    assert [each["broken"].weight for each in (both, alone)] == pytest.approx([0.20, 0.20])


def test_kin_engines_have_half_a_percent_for_every_flag():
    flags = [rule for rule in rules_for(kin=True).values() if rule.kind == "flag"]
    assert {rule.tolerance for rule in flags} == {0.005}
    assert RULES["short"].tolerance == 0.02


def test_equal_engines_seem_to_do_harm_in_less_than_the_error_rate():
    draw = random.Random(7)
    false = 0
    for _ in range(200):
        # The worst that is tolerated: the mean is the tolerance itself.
        signs = draw.choices([1, 0, -1], [0.03, 0.96, 0.01], k=1000)
        sums = zip(
            accumulate(sign == 1 for sign in signs),
            accumulate(sign == 0 for sign in signs),
            accumulate(sign == -1 for sign in signs),
            strict=True,
        )
        # Evidence of harm rises with a pair against the canary only.
        false += any(
            log_harm(Counts(*each), 0.02) >= LIMIT
            for each, sign in zip(sums, signs, strict=True)
            if sign == 1
        )
    assert false <= 10


# Decisions


def decided(counts: dict[str, Counts], **changes: object) -> tuple[str, str]:
    rules: dict[str, SignalRule] = rules_for(kin=False, off=("len",))
    tally = {name: {0: each} for name, each in counts.items()}
    situation = Situation(**{"tally": tally, "step": 0, "seconds_at_step": 1e6} | changes)  # type: ignore[arg-type]
    found = decide(situation, rules, QUICK)
    return found.answer, found.reason


def test_too_few_pairs_wait():
    few = {name: Counts(each.plus, each.zero // 4, each.minus) for name, each in CLEAN.items()}
    answer, reason = decided(few)
    assert answer == "wait"
    assert reason.startswith("200 of 300 pairs")


def test_a_signal_that_is_not_shown_to_be_below_its_margin_waits():
    answer, reason = decided(CLEAN | {"short": Counts(plus=24, zero=776)})
    assert answer == "wait"
    assert "outputs that are cut (evidence" in reason


def test_text_that_has_hardly_any_numbers_does_not_wait_for_them():
    assert decided(CLEAN | {"num": Counts(zero=15)})[0] == "advance"
    assert decided(CLEAN | {"num": Counts(zero=17)})[0] == "wait"


def test_requests_that_hardly_ever_have_terms_of_a_glossary_do_not_wait_for_them():
    assert decided(CLEAN)[0] == "advance"
    assert decided(CLEAN | {"glossary": Counts(zero=15)})[0] == "advance"
    answer, reason = decided(CLEAN | {"glossary": Counts(zero=17)})
    assert answer == "wait"
    assert "missing terms of the glossary" in reason


def test_an_engine_that_forgets_terms_is_rolled_back_and_said():
    answer, reason = decided(CLEAN | {"glossary": Counts(plus=30, zero=50)})
    assert answer == "rollback"
    assert reason.startswith("missing terms of the glossary: 30 of 80 pairs only in the canary")


def test_slow_answers_are_rolled_back_and_said():
    answer, reason = decided(CLEAN | {"latency_1.1": Counts(plus=30, minus=2)})
    assert answer == "rollback"
    assert "1.1 times as long: in 30 of 32 intervals" in reason


def test_corrections_by_clients_are_rolled_back_and_said():
    answer, reason = decided(CLEAN | {"corrections": Counts(events_canary=12, events_stable=90)})
    assert answer == "rollback"
    assert reason.startswith("corrections by clients: 12 of 102 are of the canary's clients")


def test_harm_comes_before_a_missing_report():
    harm = CLEAN | {"broken": Counts(plus=80, zero=720)}
    assert decided(harm, missing=("r1",))[0] == "rollback"


def test_missing_replicas_are_named():
    answer, reason = decided(CLEAN, missing=("r1", "r2", "r3", "r4", "r5"))
    assert answer == "pause"
    assert "r1, r2, r3 and 2 more" in reason
