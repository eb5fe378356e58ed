"""Finished steps of other runs that a run takes over instead of doing the same again.

Two steps are equal by their settings and by the digests of what they were made from, never by
names. A step is taken over as it is done: a record says that it was begun, then come its files,
and the finished record comes last.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any, TypeVar

from pydantic import BaseModel, JsonValue

from nmt.config import Config
from nmt.errors import StorageError
from nmt.runs import layout
from nmt.runs.records import (
    BEST_TRIAL,
    RECORD,
    VARIANT,
    Record,
    find_record,
    is_same,
    write_config,
)
from nmt.runs.steps import EVALUATE, TUNE, AnyStep
from nmt.storage import MANIFEST, RecordKind, Storage

log = logging.getLogger(__name__)

ModelT = TypeVar("ModelT", bound=BaseModel)


def can_take_over(storage: Storage, run: str, step: AnyStep, found: Record | None) -> bool:
    """Tell whether a step has no work of its own run, with which it would go on."""
    # What lies there without a record may be a training whose damaged record was deleted.
    if found is None:
        return not storage.exists(layout.step_folder(run, step))
    return not found.done and bool(found.taken_from)


def find_equal(
    storage: Storage,
    runs: Sequence[str],
    step: AnyStep,
    wanted: Record,
    is_equal: Callable[[str, Record], bool],
) -> Iterator[tuple[str, Record]]:
    """Yield the runs that have finished a step with the settings and inputs wanted now.

    Args:
        storage: the storage root.
        runs: names of the runs to look at; those that are gone or damaged are passed over.
        step: the step.
        wanted: its settings, and the digests of its inputs.
        is_equal: tells whether the step was made from what else counts.
    """
    for run in runs:
        if not storage.exists(run):
            log.warning("%s: campaign.reuse names run %s, which is gone", step.name, run)
            continue
        try:
            found = find_record(storage, run, step)
            if found and found.done and is_same(found, wanted) and is_equal(run, found):
                yield run, found
        except StorageError as error:
            log.warning("%s: run %s is passed over: %s", step.name, run, error)


def take_over(
    storage: Storage,
    config: Config,
    step: AnyStep,
    wanted: Record,
    is_equal: Callable[[str, Record], bool],
    is_intact: Callable[[Record], bool],
) -> Record | None:
    """Copy the finished step of another run, under the lock of the run's own one.

    Returns:
        The record of the copy; None if no run of `campaign.reuse` has an equal, undamaged step.
    """
    runs = [run for run in config.campaign.reuse if run != config.run] if step.taken_over else []
    if storage.exists(layout.step_folder(config.run, step)):
        # A call was killed while it copied.
        delete_step(storage, config.run, step)
    for run, found in find_equal(storage, runs, step, wanted, is_equal):
        try:
            taken = _copied(storage, config, step, wanted, run, found)
            if is_intact(taken):
                RECORD.write(storage, layout.step_record(config.run, step), taken)
                log.info(
                    "%s: taken from run %s, which has the same settings and data", step.name, run
                )
                return taken
        except StorageError as error:
            log.warning("%s: run %s is passed over: %s", step.name, run, error)
        delete_step(storage, config.run, step)
    return None


def delete_step(storage: Storage, run: str, step: AnyStep) -> None:
    """Delete a step of a run, its record first, so that a half-deleted step is not taken over."""
    storage.delete(layout.step_record(run, step))
    storage.delete(layout.step_folder(run, step))


def _copied(
    storage: Storage, config: Config, step: AnyStep, wanted: Record, run: str, found: Record
) -> Record:
    """Copy the files of a step, and return the record that is to follow them.

    Raises:
        StorageError: a file is missing or damaged, or the step was made again meanwhile.
    """
    begun = replace(wanted, taken_from=run)
    RECORD.write(storage, layout.step_record(config.run, step), begun)
    write_config(storage, config, step)
    source, target = layout.step_folder(run, step), layout.step_folder(config.run, step)
    names = [name for name in storage.list_below(source) if _is_part(step, name)]
    # A folder commit exists once its manifest does.
    for name in sorted(names, key=lambda name: (PurePosixPath(name).name == MANIFEST, name)):
        storage.copy_file(f"{source}/{name}", f"{target}/{name}")
    for name in names:
        for path, kind in _RECORDS_WITH_PATHS.items():
            if PurePosixPath(name).name == path:
                _move_record(storage, kind, f"{target}/{name}", source, target)
    if find_record(storage, run, step) != found:
        raise StorageError(f"the step '{step.name}' of run '{run}' was made again meanwhile")
    result = {key: _moved(value, source, target) for key, value in found.result.items()}
    return replace(
        found, settings=wanted.settings, inputs=wanted.inputs, result=result, taken_from=run
    )


_RECORDS_WITH_PATHS: dict[str, RecordKind[Any]] = {
    PurePosixPath(layout.best_trial("")).name: BEST_TRIAL,
    PurePosixPath(layout.variant_record("")).name: VARIANT,
}
"""Name of a file below a step -> the kind of record that it is, which has paths of its run."""


def _is_part(step: AnyStep, name: str) -> bool:
    """Tell whether a file below a step's folder belongs to what the step has made."""
    parts = PurePosixPath(name).parts
    own = (layout.step_record, layout.step_config, layout.ray_files)
    if parts[0] in {PurePosixPath(path("", step)).name for path in own}:
        return False
    # What killed writers have left.
    if any(part.startswith(".") for part in parts):
        return False
    # Only trainings have what follows, and a test set may have any name.
    if step is EVALUATE:
        return True
    # These belong to the training that was watched, which was that of the other run.
    left = {PurePosixPath(path("")).name for path in (layout.tensorboard, layout.mlflow_run)}
    # A finished training needs its checkpoints no more; a training may go on from a trial's.
    if step is not TUNE:
        left.add(PurePosixPath(layout.checkpoints("")).name)
    return not left.intersection(parts)


def _move_record(
    storage: Storage, kind: RecordKind[ModelT], path: str, source: str, target: str
) -> None:
    """Write a copied record again with the paths of its new place."""
    record = kind.find(storage, path, "the step of this run is passed over")
    if record is not None:
        content = _moved(record.model_dump(mode="json"), source, target)
        kind.write(storage, path, type(record).model_validate(content))


def _moved(value: JsonValue, source: str, target: str) -> JsonValue:
    """Replace the folder in every path below it."""
    if isinstance(value, dict):
        return {key: _moved(each, source, target) for key, each in value.items()}
    if isinstance(value, list):
        return [_moved(each, source, target) for each in value]
    if isinstance(value, str) and value.startswith(f"{source}/"):
        return f"{target}{value.removeprefix(source)}"
    return value
