"""Preparation of the data: read, clean, compare, split and write it."""

import json
import logging
import shutil
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from types import MappingProxyType

from nmt.config import DataConfig, TestSetConfig
from nmt.data.cleaning import EMPTY_SIDE, WOULD_BE_DROPPED
from nmt.data.preparation.audit import Audit
from nmt.data.preparation.collected import FLAGS, Collected, collect
from nmt.data.preparation.parts import open_parts
from nmt.data.preparation.proposals import lines_of, propose
from nmt.data.preparation.reports import InputReport, PrepareReport
from nmt.data.preparation.screening import drop_by_ratio, drop_duplicates, drop_equal, drop_leaks
from nmt.data.preparation.splits import split_pairs
from nmt.data.preparation.staging import MapBlocks, StagedBlock, map_here, stage
from nmt.data.preparation.writing import flags_of_splits, screened_sets, write_splits

log = logging.getLogger(__name__)

AUDIT_FILE = "dropped.parquet"
_KEPT = tuple(FLAGS[flag] for flag in (EMPTY_SIDE, WOULD_BE_DROPPED))


def prepare(
    data: DataConfig,
    seed: int,
    destination: Path,
    *,
    sets: Mapping[str, TestSetConfig] = MappingProxyType({}),
    map_blocks: MapBlocks = map_here,
) -> PrepareReport:
    """Read, clean, split and write the data.

    A test split of the user is kept as it is. A validation split is cleaned and keeps its order.
    Training pairs that share or nearly share a sentence with them, or with a named test set, are
    dropped as `leak`. Missing splits are then held out from the rest.

    Args:
        data: the inputs; the built-in phrasebook if neither `data.path` nor `data.corpora` is set.
        seed: decides, together with the sentences but not their order, which pairs are held out.
        destination: new folder for `dataset/` (a saved `DatasetDict` with the columns of
            `nmt.data.saved.SCHEMA`), `dropped.parquet` and `cleaning.json` (the report).
        sets: named test sets, which are only compared with the training pairs.
        map_blocks: processes the pairs if there are at least `data.min_ray_pairs`.

    Raises:
        DataError: an input cannot be read, or too few of its pairs are left.
        UnavailableError: the hub cannot be reached.
        OSError: the destination cannot be written.
    """
    destination.mkdir(parents=True, exist_ok=True)
    # Beside the result, since a folder for temporary files is often in memory or small.
    scratch = destination / "scratch"
    scratch.mkdir()
    try:
        with Audit(destination / AUDIT_FILE, seed) as audit:
            collected, _ = _collect(data, seed, scratch, audit, sets, map_blocks)
            compare(collected)
            splits = split_pairs(collected, data)
            reports = collected.reports()
            _log(reports)
            report = PrepareReport(
                sizes={name: len(split) for name, split in splits.items()},
                inputs=reports,
                flagged=flags_of_splits(splits),
                screened=screened_sets(collected),
                given=tuple(part.name for part in collected.parts if part.role == "test"),
                digest=write_splits(splits, collected, destination),
            )
    finally:
        shutil.rmtree(scratch)
    text = json.dumps(asdict(report), ensure_ascii=False, indent=2)
    (destination / "cleaning.json").write_text(f"{text}\n", encoding="utf-8")
    return report


def dry_run(
    data: DataConfig, seed: int, scratch: Path, sets: Mapping[str, TestSetConfig]
) -> list[str]:
    """Report what `prepare` would drop, and what nearby limits would.

    Args:
        data: the inputs.
        seed: decides which pairs are compared first.
        scratch: folder for temporary files.
        sets: named test sets.

    Raises:
        DataError: an input cannot be read.
        UnavailableError: the hub cannot be reached.
    """
    with Audit(scratch / AUDIT_FILE, seed) as audit:
        collected, staged = _collect(data, seed, scratch, audit, sets, map_here)
        # Before the comparisons, which drop the pairs that other limits would have kept.
        proposals = propose(collected, staged)
        compare(collected)
        drop_leaks(collected.main, collected.held_out, collected.parts, collected.texts)
        return list(lines_of(collected.reports(), proposals))


def compare(collected: Collected) -> None:
    """Drop the pairs that only a comparison with the others shows to be wrong."""
    drop_equal(collected.held_out, collected.parts)
    drop_equal(collected.general, collected.parts)
    drop_by_ratio(collected.main, collected.parts)
    drop_duplicates(collected.main, collected.parts, collected.texts)


def _log(reports: Mapping[str, InputReport]) -> None:
    for name, report in reports.items():
        log.info(
            "prepare: %s: %d of %d pairs kept; dropped: %s",
            name, report.kept, report.read, report.reasons(),
        )  # fmt: skip
        kept = [f"{report.flagged[flag].count} {flag}" for flag in _KEPT if flag in report.flagged]
        if kept:
            log.warning(
                "prepare: %s: kept as they are, since it is a test set: %s", name, ", ".join(kept)
            )
        if report.bad_rows:
            # Nobody looks for rows that were skipped without a word.
            log.warning(
                "prepare: %s: %d damaged rows were skipped, such as %s",
                name, report.bad_rows, report.bad_examples[0],
            )  # fmt: skip


def _collect(
    data: DataConfig,
    seed: int,
    scratch: Path,
    audit: Audit,
    sets: Mapping[str, TestSetConfig],
    map_blocks: MapBlocks,
) -> tuple[Collected, list[StagedBlock]]:
    """Read all inputs, and clean their pairs one by one."""
    parts = list(open_parts(data, sets, seed))
    staged = stage(parts, scratch)
    on_ray = sum(block.pairs for block in staged) >= data.min_ray_pairs
    cleaned = (map_blocks if on_ray else map_here)(staged)
    return collect(parts, staged, cleaned, scratch, audit, seed), staged
