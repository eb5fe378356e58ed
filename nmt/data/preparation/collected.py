"""All that is known of the pairs after each was cleaned on its own."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from nmt.cli.progress import PairProgress
from nmt.data.cleaning import (
    EMPTY_SIDE,
    NUMBERS_DIFFER,
    SENTENCES_DIFFER,
    URLS_DIFFER,
    WOULD_BE_DROPPED,
)
from nmt.data.preparation.audit import Audit, Sampler
from nmt.data.preparation.blocks import kept_rows
from nmt.data.preparation.pairs import Collector, Dropped, Pairs, Rows, chunks
from nmt.data.preparation.parts import Part
from nmt.data.preparation.reports import InputReport
from nmt.data.preparation.staging import StagedBlock
from nmt.data.preparation.texts import StoredPairs

FLAGS = {
    NUMBERS_DIFFER: "numbers_differ",
    URLS_DIFFER: "urls_differ",
    SENTENCES_DIFFER: "sentences_differ",
    EMPTY_SIDE: "empty_side",
    WOULD_BE_DROPPED: "would_be_dropped",
}
"""Bits of the column `flags`, and their names."""


@dataclass
class Collected:
    """The pairs that are left, by their use, with their text and the audit of the others."""

    parts: Sequence[Part]
    read: Sequence[int]
    """Number of pairs that were read from each input."""
    main: Pairs
    """The pairs from which the model learns, and from which splits are held out."""
    general: Pairs
    """The everyday sentences of the phrasebook; empty for other data."""
    held_out: Pairs
    """Given validation and test pairs, and named test sets."""
    texts: StoredPairs
    audit: Audit
    seed: int

    def record_drops(self) -> None:
        """Write what comparisons have dropped since the last call to the audit."""
        for pairs in self._groups:
            for dropped in pairs.dropped:
                for number in np.unique(dropped.origin.part):
                    for rows in chunks(np.flatnonzero(dropped.origin.part == number)):
                        self.audit.add(self.parts[number].name, self._drop_table(dropped, rows))
            pairs.dropped.clear()

    def reports(self) -> dict[str, InputReport]:
        """Report on each input, by its name."""
        self.record_drops()
        return {
            part.name: self._report(number, part)
            for number, part in enumerate(self.parts)
            if part.role != "set"
        }

    def left(self, number: int) -> int:
        """Count the pairs that are left of an input."""
        return sum(int(np.count_nonzero(pairs.of_part(number))) for pairs in self._groups)

    @property
    def _groups(self) -> tuple[Pairs, ...]:
        return self.main, self.general, self.held_out

    def _report(self, number: int, part: Part) -> InputReport:
        kept = 0
        flagged = Sampler(self.seed)
        for pairs in self._groups:
            rows = np.flatnonzero(pairs.of_part(number))
            kept += len(rows)
            for bit, name in FLAGS.items():
                found = rows[(pairs.features.flags[rows] & bit) > 0]
                if len(found):
                    flagged.add(name, pairs.origin.row[found], self.texts.texts)
        return InputReport(
            read=self.read[number],
            kept=kept,
            dropped=self.audit.dropped(part.name),
            flagged=flagged.findings,
            bad_rows=part.bad.count,
            bad_examples=[str(row) for row in part.bad.examples],
        )

    def _drop_table(self, dropped: Dropped, rows: Rows) -> pa.Table:
        origin = dropped.origin.take(rows)
        return pa.table(
            {
                "line": pa.array(origin.line),
                "rule": pa.array([dropped.rule] * len(rows), pa.string()),
                "value": pa.array([dropped.values[row] for row in rows], pa.string()),
                "source": self.texts.sources.take(origin.row),
                "target": self.texts.targets.take(origin.row),
            }
        )


def collect(
    parts: Sequence[Part],
    staged: Sequence[StagedBlock],
    cleaned: Iterable[pa.Table],
    folder: Path,
    audit: Audit,
    seed: int,
) -> Collected:
    """Store the text of cleaned blocks, and gather their keys.

    Args:
        parts: the inputs.
        staged: the blocks as they were read.
        cleaned: the same blocks after their processing, in the same order.
        folder: for the text.
        audit: gets the dropped pairs.
        seed: decides which pairs are examples.
    """
    texts = StoredPairs(folder)
    sizes = {"main": 0, "general": 0, "held_out": 0}
    for block in staged:
        sizes[_use(parts[block.part])] += block.pairs
    collectors = {use: Collector(size) for use, size in sizes.items()}
    # Three groups, because each is compared in another way and the large one must not be copied.
    progress = PairProgress("prepare: cleaned", sum(block.pairs for block in staged))
    read, stored = [0] * len(parts), 0
    for block, table in zip(staged, cleaned, strict=True):
        part = parts[block.part]
        kept = table.slice(0, kept_rows(table))
        audit.add(part.name, table.slice(kept.num_rows))
        texts.append(kept)
        collectors[_use(part)].add(table, block.part, stored)
        stored += kept.num_rows
        read[block.part] += block.pairs
        progress.add(block.pairs)
    groups = {name: collector.pairs() for name, collector in collectors.items()}
    return Collected(parts, read, **groups, texts=texts, audit=audit, seed=seed)


def _use(part: Part) -> str:
    if part.role != "corpus":
        return "held_out"
    return "general" if part.generated and part.name == "general" else "main"
