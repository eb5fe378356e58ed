"""The rows that wait for a batch, and the choice of those that share the next one."""

from collections.abc import Iterator, Sequence

from nmt.serving.batching.rows import QueuedRow
from nmt.text.packing import consecutive_batches


class RowQueue:
    """The waiting rows: those of requests, and those of the background, which let them go first."""

    def __init__(self) -> None:
        self._rows: list[QueuedRow] = []
        self._tokens = {False: 0, True: 0}
        self._take_oldest = False

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[QueuedRow]:
        return iter(self._rows)

    def tokens(self, *, is_background: bool = False) -> int:
        """Count the waiting tokens, without those of cancelled requests."""
        return self._tokens[is_background]

    def has(self, *, is_background: bool) -> bool:
        """Tell whether there are rows of this kind."""
        return any(row.place.is_background is is_background for row in self._rows)

    def add(self, rows: Sequence[QueuedRow]) -> None:
        """Append rows."""
        self._rows += rows
        for row in rows:
            self._tokens[row.is_background] += len(row.tokens)

    def give_up(self, row: QueuedRow) -> None:
        """Stop counting a row; `drop_done` removes it."""
        if row.is_waiting:
            row.is_waiting = False
            self._tokens[row.is_background] -= len(row.tokens)

    def drop_done(self) -> None:
        """Remove the rows that nobody waits for any more."""
        self._rows = [row for row in self._rows if not row.future.done()]

    def take_batch(self, max_tokens: int, *, is_background: bool) -> list[QueuedRow]:
        """Remove a batch: a first row, and those of its engine and search nearest in length.

        Args:
            max_tokens: number of rows times the longest row, with greedy decoding.
            is_background: which kind of rows.
        """
        rows = [row for row in self._rows if row.place.is_background is is_background]
        first = self._choose_first(rows)
        # Tuples are compared by identity first, which nearly all rows have in common.
        kind = (first.engine, first.options)
        rest = [row for row in rows if (row.engine, row.options) == kind and row is not first]
        rest.sort(key=lambda row: abs(len(row.tokens) - len(first.tokens)))
        nearest = [first, *rest]
        lengths = (len(row.tokens) for row in nearest)
        # Each beam takes the time and memory of a row.
        budget = max_tokens // first.options.beams(1)
        batch = nearest[: len(next(consecutive_batches(lengths, budget)))]
        for row in batch:
            self.give_up(row)
        self._rows = [row for row in self._rows if row.is_waiting]
        return batch

    def _choose_first(self, rows: Sequence[QueuedRow]) -> QueuedRow:
        """Choose the oldest row, or, in every second batch, the one earliest in its request."""
        # The oldest, so that rows of an unusual length or of a rarely used engine do not starve.
        # The earliest, so that a sentence need not wait for a document of hundreds of sentences
        # that came before it.
        self._take_oldest = not self._take_oldest
        return rows[0] if self._take_oldest else min(rows, key=lambda row: row.rank)
