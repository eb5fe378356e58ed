"""What the samplers of a search learn from the trials of other runs' searches."""

import logging
from collections import Counter
from collections.abc import Iterator, Mapping

from nmt.config import Config
from nmt.errors import ConfigError
from nmt.runs import layout
from nmt.runs.evaluation import METRIC_NAMES
from nmt.runs.records import TRIAL, find_record
from nmt.runs.steps import TUNE
from nmt.runs.trials import Trial
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
    for run in config.tune.warm_start:
        outcomes = Counter(
            _learn(config, samplers, trial, method) for trial, method in _trials_of(storage, run)
        )
        taken = outcomes.pop("", 0)
        left_out = "".join(f"; {count} left out: {why}" for why, count in outcomes.items())
        log.info("tune: learned from %d trials of run '%s'%s", taken, run, left_out)


def _trials_of(storage: Storage, run: str) -> Iterator[tuple[Trial, str]]:
    """Read the trials of a run's search, in the order of their draws, each with its method.

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
    for trial in sorted((each for each in found if each), key=lambda each: each.number):
        yield trial, trial.method or str(record.settings.get("adapter.type"))


def _learn(config: Config, samplers: Mapping[str, MethodSampler], trial: Trial, method: str) -> str:
    """Tell the sampler of a method about a trial; return why not, or nothing if it was told."""
    sampler, metric = samplers.get(method), config.training.validation_metric
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
    if not sampler.learn_from(settings, trial.gain):
        return "their settings are not in tune.space"
    return ""
