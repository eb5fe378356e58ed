"""What a search found, and how a training takes it up."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nmt.config import Config, digest_of
from nmt.errors import ConfigError, StorageError
from nmt.runs import layout
from nmt.runs.records import (
    BEST_TRIAL,
    Record,
    find_record,
    has_present_inputs,
    result_of,
    settings_of,
)
from nmt.runs.steps import TRAIN, TUNE
from nmt.runs.trials import Trial, TrialWithCheckpoints
from nmt.runs.tuning import TrialSettings
from nmt.storage import Storage
from ray_jobs.runtime.context import Session
from ray_jobs.search.population import CHANGES, RATE

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class BestTrial:
    """The settings a training runs with, and the checkpoints it may go on from."""

    config: Config
    checkpoints: str | None = None


def find_best(session: Session) -> BestTrial:
    """Fill in the best trial's settings for every key that the user did not set."""
    config = session.config
    record = _usable_search(session)
    if record is None:
        return BestTrial(config)
    best = _best_for(session, record)
    if best is None:
        log.warning(
            "train: the search has no trial of adapter.type=%s, and is left out",
            config.adapter.type,
        )
        return BestTrial(config)
    return _take_up(session, record, best)


def find_best_of_methods(session: Session, other_than: str) -> dict[str, BestTrial]:
    """Find the best trial of every method that a search has compared, but for one.

    Args:
        session: with the settings of the run's own training.
        other_than: the method to leave out.

    Returns:
        Method -> the settings and checkpoints of its best trial; without those that have no score.
    """
    record = _usable_search(session)
    if record is None:
        return {}
    trials = result_of(session.storage, session.config.run, TUNE, record).trials
    # The run's own training has the settings of its own adapter, and lacks those of the others.
    session = session.with_config(_as_searched(session.config, record))
    found: dict[str, BestTrial] = {}
    for trial in trials:  # the best come first
        if trial.method not in (None, other_than, *found) and trial.score is not None:
            found[str(trial.method)] = _take_up(session, record, _with_checkpoints(session, trial))
    return found


def _usable_search(session: Session) -> Record | None:
    """Read the record of the search, if it is finished and of the same data and base."""
    config, storage = session.config, session.storage
    record = find_record(storage, config.run, TUNE)
    if record is None or not record.done:
        if record is not None:
            log.warning("train: the search of this run is not finished, and is left out")
        return None
    # Scores on other data, or of another base, would not tell which settings suit these.
    if not has_present_inputs(storage, config.run, TUNE, record):
        log.warning("train: the search was made on other data or another base, and is left out")
        return None
    return record


def _take_up(session: Session, record: Record, best: TrialWithCheckpoints) -> BestTrial:
    """Fill in the settings of a trial for every key that the user did not set."""
    config, found = session.config, best.config
    # What was set for the configured method does not suit another one, such as its learning rate.
    is_other = best.method not in (None, config.adapter.type)
    kept = [] if is_other else sorted((found.keys() & session.user_set) - {"adapter.type"})
    taken = {key: value for key, value in found.items() if key not in kept}
    if RATE in kept:  # the changes that a population found belong to its own learning rate
        taken = {key: value for key, value in taken.items() if not key.startswith(CHANGES)}
    try:
        trained = config.with_overrides(taken)
    except ConfigError as error:
        log.warning("train: what the search found does not fit, and is left out: %s", error)
        return BestTrial(config)
    for key in kept:
        log.info("train: %s stays as you set it; the search found %s", key, found[key])
    if taken:
        log.info("train: from the search: %s", ", ".join(f"{k}={v}" for k, v in taken.items()))
    differences = _differences(trained, _tried_settings(config, record, found))
    if differences:
        log.warning("train: what was tried had other settings than this training: %s", differences)
    # Its checkpoint continues only the same training: moments and learning rate would not fit.
    continued = config.training.from_best_trial and not differences
    return BestTrial(trained, best.checkpoints if continued else None)


def _best_for(session: Session, record: Record) -> TrialWithCheckpoints | None:
    """Return the best trial, of the user's method where the user has set one.

    Where the same user compares methods by `tune.methods`, the search chooses among them.
    """
    config, storage = session.config, session.storage
    best = read_best(storage, config.run)
    is_chosen = "adapter.type" not in session.user_set or config.tune.methods
    if best.method is None or best.method == config.adapter.type or is_chosen:
        return best
    trials = result_of(storage, config.run, TUNE, record).trials
    same = (t for t in trials if t.method == config.adapter.type and t.score is not None)
    own = next(same, None)
    if own is None:
        return None
    log.info(
        "train: adapter.type=%s stays as you set it; the best of the search was %s",
        config.adapter.type, best.method,
    )  # fmt: skip
    return _with_checkpoints(session, own)


def _with_checkpoints(session: Session, trial: Trial) -> TrialWithCheckpoints:
    folder = layout.trial_folder(session.config.run, digest_of(trial.config))
    return TrialWithCheckpoints(**trial.model_dump(), checkpoints=layout.checkpoints(folder))


def _tried_settings(config: Config, record: Record, found: TrialSettings) -> dict[str, Any]:
    """Return the settings that a training with those of a trial would have."""
    return settings_of(TRAIN, _as_searched(config, record).with_overrides(found))


def _as_searched(config: Config, record: Record) -> Config:
    """Return settings with those that all trials of a search had, whose adapter may be another."""
    read = settings_of(TRAIN, config).keys()
    searched = {
        key: value
        for key, value in record.settings.items()
        if (key in read or key.startswith("adapter.")) and not key.startswith("strategy.")
    }
    return config.with_overrides(searched)


def read_best(storage: Storage, run: str) -> TrialWithCheckpoints:
    """Read the best trial of a finished search.

    Raises:
        StorageError: the file is missing or damaged.
    """
    path = layout.best_trial(run)
    remedy = f"run `nmt tune run={run}`, which writes it again from its trials"
    best = BEST_TRIAL.find(storage, path, remedy)
    if best is None:
        raise StorageError(f"{storage.locate(path)} is missing: {remedy}")
    return best


def _differences(trained: Config, tried: Mapping[str, Any]) -> str:
    """List the settings in which a training differs from a trial."""
    # A trial runs on one worker whatever `strategy` says, and has no trial to go on from.
    return ", ".join(
        f"{key}={tried.get(key)} there, {value} here"
        for key, value in settings_of(TRAIN, trained).items()
        if tried.get(key) != value
        and key != "training.from_best_trial"
        and not key.startswith("strategy.")
    )
