"""Batches within a token budget: the rows of each update, which depend on seed and epoch only.

Neither the number of workers nor a restart changes the rows of an update, so a resumed run sees
each row as often as an uninterrupted one. Imports no torch.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from nmt.data.mixing import CorpusMix
from nmt.text.packing import consecutive_batches

Rows = NDArray[np.int64]

# All lengths of an epoch as Python integers would take several hundred megabytes.
_ROWS_AT_ONCE = 100_000


@dataclass(frozen=True, slots=True)
class Cursor:
    """A position in the data: the next update."""

    epoch: int = 0
    step: int = 0


@dataclass(frozen=True, slots=True)
class PackedEpoch:
    """The rows of an epoch in micro-batches, as three arrays."""

    # A list with an array for each micro-batch would take 200 bytes for each, besides its rows.
    rows: NDArray[np.int32]
    """All rows, sorted by length."""
    bounds: NDArray[np.int64]
    """Where each micro-batch starts in `rows`; one more entry than micro-batches."""
    order: NDArray[np.int64]
    """The micro-batches in the order in which they are trained."""
    per_step: int
    """Micro-batches of an update."""

    def __len__(self) -> int:
        return math.ceil(len(self.order) / self.per_step)

    def step(self, index: int) -> list[Rows]:
        """Return the micro-batches of one update."""
        chosen = self.order[index * self.per_step : (index + 1) * self.per_step]
        return [
            self.rows[self.bounds[batch] : self.bounds[batch + 1]].astype(np.int64)
            for batch in chosen
        ]


@dataclass(frozen=True, slots=True)
class BatchPlan:
    """The rows of a training with their lengths, and how each epoch makes batches of them."""

    source_tokens: NDArray[np.int32]
    """Tokens of each row's source; first the rows of the corpora, then those of the replay pool."""
    target_tokens: NDArray[np.int32]
    corpus_rows: int
    """Rows of the corpora; of the others, the replay pool, each epoch draws a share."""
    replay_fraction: float
    """Share of an epoch's rows that come from the pool."""
    micro_batch_tokens: int
    """Maximum number of source and target tokens in a micro-batch, padding included."""
    micro_batches_per_step: int
    seed: int
    round_to: int = 1
    """Widths are padded to a multiple of this."""
    mix: CorpusMix | None = None
    """How often each corpus row is used; None: once in every epoch."""
    _packed: dict[int, PackedEpoch] = field(
        default_factory=dict, init=False, compare=False, repr=False
    )
    """The epoch that was packed last."""

    def epoch(self, epoch: int) -> list[list[Rows]]:
        """Return the updates of an epoch, as lists of micro-batches of rows of similar length."""
        packed = self._pack(epoch)
        return [packed.step(index) for index in range(len(packed))]

    def steps(self, cursor: Cursor) -> Iterator[tuple[Cursor, list[Rows]]]:
        """Yield updates without end from a cursor on, each with the cursor after it."""
        epoch = cursor.epoch
        while True:
            packed = self._pack(epoch)
            for index in range(cursor.step if epoch == cursor.epoch else 0, len(packed)):
                last = index + 1 == len(packed)
                after = Cursor(epoch + 1, 0) if last else Cursor(epoch, index + 1)
                yield after, packed.step(index)
            epoch += 1

    def padding(self, epoch: int = 0) -> float:
        """Return the share of an epoch's tokens that are padding, 0-1."""
        packed = self._pack(epoch)
        if not len(packed):  # weights below one can leave an epoch without rows
            return 0.0
        starts, sizes = packed.bounds[:-1], np.diff(packed.bounds)
        real = padded = 0
        for tokens in (self.source_tokens, self.target_tokens):
            lengths = tokens[packed.rows]
            longest = rounded_up(np.maximum.reduceat(lengths, starts), self.round_to)
            real += int(lengths.sum(dtype=np.int64))
            padded += int((longest * sizes).sum())
        return 1 - real / padded

    def bounds(self, rows: NDArray[np.signedinteger]) -> NDArray[np.int64]:
        """Find where to cut rows, sorted by length, into micro-batches within the token budget."""
        batches = consecutive_batches(
            self._padded(self.source_tokens, rows),
            self.micro_batch_tokens,
            self._padded(self.target_tokens, rows),
        )
        return np.fromiter(chain([0], (batch.stop for batch in batches)), np.int64)

    def _padded(self, tokens: NDArray[np.int32], rows: NDArray[np.signedinteger]) -> Iterator[int]:
        """Yield the rows' lengths, rounded up."""
        for start in range(0, len(rows), _ROWS_AT_ONCE):
            part = tokens[rows[start : start + _ROWS_AT_ONCE]]
            yield from rounded_up(part, self.round_to).tolist()

    def _pack(self, epoch: int) -> PackedEpoch:
        """Draw the rows of an epoch and cut them into micro-batches."""
        # The log at the start asks for the padding of the epoch that is trained next.
        if epoch not in self._packed:
            self._packed.clear()
            self._packed[epoch] = self._packed_epoch(epoch)
        return self._packed[epoch]

    def _packed_epoch(self, epoch: int) -> PackedEpoch:
        random = np.random.default_rng((self.seed, epoch))
        rows = np.arange(self.corpus_rows, dtype=np.int32)
        if self.mix:
            rows = self.mix.rows(self.seed, epoch)
        rows = np.concatenate([rows, self._replay(len(rows), random)])
        # Sorting keeps equal rows in their order, so shuffling mixes rows of equal length.
        random.shuffle(rows)
        rows = rows[self._order(rows)]
        bounds = self.bounds(rows)
        # Otherwise each epoch would go from short rows to long ones.
        order = random.permutation(len(bounds) - 1)
        return PackedEpoch(rows, bounds, order, self.micro_batches_per_step)

    def _replay(self, rows: int, random: np.random.Generator) -> NDArray[np.int32]:
        """Draw rows of the pool, next to this number of rows of the corpora."""
        pool = len(self.source_tokens) - self.corpus_rows
        # The fraction is that of the whole epoch, corpora and replay together.
        wanted = round(rows * self.replay_fraction / (1 - self.replay_fraction))
        drawn = random.permutation(pool)[: min(wanted, pool)]
        return (drawn + self.corpus_rows).astype(np.int32)

    def _order(self, rows: NDArray[np.int32]) -> NDArray[np.int64]:
        """Sort rows by length; equal rows keep their order."""
        # Rows form blocks of one length. Within a block the other side decides, in alternating
        # direction, so that a batch across two blocks contains no jump in length.
        source, target = self.source_tokens[rows], self.target_tokens[rows]
        if self.round_to > 1:  # a source within the same multiple costs the same
            block, within = rounded_up(source, self.round_to) // self.round_to, target
        else:
            block, within = np.maximum(source, target) // 2, source
        return np.lexsort((np.where(block % 2 == 0, within, -within), block))


def padded_tokens(plan: BatchPlan, rows: Rows) -> int:
    """Count the source and target tokens of a micro-batch, with its padding."""
    longest = np.array([plan.source_tokens[rows].max(), plan.target_tokens[rows].max()])
    return len(rows) * int(rounded_up(longest, plan.round_to).sum())


def rounded_up(lengths: NDArray[np.signedinteger], multiple: int) -> NDArray[np.signedinteger]:
    """Round lengths up to a multiple."""
    return -(-lengths // multiple) * multiple


def share(step: Sequence[Rows], rank: int, workers: int) -> list[Rows]:
    """Return one worker's part of an update; over all workers every row occurs once.

    These are whole micro-batches if they divide evenly, otherwise every n-th row of each. A worker
    gets nothing if the update has fewer rows than there are workers.
    """
    if len(step) % workers == 0:
        return list(step[rank::workers])
    return [rows[rank::workers] for rows in step if len(rows) > rank]


def largest_share(micro_batches: int, rows: int, workers: int) -> tuple[int, int]:
    """Return how many micro-batches of an update a worker takes at most, and its rows of each."""
    if micro_batches % workers == 0:
        return micro_batches // workers, rows
    return micro_batches, math.ceil(rows / workers)
