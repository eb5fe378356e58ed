"""Token-budget batches: which rows one optimizer step sees, decided by seed and epoch alone.

Neither the number of workers nor a restart changes a step's rows, so a run resumes with each
sample seen once. Imports no torch.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Cursor:
    """Place in the data: the next step to take."""

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

    def epoch(self, epoch: int) -> list[list[Rows]]:
        """The steps of an epoch: lists of micro-batches, whose rows are alike in length."""
        random = np.random.default_rng((self.seed, epoch))
        rows = np.concatenate([np.arange(self.corpus_rows), self._replay(random)])
        random.shuffle(rows)
        source, target = self.source_tokens[rows], self.target_tokens[rows]
        # Among rows as long as each other on the longer side, the other side sorts too: it halves
        # the padding. Equal rows stay in their random order.
        batches = self._fill(rows[np.lexsort((source, np.maximum(source, target)))])
        order = random.permutation(len(batches))
        size = self.micro_batches_per_step
        return [[batches[i] for i in order[at : at + size]] for at in range(0, len(order), size)]

    def steps(self, cursor: Cursor) -> Iterator[tuple[Cursor, list[Rows]]]:
        """Endless steps from a cursor on, each with the cursor behind it."""
        epoch = cursor.epoch
        while True:
            steps = self.epoch(epoch)
            for index in range(cursor.step if epoch == cursor.epoch else 0, len(steps)):
                last = index + 1 == len(steps)
                yield (Cursor(epoch + 1, 0) if last else Cursor(epoch, index + 1)), steps[index]
            epoch += 1

    def padding(self, epoch: int = 0) -> float:
        """Share of an epoch's tokens that are padding, 0-1."""
        batches = [rows for step in self.epoch(epoch) for rows in step]
        held = sum(padded_tokens(self, rows) for rows in batches)
        real = sum(int(self.source_tokens[r].sum() + self.target_tokens[r].sum()) for r in batches)
        return 1 - real / held

    def _replay(self, random: np.random.Generator) -> Rows:
        pool = len(self.source_tokens) - self.corpus_rows
        wanted = round(self.corpus_rows * self.replay_fraction / (1 - self.replay_fraction))
        drawn = random.permutation(pool)[: min(wanted, pool)]
        return (drawn + self.corpus_rows).astype(np.int64)

    def _fill(self, rows: Rows) -> list[Rows]:
        """Cut rows, sorted by length, where the next one would break the budget."""
        batches: list[Rows] = []
        start = width_source = width_target = 0
        for end, row in enumerate(rows):
            source = max(width_source, int(self.source_tokens[row]))
            target = max(width_target, int(self.target_tokens[row]))
            if end > start and (end + 1 - start) * (source + target) > self.micro_batch_tokens:
                batches.append(rows[start:end])
                start = end
                source, target = int(self.source_tokens[row]), int(self.target_tokens[row])
            width_source, width_target = source, target
        return [*batches, rows[start:]] if len(rows) else batches


def padded_tokens(plan: BatchPlan, rows: Rows) -> int:
    """Source and target tokens of a micro-batch with its padding."""
    width = int(plan.source_tokens[rows].max()) + int(plan.target_tokens[rows].max())
    return len(rows) * width


def share(step: Sequence[Rows], rank: int, workers: int) -> list[Rows]:
    """One worker's part of a step; over all workers every row occurs once.

    Whole micro-batches where they divide evenly, else a stride of each one's rows.
    A worker may get nothing when a step has fewer rows than workers.
    """
    if len(step) % workers == 0:
        return list(step[rank::workers])
    return [rows[rank::workers] for rows in step if len(rows) > rank]
