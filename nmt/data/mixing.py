"""The rows of each epoch where corpora have weights. Imports no torch."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# Separates these draws from those of an epoch, which are seeded by (seed, epoch).
_CYCLE = 1


@dataclass(frozen=True, slots=True)
class CorpusMix:
    """How often an epoch uses the rows of each corpus."""

    corpora: NDArray[np.uint16]
    """The corpus of each row, as an index into `weights`."""
    weights: tuple[float, ...]
    """Uses of each row per epoch: 2 is twice, 0.5 is once in two epochs."""

    def rows(self, seed: int, epoch: int) -> NDArray[np.int32]:
        """Return the rows of an epoch, grouped by corpus; repeated rows occur several times."""
        parts = [np.empty(0, np.int32)]
        for corpus in range(len(self.weights)):
            parts += self._rows_of(corpus, seed, epoch)
        return np.concatenate(parts)

    def _rows_of(self, corpus: int, seed: int, epoch: int) -> Iterable[NDArray[np.int32]]:
        """Yield all rows of a corpus as often as its weight is whole, then a share of them."""
        own = np.flatnonzero(self.corpora == corpus).astype(np.int32)
        whole = int(self.weights[corpus])
        yield from [own] * whole
        share = self.weights[corpus] - whole
        # Each epoch goes on in one endless cycle through the rows, where the previous one stopped.
        # So all rows are used equally often, and none twice within a share.
        first, end = round(epoch * share * len(own)), round((epoch + 1) * share * len(own))
        if end > first:
            order = np.random.default_rng((seed, corpus, _CYCLE)).permutation(len(own))
            yield own[order[np.arange(first, end) % len(own)]]
