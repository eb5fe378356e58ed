"""Batches of rows whose padded tokens stay within a budget. Imports no torch."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import repeat


def consecutive_batches(
    lengths: Iterable[int], budget: int, other_lengths: Iterable[int] | None = None
) -> Iterator[range]:
    """Cut rows, in their order, before each row that would exceed the budget.

    Args:
        lengths: tokens of each row.
        budget: padded tokens of a batch; a single row may exceed it.
        other_lengths: tokens of each row's second side, which is padded by itself.

    Yields:
        The row numbers of one batch.
    """
    # A second side of no tokens costs nothing, so that both cases share one loop over integers.
    if other_lengths is None:
        sides = zip(lengths, repeat(0))
    else:
        sides = zip(lengths, other_lengths, strict=True)
    start = end = width = other_width = 0
    for end, (length, other_length) in enumerate(sides, start=1):
        width, other_width = max(width, length), max(other_width, other_length)
        if end - start > 1 and (end - start) * (width + other_width) > budget:
            yield range(start, end - 1)
            start, width, other_width = end - 1, length, other_length
    if end > start:
        yield range(start, end)


def batches_by_length(lengths: Sequence[int], budget: int) -> list[list[int]]:
    """Sort rows from long to short and cut them into batches within the budget.

    Memory use peaks in the first batch, so that a lack of it shows at once.

    Returns:
        The row numbers of each batch.
    """
    order = sorted(range(len(lengths)), key=lambda row: -lengths[row])
    batches = consecutive_batches([lengths[row] for row in order], budget)
    return [[order[place] for place in batch] for batch in batches]
