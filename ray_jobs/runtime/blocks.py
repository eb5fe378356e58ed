"""The work of `prepare` on each block of pairs, on all workers of a cluster, by Ray Data."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa
from ray import data
from ray.exceptions import RayTaskError

from nmt.data.preparation.blocks import BlockRules, process_block
from nmt.data.preparation.staging import StagedBlock, read_block
from nmt.runs import layout
from nmt.storage import Storage
from ray_jobs.runtime.connection import cause_of, connect
from ray_jobs.runtime.context import Session

_NUMBER = "number"


def map_on_ray(session: Session, blocks: Sequence[StagedBlock]) -> Iterator[pa.Table]:
    """Process staged blocks on the cluster of a command, and yield the results in order."""
    with connect(session.config):
        yield from _map(session, blocks)


@dataclass(frozen=True)
class _Work:
    """What a worker does with the number of a block."""

    storage: Storage
    places: Sequence[str]
    """Path of each block below the storage root, or a local path that all nodes share."""
    rules: Sequence[BlockRules]

    def __call__(self, numbers: pa.Table) -> Iterator[pa.Table]:
        """Process the blocks with the given numbers."""
        for number in numbers[_NUMBER].to_pylist():
            yield process_block(self._read(number), self.rules[number])

    def _read(self, number: int) -> pa.Table:
        if self.storage.is_local:
            return read_block(pa.OSFile(self.places[number]))
        return read_block(pa.BufferReader(self.storage.read_bytes(self.places[number])))


def _map(session: Session, blocks: Sequence[StagedBlock]) -> Iterator[pa.Table]:
    storage, folder = session.storage, layout.staged_blocks(session.config.run)
    # Its warnings say that what is set here is set.
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    context = data.DataContext.get_current()
    # The arrays of the driver follow the order of the file, in which the first of two equal pairs
    # is the one that stays.
    context.execution_options.preserve_order = True
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    try:
        work = _Work(storage, _places(storage, folder, blocks), [block.rules for block in blocks])
        # One block of Ray Data for each of ours: by itself it would join them into a few.
        numbers = data.range(len(blocks), override_num_blocks=len(blocks))
        numbers = numbers.rename_columns({"id": _NUMBER})
        cleaned = numbers.map_batches(work, batch_size=None, batch_format="pyarrow")
        yield from cleaned.iter_batches(batch_size=None, batch_format="pyarrow")
    except RayTaskError as error:
        raise cause_of(error) from None
    finally:
        if not storage.is_local:
            storage.delete(folder)


def _places(storage: Storage, folder: str, blocks: Sequence[StagedBlock]) -> list[str]:
    """Put the blocks where every node can read them, and return their places."""
    if storage.is_local:
        # They are below the storage root, which all nodes share.
        return [str(block.path) for block in blocks]
    places = [f"{folder}/{block.path.name}" for block in blocks]
    for place, block in zip(places, blocks, strict=True):
        storage.write_bytes(place, block.path.read_bytes())
    return places
