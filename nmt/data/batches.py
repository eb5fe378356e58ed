"""Token-budget batches: which rows one optimizer step sees, decided by seed and epoch alone.

Neither the number of workers nor a restart changes a step's rows, so a run resumes with each
sample seen once. Imports no torch.
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
    """A position in the data: the next step to take."""

    epoch: int = 0
    step: int = 0


@dataclass(frozen=True, slots=True)
class BatchPlan:
    """Rows and their lengths; `replay` rows are a pool of which each epoch draws a share."""

    source_tokens: NDArray[np.int32]
    """Tokens of each row's source; rows of the corpus first, then the replay pool's."""
    target_tokens: NDArray[np.int32]
    corpus_rows: int
    """Rows that every epoch holds; the rest is the replay pool."""
    replay_fraction: float
    """Share of an epoch's rows that come from the pool."""
    micro_batch_tokens: int
    """Padded source and target tokens of a micro-batch, at most."""
    micro_batches_per_step: int
    seed: int
    round_to: int = 1
    """Widths are padded to a multiple of this."""

    def epoch(self, epoch: int) -> list[list[Rows]]:
        """Return the steps of an epoch, as lists of micro-batches of rows of similar length."""
        random = np.random.default_rng((self.seed, epoch))
        rows = np.concatenate([np.arange(self.corpus_rows), self._replay(random)])
        random.shuffle(rows)
        batches = self._fill(rows[self._order(rows)])
        order = random.permutation(len(batches))
        size = self.micro_batches_per_step
        return [[batches[i] for i in order[at : at + size]] for at in range(0, len(order), size)]

    def steps(self, cursor: Cursor) -> Iterator[tuple[Cursor, list[Rows]]]:
        """Yield endless steps from a cursor on, each with the cursor after it."""
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
        held = sum(padded_tokens(self, rows) for rows in batches)
        real = sum(int(self.source_tokens[r].sum() + self.target_tokens[r].sum()) for r in batches)
        return 1 - real / held

    def _replay(self, random: np.random.Generator) -> Rows:
        pool = len(self.source_tokens) - self.corpus_rows
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
    """Return one worker's part of a step; over all workers every row occurs once.

    Whole micro-batches where they divide evenly, else a stride of each one's rows.
    A worker may get nothing when a step has fewer rows than workers.
    """
    if len(step) % workers == 0:
        return list(step[rank::workers])
    return [rows[rank::workers] for rows in step if len(rows) > rank]


def largest_share(micro_batches: int, rows: int, workers: int) -> tuple[int, int]:
    """Return the most micro-batches of a step that a worker takes, and its rows of each."""
    if micro_batches % workers == 0:
        return micro_batches // workers, rows
    return micro_batches, math.ceil(rows / workers)
