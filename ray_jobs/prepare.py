"""Read, clean and split parallel text."""

from typing import Any

from nmt.data.prepare import fingerprint, prepare
from nmt.errors import DataError, StepConflictError
from nmt.runs import layout
from nmt.runs.records import Record, find_record, is_intact, result_of
from nmt.runs.steps import PREPARE
from nmt.storage import Storage
from ray_jobs.runtime.context import Session


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
        before = result_of(storage, config.run, PREPARE, found).fingerprint
        if content and before and content != before:
            raise StepConflictError(
                f"run '{config.run}': the content of data.path={config.data.path} has changed "
                "since it was prepared; choose another run=NAME, or add --restart"
            )

    pairs = layout.pairs(config.run)

    def work() -> dict[str, Any]:
        with storage.commit(pairs) as folder:
            report = prepare(config.data, config.seed, folder)
        storage.write_json(layout.cleaning_report(config.run), report.cleaning)
        return {
            "output": report.digest,
            "fingerprint": content,
            "sizes": report.sizes,
            "dropped": {
                reason: count["count"]
                for part in report.cleaning.values()
                for reason, count in part["dropped"].items()
            },
        }

    return session.do(PREPARE, work, is_intact=lambda: is_intact(storage, pairs))


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


if __name__ == "__main__":
    from ray_jobs.cli.runner import main

    main("prepare")
