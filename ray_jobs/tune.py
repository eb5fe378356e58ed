"""Search methods and their settings for the best validation score, with Optuna and ASHA."""

import logging
import time

from ray import tune
from ray.tune.schedulers import FIFOScheduler, TrialScheduler

from nmt.config import digest_of
from nmt.errors import InputError, StorageError, TrainingError
from nmt.runs import layout
from nmt.runs.records import BEST_TRIAL, TRIAL, Record, require, result_of
from nmt.runs.results import TuneResult
from nmt.runs.running import StepOutput
from nmt.runs.steps import PREPARE, TUNE
from nmt.runs.trials import TrialWithCheckpoints
from nmt.runs.tuning import EndOfSearch, describe_differences
from ray_jobs import base as base_job
from ray_jobs.runtime.checks import check
from ray_jobs.runtime.connection import connect
from ray_jobs.runtime.context import Session
from ray_jobs.search.best_trial import read_best
from ray_jobs.search.findings import against_second, between_methods, results_by_method
from ray_jobs.search.limits import (
    LimitWatch,
    end_of,
    explain_end,
    limit_of,
    spent_on,
)
from ray_jobs.search.methods import GivenTrials, RecordedSearch, build_search, draw_population
from ray_jobs.search.population import branch_of, next_round
from ray_jobs.search.scheduler import build_scheduler
from ray_jobs.search.table import describe, method_lines
from ray_jobs.search.trial_training import run_trial
from ray_jobs.search.trials import TrialLog, gpus_per_worker
from ray_jobs.workers.interruption import StopCoordinator

log = logging.getLogger(__name__)


def run(session: Session) -> Record:
    """Search the settings of a run, or go on with a search that was stopped.

    Raises:
        InputError: the search space names a setting that does not exist, `tune.trials` is 0, or
            no trial could work with its settings.
        TrainingError: no trial gave a score.
    """
    session = session.with_inherited(TUNE)
    config = session.config
    check(session.storage, config, "tune")
    require(session.storage, config.run, PREPARE)
    base_job.run(session.without_restart(), thorough=False)

    return session.run_step(
        TUNE,
        lambda: search(session),
        is_intact=lambda record: _is_complete(session, record),
        is_equal=lambda run, record: _has_same_trials(session, run, record),
    )


def _has_same_trials(session: Session, run: str, record: Record) -> bool:
    """Tell whether the search of another run has no more trials than asked for, and none is lost.

    Raises:
        StorageError: the record of a trial is damaged.
    """
    storage, passed_over = session.storage, "the search of this run is passed over"
    trials = result_of(storage, run, TUNE, record).trials
    paths = [layout.trial_record(run, digest_of(trial.config)) for trial in trials]
    # The copies of a population's trials are not drawn.
    drawn = [trial for trial in trials if branch_of(trial.config) is None]
    return len(drawn) <= session.config.tune.trials and all(
        TRIAL.find(storage, path, passed_over) for path in paths
    )


def _is_complete(session: Session, record: Record) -> bool:
    """Tell whether a finished search has as many trials as are asked for, and names its best."""
    config, storage = session.config, session.storage
    try:
        read_best(storage, config.run)
    except StorageError as error:
        log.warning("tune: %s", error)
        return False
    if config.tune.scheduler == "pbt":
        return _end_of_population(session, TrialLog(storage, config)) is not None
    trials = result_of(storage, config.run, TUNE, record).trials
    ended_by = end_of(config, trials)
    if ended_by is not None:
        explain_end(config, ended_by, trials)
    return ended_by is not None


def search(session: Session) -> StepOutput[TuneResult]:
    """Run the missing trials, and return the best trial and all others."""
    config, storage = session.config, session.storage
    trials = TrialLog(storage, config)
    made = len(trials.ended())
    if config.tune.scheduler == "pbt":
        _train_population(session, trials)
    elif end_of(config, trials.in_order(), made) is None:
        with connect(config):
            search = build_search(config, trials, storage)
            count = config.tune.trials - made
            _make_trials(session, trials, search, build_scheduler(config, trials), count)
    best = trials.best()
    if best is None and trials.all_refused():
        raise InputError(f"no trial can work: {trials.faults()}")
    if best is None and limit_of(config, spent_on(config, trials.in_order())):
        raise TrainingError(
            "tune.max_hours or tune.max_gpu_hours ended the search before a trial had a score: the "
            "same command with a higher limit goes on"
        )
    if best is None:
        raise TrainingError(
            f"none of {len(trials.in_order())} trials gave a score: {trials.faults()}"
        )
    if failed := trials.failed():
        log.warning(
            "tune: %d of %d trials failed and are left out: %s",
            len(failed), config.tune.trials, trials.faults(),
        )  # fmt: skip
    result = _result(session, trials, best, _end_of_search(session, trials) or "trials")
    BEST_TRIAL.write(storage, layout.best_trial(config.run), result.best)
    return StepOutput(result)


def _result(
    session: Session, trials: TrialLog, best: TrialWithCheckpoints, ended_by: EndOfSearch
) -> TuneResult:
    """Sum up a search, and say in the log what it found."""
    config, storage, listed = session.config, session.storage, trials.in_order()
    explain_end(config, ended_by, listed)
    second, spent = against_second(config, storage, trials), spent_on(config, listed)
    result = TuneResult(
        best=best.model_copy(update={"against_second": second}),
        trials=tuple(trials.entries()),
        metric=config.training.validation_metric,
        methods=results_by_method(config, trials),
        between_methods=between_methods(config, storage, trials),
        ended_by=ended_by,
        hours=round(spent.hours, 5),
        gpu_hours=round(spent.gpu_hours, 5),
    )
    for line in method_lines(result.methods, result.metric):
        log.info("%s", line)
    log.info("tune: the best trial: %s", describe(best.config))
    for sentence in describe_differences(second, result.between_methods):
        log.info("tune: %s", sentence)
    return result


def _end_of_search(session: Session, trials: TrialLog) -> EndOfSearch | None:
    """Tell what has ended a search; None where only faults of its trials did."""
    if session.config.tune.scheduler == "pbt":
        return _end_of_population(session, trials)
    return end_of(session.config, trials.in_order())


def _end_of_population(session: Session, trials: TrialLog) -> EndOfSearch | None:
    """Tell what ends the training of a population; None where it goes on."""
    config = session.config
    if limit := limit_of(config, spent_on(config, trials.in_order())):
        return limit
    first = draw_population(config, session.storage)
    return "trials" if next_round(config, first, trials) is None else None


def _train_population(session: Session, trials: TrialLog) -> None:
    """Train a population from exchange to exchange, up to its end or a limit."""
    config = session.config
    first = draw_population(config, session.storage)
    trials.is_exchanging, made = True, None
    while not limit_of(config, spent_on(config, trials.in_order())):
        due = next_round(config, first, trials)
        # What fails in this call is tried again by the next one.
        if due is None or due == made:
            break
        trials.begin_round(due.members)
        log.info("tune: %d trials train until step %d", len(due.missing), due.until)
        with connect(config):
            _make_trials(
                session, trials, GivenTrials(due.missing), FIFOScheduler(), len(due.missing),
                due.until,
            )  # fmt: skip
        if trials.is_stopping:
            break
        made = due


def _make_trials(
    session: Session,
    trials: TrialLog,
    search: RecordedSearch,
    scheduler: TrialScheduler,
    count: int,
    until: int | None = None,
) -> None:
    """Run so many trials under Tune, up to a step or to their end."""
    config, coordinator = session.config, StopCoordinator()

    def stop() -> None:
        search.finish()
        coordinator.ask_to_stop()

    tuner = tune.Tuner(
        tune.with_resources(
            tune.with_parameters(
                run_trial,
                config=config,
                storage=session.storage,
                coordinator=coordinator,
                until=until,
            ),
            tune.PlacementGroupFactory(
                [{"CPU": config.scaling.cpus_per_worker, "GPU": gpus_per_worker(config)}]
                * config.tune.workers_per_trial
            ),
        ),
        tune_config=tune.TuneConfig(
            num_samples=count,
            max_concurrent_trials=config.tune.max_concurrent,
            reuse_actors=config.tune.workers_per_trial == 1,
            search_alg=search,
            scheduler=scheduler,
        ),
        run_config=_run_config(session, trials, LimitWatch(config, trials, stop)),
    )
    with coordinator.guarding():
        tuner.fit()


def _run_config(session: Session, *callbacks: tune.Callback) -> tune.RunConfig:
    filesystem, root = session.storage.filesystem
    return tune.RunConfig(
        name=f"attempt-{time.strftime('%Y%m%d-%H%M%S')}",
        storage_path=f"{root}/{layout.ray_files(session.config.run, TUNE)}",
        storage_filesystem=filesystem,
        callbacks=list(callbacks),
        verbose=0,
        failure_config=tune.FailureConfig(max_failures=session.config.scaling.max_failures),
    )


if __name__ == "__main__":
    from ray_jobs.cli.runner import main

    main("tune")
