"""The audit: every dropped pair in a file, and counts and random examples for the reports."""

from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from nmt.data.overlap.keys import Rows, Texts
from nmt.data.preparation.reports import EXAMPLES, Finding, shorten
from nmt.text.pair import Pair

SCHEMA = pa.schema(
    {
        "corpus": pa.string(),
        "line": pa.uint32(),
        "rule": pa.string(),
        "value": pa.string(),
        "source": pa.string(),
        "target": pa.string(),
    }
)
"""Columns of the file of dropped pairs."""


class Sampler:
    """Counts of findings, each with a few random pairs as examples."""

    def __init__(self, seed: int) -> None:
        """Begin without findings; the seed decides which pairs become the examples."""
        self._random = np.random.default_rng(seed)
        self.findings: dict[str, Finding] = {}
        self._priorities: dict[str, list[float]] = {}

    def add(self, name: str, rows: Rows, texts: Texts) -> None:
        """Count pairs of a finding.

        Args:
            name: of the finding.
            rows: the pairs.
            texts: reads the texts of some of the rows.
        """
        finding = self.findings.setdefault(name, Finding())
        finding.count += len(rows)
        # Each pair draws a number, and those with the smallest are shown: so every pair has the
        # same chance, and only the text of a few is read.
        drawn = self._random.random(len(rows))
        best = np.argsort(drawn)[:EXAMPLES]
        sources, targets = texts(rows[best])
        shown = [
            shorten(Pair(source, target)) for source, target in zip(sources, targets, strict=True)
        ]
        priorities = [*self._priorities.get(name, []), *drawn[best].tolist()]
        examples = [*finding.examples, *shown]
        order = np.argsort(priorities)[:EXAMPLES]
        self._priorities[name] = [priorities[place] for place in order]
        finding.examples = [examples[place] for place in order]


class Audit:
    """The dropped pairs of all inputs."""

    def __init__(self, path: Path, seed: int) -> None:
        """Create the file.

        Args:
            path: of the file, in Parquet.
            seed: decides which pairs are the examples.
        """
        self._open = ExitStack()
        # Opened here, since Arrow would give some characters of a path a meaning.
        stream = self._open.enter_context(path.open("wb"))
        self._file = self._open.enter_context(
            parquet.ParquetWriter(stream, SCHEMA, compression="zstd")
        )
        self._seed = seed
        self._samplers: dict[str, Sampler] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._open.close()

    def dropped(self, name: str) -> dict[str, Finding]:
        """Return what was dropped from an input so far, by rule."""
        return self._sampler(name).findings

    def add(self, name: str, drops: pa.Table) -> None:
        """Record dropped pairs of an input.

        Args:
            name: of the input.
            drops: columns `line`, `rule`, `value`, `source` and `target`.
        """
        if not drops.num_rows:
            return
        # Written at once, since the pairs of a noisy corpus would fill the memory.
        names = pa.array([name]).take(pa.array([0] * drops.num_rows))
        columns = {field.name: drops[field.name] for field in SCHEMA if field.name != "corpus"}
        self._file.write_table(pa.table({"corpus": names, **columns}, schema=SCHEMA))
        rules = drops["rule"].to_numpy()
        for rule in np.unique(rules):
            rows = np.flatnonzero(rules == rule)
            self._sampler(name).add(rule, rows, lambda rows: _texts(drops, rows))

    def _sampler(self, name: str) -> Sampler:
        return self._samplers.setdefault(name, Sampler(self._seed))


def _texts(drops: pa.Table, rows: Rows) -> tuple[list[str], list[str]]:
    chosen = drops.take(pa.array(rows))
    return chosen["source"].to_pylist(), chosen["target"].to_pylist()
