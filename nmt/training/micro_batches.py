"""Micro-batches cut as finely as the memory of this run's machines asks for."""

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
    """How many parts each micro-batch of a run is cut into; kept beside its checkpoints."""

    def __init__(self, name: str, storage: Storage, folder: str, strategy: Strategy) -> None:
        self._name, self._storage = name, storage
        self._path = layout.micro_batches(folder)
        whole = "micro-batches are whole again until they do not fit into the memory"
        found = CUT.find_or_leave_out(storage, self._path, whole, log.warning) or Cut(1)
        # A worker that sees an older file would wait for exchanges that the others do not make.
        self.parts: int = max(strategy.gather(found.parts))

    def of(self, rows: list[Rows], rank: int, workers: int) -> tuple[list[Rows], int]:
        """One worker's micro-batches of a step, and how many the worker with most of them has."""
        shares = [self._cut(share(rows, each, workers)) for each in range(workers)]
        return shares[rank], max(len(part) for part in shares)

    def halve(self, rows: int) -> None:
        """Cut all micro-batches of this run in two from now on.

        Raises:
            InsufficientMemoryError: the one that did not fit is a single row.
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

    def _cut(self, rows: list[Rows]) -> list[Rows]:
        return [
            part
            for micro_batch in rows
            for part in np.array_split(micro_batch, self.parts)
            if len(part)
        ]
