"""What a search says of its trials together: its methods, and how sure their differences are."""

import logging
from collections.abc import Sequence

from nmt.config import Config
from nmt.data.prepared_rows import first_pairs
from nmt.errors import StorageError
from nmt.metrics import validation_statistics
from nmt.runs import layout
from nmt.runs.records import fetch_output
from nmt.runs.trials import Trial
from nmt.runs.tuning import MethodResult, TrialDifference
from nmt.scoring.significance.differences import compare, measure
from nmt.storage import Storage
from nmt.training.saved.hypotheses import read_hypotheses
from ray_jobs.search.methods import method_of
from ray_jobs.search.trials import TrialLog

log = logging.getLogger(__name__)

_SAMPLES = 1000


def results_by_method(config: Config, trials: TrialLog) -> tuple[MethodResult, ...]:
    """Sum up the trials of each method, the best method first."""
    return tuple(
        _result(config, method, best_first)
        for method, best_first in _by_method(config, trials).items()
    )


def _by_method(config: Config, trials: TrialLog) -> dict[str, list[Trial]]:
    """List the trials of each method, best first; the method with the best trial first."""
    listed: dict[str, list[Trial]] = {}
    for trial in trials.entries():
        listed.setdefault(method_of(config, trial.config), []).append(trial)
    without = {method: [] for method in config.search_spaces if method not in listed}
    return listed | without


def _result(config: Config, method: str, best_first: Sequence[Trial]) -> MethodResult:
    best = next((trial for trial in best_first if trial.score is not None), None)
    return MethodResult(
        method=method,
        trials=len(best_first),
        settings=best.config if best else None,
        score=best.score if best else None,
        seconds=round(sum(trial.seconds for trial in best_first), 2),
        trained_parameters=best.trained_parameters if best else None,
    )


def against_second(config: Config, storage: Storage, trials: TrialLog) -> TrialDifference | None:
    """Compare the best trial with the second best; None where there is none to compare."""
    best, *others = [trial for trial in trials.entries() if trial.score is not None]
    return _compare(config, storage, trials, best, others[0]) if others else None


def between_methods(
    config: Config, storage: Storage, trials: TrialLog
) -> tuple[TrialDifference, ...]:
    """Compare the best trial of the best method with the best one of each other method."""
    tops = [
        next((trial for trial in listed if trial.score is not None), None)
        for listed in _by_method(config, trials).values()
    ]
    best, *others = [top for top in tops if top is not None]
    found = (_compare(config, storage, trials, best, other) for other in others)
    return tuple(each for each in found if each is not None)


def _compare(
    config: Config, storage: Storage, trials: TrialLog, better: Trial, other: Trial
) -> TrialDifference | None:
    """Compare two trials by the translations that their best checkpoints keep."""
    kept = [_hypotheses(storage, trials, trial) for trial in (better, other)]
    if any(each is None for each in kept):
        return None
    ours, theirs = (each or () for each in kept)
    if len(ours) != len(theirs) or len(ours) < 2:
        log.warning("tune: too few common validation sentences to compare the two best trials")
        return None
    folder = fetch_output(storage, layout.pairs(config.run))
    references = [pair.target for pair in first_pairs(folder, "validation", len(ours))]
    metric, language = better.metric, config.data.target_language
    measured = measure(
        {
            (name, metric): validation_statistics(metric, lines, references, language)
            for name, lines in (("better", ours), ("other", theirs))
        },
        None,
        samples=_SAMPLES,
        seed=config.seed,
    )
    found = compare(measured["other", metric], measured["better", metric])
    return TrialDifference(
        metric=metric,
        settings=better.config,
        other=other.config,
        difference=found.value,
        interval=found.interval,
        sentences=len(ours),
    )


def _hypotheses(storage: Storage, trials: TrialLog, trial: Trial) -> tuple[str, ...] | None:
    """Read what the best checkpoint of a trial translated, and say in the log what is missing."""
    step = trial.best_step
    try:
        found = None if step is None else read_hypotheses(storage, trials.folder_of(trial), step)
    except StorageError as error:
        log.warning("tune: a trial cannot be compared with another: %s", error)
        return None
    if found is None:
        log.warning("tune: a trial of an earlier release kept no translations to compare")
    return found
