"""Raw pairs as blocks on disk, and the way from there to processed blocks.

All inputs are read before the first is cleaned: then the number of pairs is known, which decides
where the work is done.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from pyarrow import ipc

from nmt.cli.progress import PairProgress
from nmt.data.preparation.blocks import BlockRules, process_block, raw_blocks
from nmt.data.preparation.parts import Part

# Fast enough to cost nothing beside the cleaning, and it halves the space.
_OPTIONS = ipc.IpcWriteOptions(compression="lz4")


@dataclass(frozen=True, slots=True)
class StagedBlock:
    """A block of raw pairs on disk."""

    path: Path
    part: int
    """Index of the input that the pairs are from."""
    pairs: int
    rules: BlockRules


MapBlocks = Callable[[Sequence[StagedBlock]], Iterator[pa.Table]]
"""Processes staged blocks with `process_block`, and yields the results in order."""


def read_block(stream: pa.NativeFile) -> pa.Table:
    """Read a staged block."""
    with stream, ipc.open_file(stream) as batches:
        return batches.read_all()


def map_here(blocks: Sequence[StagedBlock]) -> Iterator[pa.Table]:
    """Process staged blocks in this process."""
    for block in blocks:
        yield process_block(read_block(pa.OSFile(str(block.path))), block.rules)


def stage(parts: Iterable[Part], folder: Path) -> list[StagedBlock]:
    """Read all inputs, and write their pairs to a folder in blocks."""
    progress = PairProgress("prepare: read", None)
    staged: list[StagedBlock] = []
    for number, part in enumerate(parts):
        for block in raw_blocks(part.rows):
            path = folder / f"block-{len(staged):06d}.arrow"
            with ipc.new_file(str(path), block.schema, options=_OPTIONS) as file:
                file.write_table(block)
            staged.append(StagedBlock(path, number, block.num_rows, part.rules))
            progress.add(block.num_rows)
    return staged
