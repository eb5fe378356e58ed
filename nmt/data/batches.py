"""Batches within a token budget: the rows of each update, which depend on seed and epoch only.

Neither the number of workers nor a restart changes the rows of an update, so a resumed run sees
each row once per epoch. Imports no torch.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nmt.text.packing import consecutive_batches

Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Cursor:
    """A position in the data: the next update."""

    epoch: int = 0
    step: int = 0


@dataclass(frozen=True, slots=True)
class BatchPlan:
    """The rows of a training with their lengths, and how each epoch makes batches of them."""

    source_tokens: NDArray[np.int32]
    """Tokens of each row's source; first the rows of the corpus, then those of the replay pool."""
    target_tokens: NDArray[np.int32]
    corpus_rows: int
    """Rows that are in every epoch; of the others, the replay pool, each epoch draws a share."""
    replay_fraction: float
    """Share of an epoch's rows that come from the pool."""
    micro_batch_tokens: int
    """Maximum number of source and target tokens in a micro-batch, padding included."""
    micro_batches_per_step: int
    seed: int
    round_to: int = 1
    """Widths are padded to a multiple of this."""

    def epoch(self, epoch: int) -> list[list[Rows]]:
        """Return the updates of an epoch, as lists of micro-batches of rows of similar length."""
        random = np.random.default_rng((self.seed, epoch))
        rows = np.concatenate([np.arange(self.corpus_rows), self._replay(random)])
        # Sorting keeps equal rows in their order, so shuffling mixes rows of equal length.
        random.shuffle(rows)
        batches = self._fill(rows[self._order(rows)])
        # Otherwise each epoch would go from short rows to long ones.
        order = random.permutation(len(batches))
        size = self.micro_batches_per_step
        return [[batches[i] for i in order[at : at + size]] for at in range(0, len(order), size)]

    def steps(self, cursor: Cursor) -> Iterator[tuple[Cursor, list[Rows]]]:
        """Yield updates without end from a cursor on, each with the cursor after it."""
        epoch = cursor.epoch
        while True:
            steps = self.epoch(epoch)
            for index in range(cursor.step if epoch == cursor.epoch else 0, len(steps)):
                last = index + 1 == len(steps)
                yield (Cursor(epoch + 1, 0) if last else Cursor(epoch, index + 1)), steps[index]
            epoch += 1

    def padding(self, epoch: int = 0) -> float:
        """Return the share of an epoch's tokens that are padding, 0-1."""
        batches = [rows for step in self.epoch(epoch) for rows in step]
        padded = sum(padded_tokens(self, rows) for rows in batches)
        real = sum(int(self.source_tokens[r].sum() + self.target_tokens[r].sum()) for r in batches)
        return 1 - real / padded

    def _replay(self, random: np.random.Generator) -> Rows:
        pool = len(self.source_tokens) - self.corpus_rows
        # The fraction is that of the whole epoch, corpus and replay together.
        wanted = round(self.corpus_rows * self.replay_fraction / (1 - self.replay_fraction))
        drawn = random.permutation(pool)[: min(wanted, pool)]
        return (drawn + self.corpus_rows).astype(np.int64)

    def _order(self, rows: Rows) -> Rows:
        """Sort rows by length; equal rows keep their order."""
        # Rows form blocks of one length. Within a block the other side decides, in alternating
        # direction, so that a batch across two blocks contains no jump in length.
        source, target = self.source_tokens[rows], self.target_tokens[rows]
        if self.round_to > 1:  # a source within the same multiple costs the same
            block, within = rounded_up(source, self.round_to) // self.round_to, target
        else:
            block, within = np.maximum(source, target) // 2, source
        return np.lexsort((np.where(block % 2 == 0, within, -within), block))

    def _fill(self, rows: Rows) -> list[Rows]:
        """Cut rows that are sorted by length into micro-batches within the token budget."""
        batches = consecutive_batches(
            rounded_up(self.source_tokens[rows], self.round_to).tolist(),
            self.micro_batch_tokens,
            rounded_up(self.target_tokens[rows], self.round_to).tolist(),
        )
        return [rows[batch.start : batch.stop] for batch in batches]


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
