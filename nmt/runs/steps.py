"""The steps of a run and their records: what was made, with which settings, from what.

A step is done when its record says so and the settings it read equal those asked for now. Other
settings under the same run name are refused: a folder never holds the work of two configurations.
"""

import logging
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from nmt.config import Config, digest_of
from nmt.errors import InputError, MissingStepError, StepConflictError, StorageError
from nmt.storage import RecordKind, Storage, alone, check_free

log = logging.getLogger(__name__)

_MODEL_LIMITS = ("model.max_source_tokens", "model.max_target_tokens")


@dataclass(frozen=True, slots=True)
class Step:
    """One kind of work: its folder below the run, the settings it reads, what it builds on."""

    name: str
    folder: str
    reads: tuple[str, ...]
    after: tuple[str, ...] = ()

    def path(self, run: str) -> str:
        """The step's folder on the storage root."""
        return f"{run}/{self.folder}"


PREPARE = Step("prepare", "data", ("data", "seed"))
BASE = Step("base", "base", ("model", "seed"), ("prepare",))
TUNE = Step(
    "tune",
    "tune",
    (*_MODEL_LIMITS, "adapter", "training", "strategy", "tune", "seed"),
    ("prepare", "base"),
)
TRAIN = Step(
    "train",
    "train",
    (*_MODEL_LIMITS, "adapter", "training", "strategy", "seed"),
    ("prepare", "base"),
)
EVALUATE = Step("evaluate", "evaluation", ("evaluation", "seed"), ("prepare", "base", "train"))
EXPORT = Step("export", "export", ("export",), ("prepare", "base", "train"))

STEPS = {step.name: step for step in (PREPARE, BASE, TUNE, TRAIN, EVALUATE, EXPORT)}

# How the work is spread or reported does not change what a step makes.
_WITHOUT_EFFECT = frozenset(
    {
        "training.log_every_seconds",
        "training.checkpoint_every_steps",
        "training.keep_checkpoints",
        "training.allow_worse_than_base",
        "tune.max_concurrent",
        "tune.trials",  # more are added to those there are
        "evaluation.batch_tokens",
    }
)


@dataclass(frozen=True, slots=True)
class Record:
    """What `step.json` in a step's folder says."""

    step: str
    done: bool
    settings: dict[str, Any]
    inputs: dict[str, str]
    output: str = ""
    """Digest of what the step made; what builds on it stores this among its inputs."""
    seconds: Annotated[float, Field(ge=0)] = 0.0
    """Time taken by the call that finished the step, and by those that had to mend it."""
    result: dict[str, Any] = field(default_factory=dict)
    """What the step found, in plain values: sizes, scores, places."""


_RECORD = RecordKind(Record, "the record of a step")


def find_record(storage: Storage, run: str, step: Step) -> Record | None:
    """The record of a step, finished or not; None when it was never begun.

    Raises:
        StorageError: the file is not the record of this step.
    """
    path = _record_path(run, step)
    remedy = (
        f"delete this one file and give `nmt {step.name} run={run}` with this run's settings, as "
        "config.json beside it has them; it goes on with what lies there"
    )
    record = _RECORD.find(storage, path, remedy)
    if record is not None and record.step != step.name:
        raise StorageError(
            f"{storage.locate(path)}: not the record of the step '{step.name}', but of "
            f"'{record.step}': {remedy}"
        )
    return record


def _record_path(run: str, step: Step) -> str:
    return f"{step.path(run)}/step.json"


def is_intact(storage: Storage, path: str) -> bool:
    """Tell whether a folder commit is there as it was written; a damaged one is named."""
    try:
        storage.verify(path)
    except StorageError as error:
        if storage.exists(path):
            log.warning("damaged, and made again: %s", error)
        return False
    return True


def fetch_made(storage: Storage, path: str) -> Path:
    """Fetch a folder commit that a step of a run has left, verified.

    Raises:
        StorageError: it is missing or damaged; names the command that makes it again.
    """
    try:
        return storage.fetch(path)
    except StorageError as error:
        folder = path.partition("/")[2].partition("/")[0]
        makers = [step.name for step in STEPS.values() if step.folder == folder]
        if not makers:
            raise
        raise StorageError(
            f"{error}: give `nmt {makers[0]}` with this run's settings, which makes it again"
        ) from error


def runs_of(storage: Storage) -> list[str]:
    """Runs on a storage root."""
    return [name for name in storage.list("") if storage.exists(f"{name}/{PREPARE.folder}")]


def log_path(run: str, job: str) -> str:
    """Where the log of a job on Kubernetes lies on the storage root."""
    return f"{run}/logs/{job}.log"


def require(storage: Storage, run: str, step: Step) -> Record:
    """The record of a finished step.

    Raises:
        MissingStepError: it was never begun, or not finished.
    """
    record = find_record(storage, run, step)
    if record is None or not record.done:
        state = "no" if record is None else "no finished"
        others = runs_of(storage)
        hint = f" Runs there: {', '.join(others[:8])}." if others and run not in others else ""
        raise MissingStepError(
            f"run '{run}' in {storage.locate('')} has {state} step '{step.name}': "
            f"run `nmt {step.name} run={run}` first.{hint}"
        )
    return record


def settings_of(step: Step, config: Config) -> dict[str, Any]:
    """The settings a step reads and that change what it makes."""
    settings = config.settings(*step.reads)
    return {key: value for key, value in settings.items() if key not in _WITHOUT_EFFECT}


def inherit(storage: Storage, config: Config, step: Step, user_set: Collection[str]) -> Config:
    """Fill in the settings with which the finished steps that `step` builds on were made.

    So `data.path` and `model.name_or_path` are given once, and a forgotten option of a later
    command does not silently fall back to its default.

    Args:
        storage: the storage root.
        config: all settings.
        step: the step that is about to be done.
        user_set: dotted keys that the user set; the others give way to what the steps were
            made with.

    Raises:
        StepConflictError: the user asks for other settings than such a step was made with.
    """
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
        inherited |= record.settings
    return config.with_overrides(inherited) if inherited else config


def run_step(
    storage: Storage,
    config: Config,
    step: Step,
    work: Callable[[], Mapping[str, Any]],
    *,
    restart: bool = False,
    is_intact: Callable[[], bool] = lambda: True,
) -> tuple[Record, bool]:
    """Do a step unless it is done; its record and config lie in its folder.

    Args:
        storage: the storage root.
        config: all settings.
        step: what is done.
        work: does it, resuming where it can; returns `output` (a digest, optional) and
            whatever the record shall hold as its result.
        restart: discard what an earlier call made.
        is_intact: tells whether what a finished step left can still be read; if not, it is redone.

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
    seen = None
    if not restart:
        seen = _find_same(storage, config.run, step, wanted)
        if seen is not None and seen.done and is_intact():
            return seen, False
    with working_on(storage, config.run, step):
        if restart:
            storage.delete(step.path(config.run))
        found = _find_same(storage, config.run, step, wanted)
        if found is not None and found.done and found != seen:  # by another process meanwhile
            return found, False
        return _do(storage, config, step, wanted, found, work), True


def _find_same(storage: Storage, run: str, step: Step, wanted: Record) -> Record | None:
    """Find the record of a step that was made, or begun, with the same settings and inputs."""
    found = find_record(storage, run, step)
    if found is not None:
        check_same(run, found, wanted)
    return found


def _do(
    storage: Storage,
    config: Config,
    step: Step,
    wanted: Record,
    found: Record | None,
    work: Callable[[], Mapping[str, Any]],
) -> Record:
    """Do a step's work, between a record that says it was begun and one that says it is done."""
    folder = step.path(config.run)
    storage.sweep(folder)
    storage.write_json(f"{folder}/config.json", config.model_dump(mode="json"))
    _RECORD.write(storage, _record_path(config.run, step), wanted)
    started = time.monotonic()
    try:
        result = dict(work())
    except InputError:
        # Bad input must not bind the name to its settings; what fails hours later, when a worker
        # that begins again finds a hub away, must not cost what was trained.
        if found is None and not _holds_checkpoints(storage, folder):
            storage.delete(folder)
        raise
    record = Record(
        step=step.name,
        done=True,
        settings=wanted.settings,
        inputs=wanted.inputs,
        output=str(result.pop("output", "")) or digest_of([wanted.settings, wanted.inputs]),
        seconds=round((found.seconds if found else 0.0) + time.monotonic() - started, 2),
        result=result,
    )
    _RECORD.write(storage, _record_path(config.run, step), record)
    return record


def working_on(storage: Storage, run: str, step: Step) -> AbstractContextManager[None]:
    """Hold a step of a run alone; the lock stands beside the folder, which may be discarded.

    Raises:
        InUseError: another process does it.
    """
    return alone(storage, *_lock_of(run, step))


def check_nobody_works_on(storage: Storage, run: str, steps: Collection[Step]) -> None:
    """Refuse a command whose step another process does, before its imports and its cluster.

    Raises:
        InUseError: names host and process.
    """
    for step in steps:
        check_free(storage, *_lock_of(run, step))


def _lock_of(run: str, step: Step) -> tuple[str, str]:
    """Where the lock of a step lies, and what is done under it."""
    return f"{step.path(run)}.lock", f"run '{run}': the step '{step.name}'"


def discard(storage: Storage, run: str, steps: Collection[Step]) -> None:
    """Delete what earlier calls of some steps have made.

    Raises:
        InUseError: another process does one of them, so nothing is deleted.
    """
    with ExitStack() as held:
        for step in steps:
            held.enter_context(working_on(storage, run, step))
        for step in steps:
            storage.delete(step.path(run))


def _holds_checkpoints(storage: Storage, folder: str) -> bool:
    trials = f"{folder}/trials"
    trained = [folder, *(f"{trials}/{name}" for name in storage.list(trials))]
    return any(storage.exists(f"{each}/checkpoints") for each in trained)


def check_same(run: str, found: Record, wanted: Record) -> None:
    """Compare a step's record with what is asked for now.

    Raises:
        StepConflictError: names every setting and input that differs.
    """
    changes = [
        f"{key}: {_shown(found.settings, key)} there, {_shown(wanted.settings, key)} now"
        for key in sorted((found.settings.keys() | wanted.settings.keys()) - _WITHOUT_EFFECT)
        if found.settings.get(key) != wanted.settings.get(key)
    ]
    changes += [
        f"step '{name}' was made again since"
        for name, digest in wanted.inputs.items()
        if found.inputs.get(name) != digest
    ]
    if changes:
        raise StepConflictError(
            f"run '{run}' has a step '{found.step}' with other settings:\n  "
            + "\n  ".join(changes)
            + f"\nchoose another run=NAME, or discard that step by `nmt {found.step} --restart`"
        )


def _shown(settings: Mapping[str, Any], key: str) -> str:
    return repr(settings[key]) if key in settings else "not set"
