"""The record of each step: what it made, with which settings, from which inputs."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from nmt.config import Config
from nmt.errors import MissingStepError, StepConflictError, StorageError
from nmt.runs import layout
from nmt.runs.evaluation import EvaluationResult
from nmt.runs.results import Summary
from nmt.runs.step_result import ResultT, read_result
from nmt.runs.steps import EVALUATE, EXPORT, PREPARE, STEPS, AnyStep, Step
from nmt.runs.trials import EarlierSearches, Trial, TrialWithCheckpoints
from nmt.runs.variants import Variant
from nmt.storage import RecordKind, Storage

log = logging.getLogger(__name__)

# These settings say how the work is distributed or reported, which does not change its result.
_WITHOUT_EFFECT = frozenset(
    {
        "data.min_ray_pairs",
        "training.log_every_seconds",
        "training.checkpoint_every_steps",
        "training.keep_checkpoints",
        "training.allow_worse_than_base",
        "tune.max_concurrent",
        # With more of these, trials are added to those there are.
        "tune.trials",
        "tune.max_hours",
        "tune.max_gpu_hours",
        "tune.gpus_per_trial",
        "tune.workers_per_trial",
        "evaluation.batch_tokens",
    }
)

RETIRED = frozenset({"data.cleaning.min_length_ratio", "data.cleaning.max_length_ratio"})
"""Settings in the records of earlier releases that are gone and that no later step needs."""


@dataclass(frozen=True, slots=True)
class Record:
    """The content of `step.json`."""

    step: str
    done: bool
    settings: dict[str, Any]
    inputs: dict[str, str]
    output: str = ""
    """Digest of what the step made; the steps after it store it among their inputs."""
    seconds: Annotated[float, Field(ge=0)] = 0.0
    """Duration of the call that finished the step, plus later repairs."""
    ended: Annotated[float, Field(ge=0)] = 0.0
    """When the step was finished, in seconds since 1970; 0 in records of older releases."""
    result: dict[str, Any] = field(default_factory=dict[str, Any])
    """What the step found, as the fields of its result type; read it with `result_of`."""
    taken_from: str = ""
    """Run from which the finished step was taken over; empty where it was done here."""


RECORD = RecordKind(Record, "the record of a step")
TRIAL = RecordKind(Trial, "the record of a trial")
VARIANT = RecordKind(Variant, "the record of a variant")
BEST_TRIAL = RecordKind(TrialWithCheckpoints, "the best trial of a search")
EARLIER_SEARCHES = RecordKind(EarlierSearches, "what a search learns from other runs")
SUMMARY = RecordKind(Summary, "the summary of a run")


def find_record(storage: Storage, run: str, step: AnyStep) -> Record | None:
    """Read the record of a step, finished or not; return None if the step was never begun.

    Raises:
        StorageError: the file is not the record of this step.
    """
    path = layout.step_record(run, step)
    # The checkpoints beside a damaged record are intact: `--restart` would throw them away.
    remedy = (
        f"delete this one file and give `nmt {step.name} run={run}` with this run's settings, as "
        "config.json beside it has them; it goes on with what lies there"
    )
    record = RECORD.find(storage, path, remedy)
    if record is not None and record.step != step.name:
        raise StorageError(
            f"{storage.locate(path)}: not the record of the step '{step.name}', but of "
            f"'{record.step}': {remedy}"
        )
    return record


def is_intact(storage: Storage, path: str) -> bool:
    """Tell whether a folder commit exists undamaged, and log what is wrong with a damaged one."""
    try:
        storage.verify(path)
    except StorageError as error:
        if storage.exists(path):
            log.warning("damaged, and made again: %s", error)
        return False
    return True


def fetch_output(storage: Storage, path: str) -> Path:
    """Fetch a folder commit that a step has made, and verify it.

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


def list_runs(storage: Storage) -> list[str]:
    """List the runs on a storage root."""
    # Every run begins with `prepare`; other folders there belong to engines, endpoints and MLflow.
    return [name for name in storage.list("") if storage.exists(layout.step_folder(name, PREPARE))]


def require(storage: Storage, run: str, step: AnyStep) -> Record:
    """Read the record of a step that must be finished.

    Raises:
        MissingStepError: it was never begun, or not finished.
    """
    record = find_record(storage, run, step)
    if record is None or not record.done:
        state = "no" if record is None else "no finished"
        others = list_runs(storage)
        # A run that exists is not misspelt, so the names of others would not help.
        hint = f" Runs there: {', '.join(others[:8])}." if others and run not in others else ""
        raise MissingStepError(
            f"run '{run}' in {storage.locate('')} has {state} step '{step.name}': "
            f"run `nmt {step.name} run={run}` first.{hint}"
        )
    return record


def result_of(storage: Storage, run: str, step: Step[ResultT], record: Record) -> ResultT:
    """Read the result in the record of a finished step.

    Raises:
        StorageError: another release wrote it; names the command that makes it again.
    """
    place = storage.locate(layout.step_record(run, step))
    return read_result(step.result, record.result, step=step.name, place=place)


def evaluation_of(
    storage: Storage, run: str, record: Record | None, engine: str
) -> EvaluationResult | None:
    """Read the evaluation of an engine; None if there is none of this one.

    Raises:
        StorageError: the record does not hold the result of an evaluation.
    """
    # An evaluation of an earlier release has no engine among its inputs.
    if record is None or not record.done or record.inputs.get(EXPORT.name) != engine:
        return None
    return result_of(storage, run, EVALUATE, record)


def has_present_inputs(storage: Storage, run: str, step: AnyStep, record: Record) -> bool:
    """Tell whether no step that a step builds on was made again since its record."""
    now = {name: find_record(storage, run, STEPS[name]) for name in step.after}
    return all(
        found is not None and found.output == record.inputs.get(name) for name, found in now.items()
    )


def write_config(storage: Storage, config: Config, step: AnyStep) -> None:
    """Write all settings of the command that works on a step beside its record."""
    storage.write_json(layout.step_config(config.run, step), config.model_dump(mode="json"))


def settings_of(step: AnyStep, config: Config) -> dict[str, Any]:
    """Return the settings that change what a step makes."""
    settings = config.settings(*step.reads)
    return {key: value for key, value in settings.items() if key not in _WITHOUT_EFFECT}


def check_same(run: str, found: Record, wanted: Record) -> None:
    """Compare the record of a step with the settings and inputs wanted now.

    Raises:
        StepConflictError: names every setting and input that differs.
    """
    if changes := _changes(found, wanted):
        raise StepConflictError(
            f"run '{run}' has a step '{found.step}' with other settings:\n  "
            + "\n  ".join(changes)
            + f"\nchoose another run=NAME, or discard that step by `nmt {found.step} --restart`"
        )


def is_same(found: Record, wanted: Record) -> bool:
    """Tell whether a step was done with the settings and inputs wanted now."""
    return not _changes(found, wanted)


def _changes(found: Record, wanted: Record) -> list[str]:
    """Describe every setting and input of a record that differs from those wanted now."""
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
    return changes


def _shown(settings: Mapping[str, Any], key: str) -> str:
    return repr(settings[key]) if key in settings else "not set"
