"""How a step is done, locked, repeated and discarded.

A step is done when its record says so and the settings it read equal those wanted now. Other
settings under the same run name are refused: a folder never holds the work of two configurations.
A step that `extends` takes other settings as an addition to what it has made.
"""

import time
from collections.abc import Callable, Collection
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeGuard

from nmt.config import Config, digest_of
from nmt.errors import InputError
from nmt.runs import layout
from nmt.runs.records import (
    RECORD,
    RETIRED,
    Record,
    check_same,
    find_record,
    is_same,
    require,
    settings_of,
    write_config,
)
from nmt.runs.reuse import can_take_over, delete_step, take_over
from nmt.runs.step_result import ResultT
from nmt.runs.steps import STEPS, TUNE, VARIANTS, AnyStep, Step
from nmt.storage import Storage, alone, check_free


@dataclass(frozen=True, slots=True)
class StepOutput(Generic[ResultT]):
    """What the work of a step hands over."""

    result: ResultT
    digest: str = ""
    """Digest of what the step made; empty where only its settings and inputs identify it."""


def inherit(
    storage: Storage,
    config: Config,
    step: AnyStep,
    user_set: Collection[str],
    *,
    restart: bool = False,
) -> Config:
    """Fill in the settings of the finished steps that a step builds on, or that it extends.

    Args:
        storage: the storage root.
        config: all settings.
        step: the step that is about to be done.
        user_set: dotted keys that the user set; the others give way to what the steps were
            made with.
        restart: whether what an earlier call of the step made is discarded, and its settings too.

    Raises:
        StepConflictError: the user asks for other settings than such a step was made with.
    """
    # So `data.path` and `model.name_or_path` are given once, and an option that a later command
    # leaves out does not fall back to its default.
    inherited: dict[str, Any] = {}
    for name in step.after:
        record = find_record(storage, config.run, STEPS[name])
        if record is None or not record.done:
            continue
        asked = settings_of(STEPS[name], config)
        wanted = {
            key: asked[key] if key in user_set and key in asked else value
            for key, value in record.settings.items()
        }
        check_same(config.run, record, replace(record, settings=wanted))
        inherited |= {k: value for k, value in record.settings.items() if k not in RETIRED}
    if step.extends and not restart:
        # What the steps before it have now comes before what they had at an earlier call.
        inherited = _settings_to_extend(storage, config, step, user_set) | inherited
    return config.with_overrides(inherited) if inherited else config


# Each entry of these is one thing, of which no key is inherited where the user sets another one.
_NAMED_ENTRIES = ("evaluation.sets.", "evaluation.systems.")


def _settings_to_extend(
    storage: Storage, config: Config, step: AnyStep, user_set: Collection[str]
) -> dict[str, Any]:
    """Return the settings that an earlier call of a step was given and this one was not."""
    record = find_record(storage, config.run, step)
    if record is None or not record.done:
        return {}
    given = {_entry_of(key) for key in user_set}
    # A setting of another release may be gone, and is of no use then.
    known = config.settings(*step.reads).keys()
    return {
        key: value
        for key, value in record.settings.items()
        if _entry_of(key) not in given and (key in known or key.startswith(_NAMED_ENTRIES))
    }


def _entry_of(key: str) -> str:
    """Return the named entry that a dotted key is part of, or the key itself."""
    return ".".join(key.split(".")[:3]) if key.startswith(_NAMED_ENTRIES) else key


def run_step(
    storage: Storage,
    config: Config,
    step: Step[ResultT],
    work: Callable[[], StepOutput[ResultT]],
    *,
    restart: bool = False,
    is_intact: Callable[[Record], bool] = lambda record: True,
    is_equal: Callable[[str, Record], bool] = lambda run, record: True,
) -> tuple[Record, bool]:
    """Do a step unless it is done, and write its record and settings into its folder.

    A step that is not begun is taken over from a run of `campaign.reuse` that has an equal one.

    Args:
        storage: the storage root.
        config: all settings.
        step: what is done.
        work: does the step, and resumes where it can.
        restart: discard what an earlier call made.
        is_intact: tells from the record of a finished step whether its output is undamaged; if
            not, the step is done again, and that of another run is not taken over.
        is_equal: tells from the name of another run and its record of the step, which has the same
            settings and inputs, whether it was made from what else counts.

    Returns:
        The record, and whether this call did the work.

    Raises:
        MissingStepError: a step it builds on is not finished.
        StepConflictError: the folder holds a step with other settings or inputs.
        InUseError: another process does this step of this run.
    """
    wanted = Record(
        step=step.name,
        done=False,
        settings=settings_of(step, config),
        inputs={name: require(storage, config.run, STEPS[name]).output for name in step.after},
    )
    # Before the lock, so that a finished step is read without waiting for anybody.
    seen = None
    if not restart:
        seen = _find_same(storage, config.run, step, wanted)
        if _is_finished(seen, wanted) and is_intact(seen):
            return seen, False
    with lock_step(storage, config.run, step):
        if restart and not step.outlives_restart:
            delete_step(storage, config.run, step)
        found = _find_same(storage, config.run, step, wanted)
        # By another process meanwhile.
        if _is_finished(found, wanted) and found != seen and not restart:
            return found, False
        if can_take_over(storage, config.run, step, found):
            taken = take_over(storage, config, step, wanted, is_equal, is_intact)
            if taken is not None:
                return taken, False
            found = None
        return _do(storage, config, step, wanted, found, work), True


def _find_same(storage: Storage, run: str, step: AnyStep, wanted: Record) -> Record | None:
    """Find the record of a step that was made, or begun, with the same settings and inputs.

    For a step that `extends`, find the record of any settings and inputs.
    """
    found = find_record(storage, run, step)
    if found is not None and not step.extends:
        check_same(run, found, wanted)
    return found


def _is_finished(found: Record | None, wanted: Record) -> TypeGuard[Record]:
    """Tell whether the record of a step says that the wanted work is done."""
    # Only a step that `extends` gets here with the record of other settings.
    return found is not None and found.done and is_same(found, wanted)


def _do(
    storage: Storage,
    config: Config,
    step: Step[ResultT],
    wanted: Record,
    found: Record | None,
    work: Callable[[], StepOutput[ResultT]],
) -> Record:
    """Do a step's work, between a record that says it was begun and one that says it is done."""
    folder = layout.step_folder(config.run, step)
    # Under the lock of the step, so what is half written there is of a command that was killed.
    storage.sweep(folder)
    # What a step has finished stays valid until what is added to it is finished too.
    is_extended = step.extends and found is not None and found.done
    if not is_extended:
        write_config(storage, config, step)
        RECORD.write(storage, layout.step_record(config.run, step), wanted)
    started = time.monotonic()
    try:
        output = work()
    except InputError:
        # After bad input the run name must be free for other settings. But the same error can come
        # hours later, when a restarted worker cannot reach a hub: then the checkpoints stay.
        if found is None and not _holds_checkpoints(storage, config.run, step):
            storage.delete(folder)
        raise
    record = Record(
        step=step.name,
        done=True,
        settings=wanted.settings,
        inputs=wanted.inputs,
        output=output.digest or digest_of([wanted.settings, wanted.inputs]),
        # The earlier record holds a time only where a finished step is repaired or extended.
        seconds=round((found.seconds if found else 0.0) + time.monotonic() - started, 2),
        ended=round(time.time(), 2),
        result=output.result.as_json(),
    )
    if is_extended:
        write_config(storage, config, step)
    RECORD.write(storage, layout.step_record(config.run, step), record)
    return record


def lock_step(storage: Storage, run: str, step: AnyStep) -> AbstractContextManager[None]:
    """Lock a step of a run, so that no other process works on it.

    Raises:
        InUseError: another process does it.
    """
    return alone(storage, *_lock_of(run, step))


def check_not_running(storage: Storage, run: str, steps: Collection[AnyStep]) -> None:
    """Refuse steps that another process works on, before slow imports and a cluster.

    Raises:
        InUseError: names host and process.
    """
    for step in steps:
        check_free(storage, *_lock_of(run, step))


def _lock_of(run: str, step: AnyStep) -> tuple[str, str]:
    """Return the path of a step's lock, and what to call the work in messages."""
    return layout.step_lock(run, step), f"run '{run}': the step '{step.name}'"


def discard(
    storage: Storage, run: str, steps: Collection[AnyStep], *, whole_run: bool = False
) -> None:
    """Delete what earlier calls of the steps have made.

    Args:
        storage: the storage root.
        run: name of the run.
        steps: the steps.
        whole_run: delete also what outlives the restart of its own step.

    Raises:
        InUseError: another process does one of them, so nothing is deleted.
    """
    with ExitStack() as locks:
        # All locks first: either everything is deleted, or nothing.
        for step in steps:
            locks.enter_context(lock_step(storage, run, step))
        for step in steps:
            if whole_run or not step.outlives_restart:
                delete_step(storage, run, step)


def _holds_checkpoints(storage: Storage, run: str, step: AnyStep) -> bool:
    trained = [layout.step_folder(run, step)]
    if step is TUNE:
        trained += [layout.trial_folder(run, name) for name in storage.list(layout.trials(run))]
    if step is VARIANTS:
        names = storage.list(layout.step_folder(run, step))
        trained += [layout.variant_folder(run, name) for name in names]
    return any(storage.exists(layout.checkpoints(folder)) for folder in trained)
