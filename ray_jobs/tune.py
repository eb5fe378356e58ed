"""Search methods and their settings for the best validation score, with Optuna and ASHA."""

import logging
import time
from typing import TYPE_CHECKING

from ray import tune

from nmt.config import Config, SingleStrategy, digest_of
from nmt.errors import (
    DivergedError,
    InputError,
    InsufficientMemoryError,
    StorageError,
    TrainingError,
    UnavailableError,
)
from nmt.runs import layout
from nmt.runs.records import BEST_TRIAL, Record, require, result_of
from nmt.runs.results import TuneResult
from nmt.runs.running import StepOutput
from nmt.runs.steps import PREPARE, TUNE
from nmt.runs.trials import TrialWithCheckpoints
from nmt.runs.tuning import EndOfSearch, TrialSettings, describe_differences
from nmt.runs.validation_scores import worst_gain
from nmt.storage import Storage
from ray_jobs import base as base_job
from ray_jobs.runtime.checks import check
from ray_jobs.runtime.connection import connect, prepare_worker
from ray_jobs.runtime.context import Session
from ray_jobs.search.best_trial import read_best
from ray_jobs.search.findings import against_second, between_methods, results_by_method
from ray_jobs.search.limits import (
    LimitWatch,
    end_of,
    explain_end,
    gpus_per_trial,
    limit_of,
    spent_on,
)
from ray_jobs.search.methods import OBJECTIVE, build_search, objective_of
from ray_jobs.search.scheduler import build_scheduler
from ray_jobs.search.table import describe, method_lines
from ray_jobs.search.trials import TrialLog
from ray_jobs.workers.interruption import StopCoordinator, WorkerNotice

if TYPE_CHECKING:
    from nmt.training.job import TrainingJob

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
        TUNE, lambda: search(session), is_intact=lambda record: _is_complete(session, record)
    )


def _is_complete(session: Session, record: Record) -> bool:
    """Tell whether a finished search has as many trials as are asked for, and names its best."""
    config, storage = session.config, session.storage
    try:
        read_best(storage, config.run)
    except StorageError as error:
        log.warning("tune: %s", error)
        return False
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
    if end_of(config, trials.in_order(), made) is None:
        with connect(config):
            _make_trials(session, trials, config.tune.trials - made)
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
    result = _result(session, trials, best, end_of(config, trials.in_order()) or "trials")
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


def _make_trials(session: Session, trials: TrialLog, missing: int) -> None:
    """Run the trials that are missing under Tune."""
    config, coordinator = session.config, StopCoordinator()
    search = build_search(config, trials, session.storage)

    def stop() -> None:
        search.finish()
        coordinator.ask_to_stop()

    tuner = tune.Tuner(
        tune.with_resources(
            tune.with_parameters(
                run_trial, config=config, storage=session.storage, coordinator=coordinator
            ),
            {"cpu": config.scaling.cpus_per_worker, "gpu": gpus_per_trial(config)},
        ),
        tune_config=tune.TuneConfig(
            num_samples=missing,
            max_concurrent_trials=config.tune.max_concurrent,
            reuse_actors=True,
            search_alg=search,
            scheduler=build_scheduler(config, trials),
        ),
        run_config=_run_config(session, trials, LimitWatch(config, trials, stop)),
    )
    with coordinator.guarding():
        tuner.fit()


def run_trial(
    sample: TrialSettings, config: Config, storage: Storage, coordinator: StopCoordinator
) -> None:
    """Run or resume one trial in a Tune actor."""
    prepare_worker(config)
    from nmt.training.trainer import run_training  # torch and transformers, which no driver needs

    notice = WorkerNotice(coordinator, under_train=False)

    metric = config.training.validation_metric

    def report(metrics: dict[str, float]) -> None:
        with notice.waiting():
            tune.report(objective_of(metric, metrics))

    try:
        job = trial_job(config, storage, sample)
        with notice.under_way():
            for metrics in _scores_so_far(job):
                report(metrics)
            run_training(job, report, notice)
    # Raised, these would be tried again, and end the same way.
    except DivergedError as error:
        _report_end("diverged", error, metric)
    except UnavailableError:  # it may answer the next attempt
        raise
    except InsufficientMemoryError as error:
        _report_end("out_of_memory", error, metric)
    except InputError as error:
        _report_end("refused", error, metric)


def _report_end(state: str, error: Exception, metric: str) -> None:
    """Report that a trial's settings gave no weights to train with."""
    tune.report({"step": 0, OBJECTIVE: worst_gain(metric), "ended": state, "error": str(error)})


def _scores_so_far(job: "TrainingJob") -> tuple[dict[str, float], ...]:
    """Return the scores of a trial that was interrupted."""
    # The driver may have ended before it recorded the last one.
    from nmt.training.saved.checkpoints import Checkpoints

    state = Checkpoints(job.storage, layout.checkpoints(job.folder)).last_state()
    return state.curve if state else ()


def trial_job(config: Config, storage: Storage, sample: TrialSettings) -> "TrainingJob":
    """Describe the training of a trial, which runs on one worker."""
    # More workers would see the same rows in each update, so one is enough to compare settings.
    from nmt.training.base import base_source
    from nmt.training.job import TrainingJob

    tried = config.with_overrides(sample)
    scaling = tried.scaling.model_copy(
        update={"workers": 1, "gpus_per_worker": gpus_per_trial(config)}
    )
    return TrainingJob(
        config=tried.model_copy(update={"strategy": SingleStrategy(), "scaling": scaling}),
        storage=storage,
        folder=layout.trial_folder(config.run, digest_of(sample)),
        base=base_source(config, storage),
        data=layout.pairs(config.run),
        name=" ".join(f"{key.rpartition('.')[2]}={_short(v)}" for key, v in sample.items()),
        stop_at_step=config.tune.max_steps,
        keeps_base=True,
        shared_validation=layout.shared_validation(config.run),
    )


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


def _short(value: object) -> str:
    return f"{value:.2g}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    from ray_jobs.cli.runner import main

    main("tune")
