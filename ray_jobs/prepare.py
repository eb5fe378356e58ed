"""Read, clean and split parallel text."""

import logging
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import pyarrow as pa

from nmt.config import Config
from nmt.data.fingerprint import fingerprint, fingerprint_of_set
from nmt.data.preparation.reports import merged
from nmt.data.preparation.staging import StagedBlock
from nmt.data.prepare import AUDIT_FILE, prepare
from nmt.data.prepare import dry_run as find_drops
from nmt.data.test_sets import read_test_set
from nmt.errors import DataError, StepConflictError
from nmt.runs import layout
from nmt.runs.records import Record, find_record, is_intact, result_of
from nmt.runs.results import InputCounts, PrepareResult, ScreenedSet
from nmt.runs.running import StepOutput
from nmt.runs.steps import PREPARE
from nmt.storage import Storage
from ray_jobs.runtime.context import Session

log = logging.getLogger(__name__)


def run(session: Session) -> Record:
    """Prepare the data of a run, unless that is done.

    Raises:
        DataError: the corpus cannot be read or holds too little.
        StepConflictError: prepared with other settings, or the files have changed since.
    """
    config, storage = session.config, session.storage
    found = find_record(storage, config.run, PREPARE)
    content = fingerprint(config.data)
    if found and found.done and not session.restart:
        before = result_of(storage, config.run, PREPARE, found)
        if content and before.fingerprint and content != before.fingerprint:
            raise StepConflictError(
                f"run '{config.run}': the content of {config.data.name} has changed "
                "since it was prepared; choose another run=NAME, or add --restart"
            )
        _warn_of_unscreened(config, before)
    pairs = layout.pairs(config.run)
    return session.run_step(
        PREPARE,
        lambda: _prepare(session, content),
        is_intact=lambda _: is_intact(storage, pairs),
        is_equal=lambda run, record: _is_of_same_files(session, content, run, record),
    )


def _is_of_same_files(session: Session, content: str | None, run: str, record: Record) -> bool:
    """Tell whether another run has prepared the same files, and screened for the same test sets.

    A data set of the hub counts by its name and revision, which are among the settings.
    """
    config = session.config
    before = result_of(session.storage, run, PREPARE, record)
    if before.fingerprint != content:
        return False
    sets = config.evaluation.sets.items()
    now = {name: read_test_set(name, test_set, config.data).digest for name, test_set in sets}
    return now == {name: found.digest for name, found in before.screened.items()}


def dry_run(config: Config) -> None:
    """Print what the preparation would drop, and write nothing below the storage root.

    Raises:
        DataError: the corpus cannot be read.
    """
    with tempfile.TemporaryDirectory() as folder:
        lines = find_drops(config.data, config.seed, Path(folder), config.evaluation.sets)
    sys.stdout.write("".join(f"{line}\n" for line in lines))


def check_split(storage: Storage, run: str, prepared: Record, split: str) -> None:
    """Check that a split has pairs, before hours of work that would fail without them.

    Raises:
        DataError: the prepared data has no such split.
    """
    if not result_of(storage, run, PREPARE, prepared).sizes.get(split):
        raise DataError(
            f"run '{run}' has no {split} pairs: set data.{split}_fraction or data.{split}_path, "
            "with another run=NAME, or after preparing again with --restart"
        )


def _prepare(session: Session, content: str | None) -> StepOutput[PrepareResult]:
    """Prepare the data of a run."""
    config, storage = session.config, session.storage

    def map_blocks(blocks: Sequence[StagedBlock]) -> Iterator[pa.Table]:
        # Imported only for data that is large enough, since Ray takes seconds to load.
        from ray_jobs.runtime.blocks import map_on_ray

        return map_on_ray(session, blocks)

    with storage.commit(layout.pairs(config.run)) as folder:
        report = prepare(
            config.data, config.seed, folder,
            sets=config.evaluation.sets, map_blocks=map_blocks,
        )  # fmt: skip
        # Beside the commit, so that the workers of a training need not copy it.
        storage.move_in(folder / AUDIT_FILE, layout.dropped_pairs(config.run))
    written = asdict(report)
    storage.write_json(layout.cleaning_report(config.run), written["inputs"])
    counts = {
        name: InputCounts(
            read=found.read,
            kept=found.kept,
            dropped={rule: drops.count for rule, drops in found.dropped.items()},
            flagged={flag: pairs.count for flag, pairs in found.flagged.items()},
            bad_rows=found.bad_rows,
        )
        for name, found in report.inputs.items()
    }
    screened = {
        name: ScreenedSet(**written["screened"][name], fingerprint=fingerprint_of_set(test_set))
        for name, test_set in config.evaluation.sets.items()
    }
    result = PrepareResult(
        fingerprint=content,
        sizes=report.sizes,
        dropped={
            rule: drops.count
            for rule, drops in merged(list(report.inputs.values())).dropped.items()
        },
        inputs=counts,
        flagged=report.flagged,
        screened=screened,
        given=report.given,
    )
    return StepOutput(result, report.digest)


def _warn_of_unscreened(config: Config, before: PrepareResult) -> None:
    """Warn of named test sets that the training pairs were not compared with."""
    trained = {config.data.source_language, config.data.target_language}
    for name, test_set in config.evaluation.sets.items():
        own = test_set.source_language, test_set.target_language
        # No pair of other languages can be in the training.
        if None not in own and not trained & set(own):
            continue
        screened = before.screened.get(name)
        content = fingerprint_of_set(test_set)
        if screened is None:
            problem = "was not given when the training pairs were screened"
        elif content and screened.fingerprint and content != screened.fingerprint:
            problem = "has changed since the training pairs were screened"
        else:
            continue
        log.warning(
            "prepare: the test set '%s' %s, so they may hold its sentences: evaluate counts these, "
            "and scores the set with and without them",
            name, problem,
        )  # fmt: skip


if __name__ == "__main__":
    from ray_jobs.cli.runner import main

    main("prepare")
