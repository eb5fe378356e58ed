"""What the steps of a run have left on the storage root."""

import logging
from collections.abc import Mapping

from k8s.objects.campaign.status import BestTrial, SearchStatus
from k8s.operator.observed import ObservedStep
from nmt.errors import DamagedRecordError
from nmt.runs.records import Record, find_record, list_runs, result_of
from nmt.runs.steps import EVALUATE, EXPORT, STEPS, TUNE
from nmt.storage import Storage

log = logging.getLogger(__name__)

_FAILED_TRIALS = ("failed", "diverged", "out_of_memory", "refused", "abandoned")


def done_records(storage: Storage, run: str) -> dict[str, Record]:
    """Read the records of the finished steps of a run, by the name of the step.

    Raises:
        StorageError: a record is damaged; names the command that makes it again.
    """
    found = {name: find_record(storage, run, step) for name, step in STEPS.items()}
    return {name: record for name, record in found.items() if record and record.done}


def read_steps(
    storage: Storage, run: str, records: Mapping[str, Record]
) -> dict[str, ObservedStep]:
    """Read what the finished steps of a run have found.

    Raises:
        StorageError: another release has written the result of a step.
    """
    return {name: _read_step(storage, run, name, record) for name, record in records.items()}


def _read_step(storage: Storage, run: str, name: str, record: Record) -> ObservedStep:
    # The result of an evaluation is large, and the gate says what is of interest in it.
    is_read = name != EVALUATE.name
    headline = result_of(storage, run, STEPS[name], record).headline() if is_read else ""
    ended = record.ended or None
    return ObservedStep(record.seconds, headline, record.taken_from or None, ended)


def read_search(storage: Storage, run: str, records: Mapping[str, Record]) -> SearchStatus | None:
    """Count the trials of a finished search; None if there is none.

    Raises:
        StorageError: another release has written its result.
    """
    if TUNE.name not in records:
        return None
    result = result_of(storage, run, TUNE, records[TUNE.name])
    failed = sum(trial.state in _FAILED_TRIALS for trial in result.trials)
    best = result.best
    return SearchStatus(
        trials=len(result.trials),
        finished=len(result.trials) - failed,
        failed=failed,
        best=BestTrial(trial=str(best.number), metric=result.metric, score=round(best.score, 2))
        if best.score is not None
        else None,
    )


def may_be_shared(storage: Storage, run: str, engine: str) -> bool:
    """Tell whether another run has made the same engine, or may have, since its record is damaged.

    Raises:
        StorageError: the runs or a record cannot be read now.
    """
    unknown: DamagedRecordError | None = None
    for other in list_runs(storage):
        if other == run:
            continue
        try:
            record = find_record(storage, other, EXPORT)
        except DamagedRecordError as error:
            unknown = error
            continue
        if record is not None and record.output == engine:
            return True
    if unknown is not None:
        log.warning(
            "engine %s of run %s stays on the storage, since another run may have made it too: %s",
            engine, run, unknown,
        )  # fmt: skip
    return unknown is not None
