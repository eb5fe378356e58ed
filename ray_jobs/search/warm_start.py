"""What the samplers of a search learn from the trials of other runs' searches."""

import logging
from collections import Counter
from collections.abc import Mapping

from nmt.config import Config
from nmt.errors import ConfigError
from nmt.runs import layout
from nmt.runs.evaluation import METRIC_NAMES
from nmt.runs.records import EARLIER_SEARCHES, TRIAL, find_record
from nmt.runs.steps import TUNE
from nmt.runs.trials import EarlierSearch, EarlierSearches, Trial
from nmt.storage import Storage
from ray_jobs.search.sampler import MethodSampler

log = logging.getLogger(__name__)


def learn_from_others(
    config: Config, storage: Storage, samplers: Mapping[str, MethodSampler]
) -> None:
    """Tell each sampler what the runs of `tune.warm_start` found of its method.

    Raises:
        ConfigError: such a run has no search.
    """
    for search in _searches(config, storage):
        outcomes = Counter(_learn(config, samplers, search, trial) for trial in search.trials)
        taken = outcomes.pop("", 0)
        left_out = "".join(f"; {count} left out: {why}" for why, count in outcomes.items())
        log.info("tune: learned from %d trials of run '%s'%s", taken, search.run, left_out)


def _searches(config: Config, storage: Storage) -> tuple[EarlierSearch, ...]:
    """Read the searches of `tune.warm_start` as they were when this search began.

    Raises:
        ConfigError: such a run has no search.
    """
    runs, path = config.tune.warm_start, layout.earlier_searches(config.run)
    if not runs:
        return ()
    # What those runs do later, such as more trials, must not change the draws of this one.
    remedy = "delete it, and the other runs are read again, which may change later draws"
    kept = EARLIER_SEARCHES.find(storage, path, remedy)
    if kept is None:
        kept = EarlierSearches(searches=tuple(_read_search(storage, run) for run in runs))
        EARLIER_SEARCHES.write(storage, path, kept)
    return kept.searches


def _read_search(storage: Storage, run: str) -> EarlierSearch:
    """Read the trials of a run's search.

    Raises:
        ConfigError: the run has no search.
    """
    record = find_record(storage, run, TUNE)
    if record is None:
        raise ConfigError(f"tune.warm_start: run '{run}' has no search: leave it out")
    found = (
        TRIAL.find_or_leave_out(
            storage, layout.trial_record(run, name), "this trial is left out", log.warning
        )
        for name in storage.list(layout.trials(run))
    )
    trials = sorted((each for each in found if each), key=lambda each: each.number)
    method = record.settings.get("adapter.type")
    return EarlierSearch(run=run, method=method and str(method), trials=tuple(trials))


def _learn(
    config: Config, samplers: Mapping[str, MethodSampler], search: EarlierSearch, trial: Trial
) -> str:
    """Tell the sampler of a method about a trial; return why not, or nothing if it was told."""
    method, metric = trial.method or str(search.method), config.training.validation_metric
    sampler = samplers.get(method)
    if trial.state not in ("finished", "pruned") or trial.gain is None:
        return "without a score"
    if trial.metric != metric:
        return f"scored by another metric than {METRIC_NAMES[metric]}"
    if sampler is None:
        return "of another method"
    # A search of one method leaves its name out of the settings.
    settings = {key: value for key, value in trial.config.items() if key != "adapter.type"}
    if "adapter.type" in sampler.space:
        settings["adapter.type"] = method
    if settings.keys() != sampler.space.keys():
        return "other settings were searched"
    if not sampler.learn_from(search.run, settings, trial.gain):
        return "their settings are not in tune.space"
    return ""
