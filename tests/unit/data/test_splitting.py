import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nmt.data.overlap import Keys, cut, groups, keys_of, sharing
from nmt.errors import DataError
from nmt.text.normalise import match_key
from nmt.text.pair import Pair

FRACTIONS = {"validation": 0.1, "test": 0.2}
WORDS = st.sampled_from([f"{word}{end}" for word in "abcdefghijkl" for end in ("", "!", "?")])
# Few words, so that pairs share sentences and form groups; some loners make a cut possible.
LINKED = st.lists(st.builds(Pair, WORDS, WORDS), max_size=60, unique=True)
LONERS = [Pair(f"source {number}", f"target {number}") for number in range(3)]
CORPORA = LINKED.map(lambda pairs: pairs + LONERS)


def split(pairs: list[Pair], fractions: dict[str, float], seed: int) -> dict[str, list[Pair]]:
    """Split pairs by their keys, and order each split by rank."""
    keys = keys_from(pairs, seed)
    numbers = cut(groups(keys), keys.rank, fractions)
    ranked = [(numbers[row], pairs[row]) for row in np.argsort(keys.rank)]
    return {
        name: [pair for split, pair in ranked if split == number]
        for number, name in enumerate(["train", *fractions])
    }


def keys_from(pairs: list[Pair], seed: int = 0) -> Keys:
    return keys_of([pair.source for pair in pairs], [pair.target for pair in pairs], seed)


def distinct(count: int) -> list[Pair]:
    return [Pair(f"source {number}", f"target {number}") for number in range(count)]


@given(CORPORA, st.integers(0, 5))
def test_no_sentence_is_in_two_splits(pairs: list[Pair], seed: int) -> None:
    splits = list(split(pairs, FRACTIONS, seed).values())
    for side in ("source", "target"):
        keys = [{match_key(getattr(pair, side)) for pair in split} for split in splits]
        assert sum(map(len, keys)) == len(set().union(*keys))


@given(CORPORA, st.integers(0, 5))
def test_every_pair_is_in_exactly_one_split(pairs: list[Pair], seed: int) -> None:
    splits = split(pairs, FRACTIONS, seed)
    found = [pair for split in splits.values() for pair in split]
    assert len(found) == len(pairs)
    assert set(found) == set(pairs)
    assert all(splits.values())


@given(CORPORA.flatmap(lambda pairs: st.tuples(st.just(pairs), st.permutations(pairs))))
@settings(max_examples=50)
def test_the_order_of_the_input_changes_nothing(orders: tuple[list[Pair], list[Pair]]) -> None:
    given_order, shuffled = orders
    assert split(given_order, FRACTIONS, 1) == split(shuffled, FRACTIONS, 1)


def test_another_seed_gives_other_splits() -> None:
    pairs = distinct(100)
    assert set(split(pairs, FRACTIONS, 1)["test"]) != set(split(pairs, FRACTIONS, 2)["test"])


def test_sizes_meet_the_fractions_when_no_pairs_are_linked() -> None:
    sizes = {name: len(split) for name, split in split(distinct(1000), FRACTIONS, 1).items()}
    assert sizes == {"train": 700, "validation": 100, "test": 200}


def test_a_large_group_stays_in_train() -> None:
    linked = [Pair("the same", f"target x{number}") for number in range(50)]
    splits = split(linked + distinct(50), FRACTIONS, 1)
    assert set(linked) <= set(splits["train"])
    assert len(splits["test"]) == 20


def test_a_small_share_still_gets_one_pair() -> None:
    assert len(split(distinct(10), {"test": 0.001}, 1)["test"]) == 1


def test_pairs_linked_through_others_stay_together() -> None:
    chain = [Pair("a", "x"), Pair("b", "x"), Pair("b", "y"), Pair("c", "y")]
    for seed in range(10):
        splits = split(chain + distinct(3), FRACTIONS, seed)
        assert sum(not set(chain).isdisjoint(part) for part in splits.values()) == 1


def test_every_split_gets_a_pair() -> None:
    linked = [Pair("the same", f"target x{number}") for number in range(30)]
    splits = split(linked + distinct(3), FRACTIONS, 1)
    assert {name: len(split) for name, split in splits.items()} == {
        "train": 30,
        "validation": 2,
        "test": 1,
    }


def test_no_fractions_give_only_train() -> None:
    assert set(split(distinct(3), {}, 1)) == {"train"}


def test_a_single_group_cannot_be_split() -> None:
    linked = [Pair("the same", f"target {number}") for number in range(20)]
    with pytest.raises(DataError, match="20 pairs form 1 groups"):
        split(linked, FRACTIONS, 1)


@pytest.mark.parametrize("leak", [Pair("HELD OUT.", "new"), Pair("new", "(held target)")])
def test_pairs_that_share_a_side_with_held_out_ones_leak(leak: Pair) -> None:
    clean = Pair("other", "different")
    held_out = keys_from([Pair("held out", "held target")])
    assert sharing(keys_from([clean, leak]), held_out).tolist() == [False, True]
