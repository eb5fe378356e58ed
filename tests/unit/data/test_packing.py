"""Batches within a budget of padded tokens."""

from hypothesis import given
from hypothesis import strategies as st

from nmt.text.packing import batches_by_length, consecutive_batches

LENGTHS = st.lists(st.integers(1, 50), max_size=60)


def test_a_batch_ends_before_the_row_that_would_exceed_the_budget() -> None:
    assert list(consecutive_batches([4, 4, 4, 2], 8)) == [range(0, 2), range(2, 4)]


def test_the_two_sides_of_a_row_are_padded_separately() -> None:
    batches = consecutive_batches([1, 3, 1], 10, [3, 1, 1])
    assert list(batches) == [range(0, 1), range(1, 3)]


def test_a_row_beyond_the_budget_is_a_batch_of_its_own() -> None:
    assert list(consecutive_batches([9, 9, 1], 4)) == [range(0, 1), range(1, 2), range(2, 3)]


def test_no_rows_give_no_batch() -> None:
    assert batches_by_length([], 8) == []


def test_rows_go_from_long_to_short_and_equal_ones_keep_their_order() -> None:
    assert batches_by_length([2, 3, 2, 3], 6) == [[1, 3], [0, 2]]


@given(LENGTHS, st.integers(1, 200))
def test_batches_hold_every_row_once_and_keep_the_budget(lengths: list[int], budget: int) -> None:
    batches = batches_by_length(lengths, budget)
    assert sorted(row for batch in batches for row in batch) == list(range(len(lengths)))
    for batch in batches:
        padded = len(batch) * max(lengths[row] for row in batch)
        assert padded <= budget or len(batch) == 1
