"""A test set wears out: each use spends a part of its error rate."""

import pytest

from nmt.config import GateConfig
from nmt.errors import StorageError
from nmt.evaluation.gate.ledger import (
    Reservation,
    SetUse,
    reserve,
    settle,
    settle_by_people,
)
from nmt.runs.gate import GateResult, GateSet, GateVerdict
from nmt.storage import Storage

SETS = {"news": "0000000000aa"}
FOUR = GateConfig(uses=4)


@pytest.fixture
def storage(tmp_path) -> Storage:
    return Storage(str(tmp_path))


def use_of(engine: str, settings: GateConfig = FOUR, rules: str = "r") -> SetUse:
    rate = settings.error_rate / settings.uses
    return SetUse(engine=engine, baseline="b", rules=rules, run="demo", error_rate=rate)


def take(storage: Storage, engine: str, settings: GateConfig = FOUR, **changes) -> Reservation:
    return reserve(storage, SETS, use_of(engine, settings, **changes), settings)


def test_each_engine_is_another_use_of_the_set(storage):
    numbers = [take(storage, engine).numbers["news"] for engine in "abc"]
    assert numbers == [1, 2, 3]


def test_the_same_engines_by_the_same_rules_are_one_use(storage):
    take(storage, "a")
    take(storage, "b")
    again = take(storage, "a")
    assert (again.numbers, again.budget.used_up) == ({"news": 1}, {})
    assert take(storage, "a", rules="others").numbers == {"news": 3}


def test_a_set_has_no_error_rate_left_after_its_uses(storage):
    for engine in "abcd":
        assert take(storage, engine).budget.used_up == {}
    found = take(storage, "e").budget.used_up
    assert "with use 5 it would be 6.25% of 5.00%" in found["news"]
    # Engines that had their use keep their answer.
    assert take(storage, "d").budget.used_up == {}


def test_dividing_further_makes_more_uses_of_what_is_left(storage):
    for engine in "abc":
        take(storage, engine)
    many = GateConfig(uses=100)
    for number in range(25):
        assert take(storage, f"e{number}", many).budget.used_up == {}
    assert take(storage, "last", many).budget.used_up


def test_a_use_is_counted_before_its_answer_is_known(storage):
    take(storage, "killed")
    assert take(storage, "next").numbers == {"news": 2}


def test_many_accepted_engines_ask_for_a_new_set(storage):
    settings = GateConfig(uses=20)
    for engine in "abcde":
        reservation = take(storage, engine, settings)
        assert reservation.remarks == ()
        settle(storage, list(SETS.values()), reservation, "accept")
    (remark,) = take(storage, "f", settings).remarks
    assert remark.startswith("5 engines were accepted on news")


def test_all_sets_of_a_gate_are_counted_by_their_content(storage):
    reserve(storage, SETS | {"talks": "0000000000bb"}, use_of("a"), FOUR)
    renamed = reserve(storage, {"renamed": "0000000000bb"}, use_of("b"), FOUR)
    assert renamed.numbers == {"renamed": 2}


def test_a_ledger_that_was_changed_by_hand_is_refused(storage):
    take(storage, "a")
    path = "gates/0000000000aa.json"
    storage.write_bytes(path, storage.read_bytes(path).replace(b'"demo"', b'"none"'))
    with pytest.raises(StorageError, match="use a new test set"):
        take(storage, "a")


def result_of(use: int, verdict: GateVerdict) -> GateResult:
    """An answer of people about a use of the set."""
    found = GateSet(
        name="news", digest=SETS["news"], sentences=9, forgetting=False, difference=0.0,
        standard_error=1.0, predicted_detectable=None, detectable=2.5, agreement=None, use=use,
    )  # fmt: skip
    return GateResult(
        verdict=verdict, reason="people: better", engine="a", baseline="b", endpoint="default",
        route="eng_Latn-tam_Taml", metric="chrf++", signature="s", goal="better", rules_digest="r",
        error_rate=0.01, difference=0.0, standard_error=1.0, low=-2.0, high=2.0, rules=(),
        sets=(found,),
    )  # fmt: skip


def let_people_accept_five(storage, settings: GateConfig) -> None:
    for number, engine in enumerate("abcde", 1):
        reservation = take(storage, engine, settings)
        settle(storage, list(SETS.values()), reservation, "undecided")
        settle_by_people(storage, result_of(number, "accept"))


def test_engines_that_people_accept_count_among_the_accepted_ones(storage):
    settings = GateConfig(uses=20)
    let_people_accept_five(storage, settings)
    assert take(storage, "f", settings).remarks


def test_what_people_have_decided_stays_when_the_rules_are_applied_again(storage):
    settle(storage, list(SETS.values()), take(storage, "a"), "undecided")
    settle_by_people(storage, result_of(1, "reject"))
    settle(storage, list(SETS.values()), take(storage, "a"), "undecided")
    (use,) = storage.read_json("gates/0000000000aa.json")["uses"]
    assert (use["verdict"], use["by_people"]) == ("reject", True)


def test_an_accept_by_ratings_that_were_corrected_to_undecided_does_not_count(storage):
    settings = GateConfig(uses=20)
    let_people_accept_five(storage, settings)
    settle_by_people(storage, result_of(5, "undecided"))
    use = storage.read_json("gates/0000000000aa.json")["uses"][-1]
    assert (use["verdict"], use["by_people"]) == ("undecided", False)
    assert take(storage, "f", settings).remarks == ()
