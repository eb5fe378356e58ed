"""The number of parts into which micro-batches are split so that they fit into memory."""

import logging

import numpy as np

from nmt.data.batches import Rows, share
from nmt.errors import InsufficientMemoryError
from nmt.runs import layout
from nmt.storage import Storage
from nmt.training.saved.records import CUT, Cut
from nmt.training.strategies import Strategy

log = logging.getLogger(__name__)


class MicroBatches:
    """The split of a run's micro-batches, stored with its checkpoints."""

    def __init__(self, name: str, storage: Storage, folder: str, strategy: Strategy) -> None:
        self._name, self._storage = name, storage
        self._path = layout.micro_batches(folder)
        remedy = "micro-batches are whole again until they do not fit into the memory"
        found = CUT.find_or_leave_out(storage, self._path, remedy, log.warning) or Cut(1)
        # A worker that reads an older file would wait for exchanges that the others do not make.
        self.parts: int = max(strategy.gather(found.parts))

    def of(self, rows: list[Rows], rank: int, workers: int) -> tuple[list[Rows], int]:
        """Return a worker's micro-batches of a step, and the largest number that any worker has."""
        shares = [self._split(share(rows, each, workers)) for each in range(workers)]
        return shares[rank], max(len(part) for part in shares)

    def halve(self, rows: int) -> None:
        """Split all micro-batches of this run in two from now on.

        Raises:
            InsufficientMemoryError: the one that did not fit has a single row.
        """
        if rows == 1:
            raise InsufficientMemoryError(
                f"{self._name}: a micro-batch of one row does not fit into the memory; lower "
                "model.max_source_tokens and model.max_target_tokens, or set "
                "training.gradient_checkpointing=true or adapter.type=qlora"
            )
        self.parts *= 2
        CUT.write(self._storage, self._path, Cut(self.parts))
        log.warning(
            "%s: %d rows do not fit into the memory: each micro-batch is cut into %d from now on, "
            "a step sees the same rows; training.micro_batch_tokens is too high for this machine",
            self._name,
            rows,
            self.parts,
        )

    def _split(self, rows: list[Rows]) -> list[Rows]:
        """Split each micro-batch into parts of about the same number of rows."""
        return [
            part
            for micro_batch in rows
            for part in np.array_split(micro_batch, self.parts)
            if len(part)
        ]
