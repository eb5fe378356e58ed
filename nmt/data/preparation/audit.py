"""The audit: every dropped pair in a file, and counts and random examples for the reports."""

import random
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

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


@dataclass
class Sampler:
    """Counts of findings, each with a uniform sample of pairs as examples."""

    seed: int
    findings: dict[str, Finding] = field(default_factory=dict[str, Finding])

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)

    def add(self, name: str, pairs: Sequence[Pair]) -> None:
        """Count the pairs of a finding; each may replace an example."""
        finding = self.findings.setdefault(name, Finding())
        for pair in pairs:
            # Reservoir sampling: every pair has the same chance, however many follow.
            place = self._random.randrange(finding.count + 1)
            finding.count += 1
            if len(finding.examples) < EXAMPLES:
                finding.examples.append(shorten(pair))
            elif place < EXAMPLES:
                finding.examples[place] = shorten(pair)


class Audit:
    """The dropped pairs of all inputs."""

    def __init__(self, path: Path, seed: int) -> None:
        """Create the file.

        Args:
            path: of the file, in Parquet.
            seed: decides which pairs are the examples.
        """
        self._open = ExitStack()
        self._file = self._open.enter_context(
            parquet.ParquetWriter(path, SCHEMA, compression="zstd")
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
        names = pa.array([name]).take(pa.array([0] * drops.num_rows))
        columns = {field.name: drops[field.name] for field in SCHEMA if field.name != "corpus"}
        self._file.write_table(pa.table({"corpus": names, **columns}, schema=SCHEMA))
        for rule in drops["rule"].unique().to_pylist():
            of_rule = drops.filter(pc.equal(drops["rule"], rule))
            sides = (of_rule[side].to_pylist() for side in ("source", "target"))
            pairs = [Pair(source, target) for source, target in zip(*sides, strict=True)]
            self._sampler(name).add(rule, pairs)

    def _sampler(self, name: str) -> Sampler:
        return self._samplers.setdefault(name, Sampler(self._seed))
