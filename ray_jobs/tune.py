"""Search the adapter's settings for the best validation BLEU, with Optuna and ASHA."""

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
from nmt.runs.trials import TrialSettings
from nmt.storage import Storage
from ray_jobs import base as base_job
from ray_jobs.runtime.checks import check
from ray_jobs.runtime.connection import connect, prepare_worker
from ray_jobs.runtime.context import Session
from ray_jobs.search.best_trial import read_best
from ray_jobs.search.sampler import build_scheduler, build_search, combinations
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
        TrainingError: no trial gave a score, or one failed and is worth another call.
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
    made = len(result_of(storage, config.run, TUNE, record).trials)
    return made >= config.tune.trials or _is_used_up(config, made)


def search(session: Session) -> StepOutput[TuneResult]:
    """Run the missing trials, and return the best trial and all others."""
    config, storage = session.config, session.storage
    trials = TrialLog(storage, config)
    missing = config.tune.trials - len(trials.ended())
    if missing > 0:
        with connect(config):
            _make_trials(session, trials, missing)
    best, failed = trials.best(), trials.failed()
    if best is not None and failed:
        raise TrainingError(
            f"{len(failed)} of {config.tune.trials} trials failed: the same command tries them "
            f"again from their checkpoints, once more. The failures: {trials.faults()}"
        )
    if best is None and trials.all_refused():
        raise InputError(f"no trial can work: {trials.faults()}")
    if best is None:
        raise TrainingError(f"none of {config.tune.trials} trials gave a BLEU: {trials.faults()}")
    _is_used_up(config, len(trials.ended()))
    BEST_TRIAL.write(storage, layout.best_trial(config.run), best)
    return StepOutput(TuneResult(best=best, trials=tuple(trials.entries())))


def _make_trials(session: Session, trials: TrialLog, missing: int) -> None:
    """Run the trials that are missing under Tune."""
    config, coordinator = session.config, StopCoordinator()
    tuner = tune.Tuner(
        tune.with_resources(
            tune.with_parameters(
                run_trial, config=config, storage=session.storage, coordinator=coordinator
            ),
            {"cpu": config.scaling.cpus_per_worker, "gpu": config.scaling.gpus_per_worker},
        ),
        tune_config=tune.TuneConfig(
            num_samples=missing,
            max_concurrent_trials=config.tune.max_concurrent,
            reuse_actors=True,
            search_alg=build_search(config, trials),
            scheduler=build_scheduler(config, trials),
        ),
        run_config=_run_config(session, trials),
    )
    with coordinator.guarding():
        tuner.fit()


def _is_used_up(config: Config, made: int) -> bool:
    """Tell whether the space has no further settings to try, and say so where more were asked."""
    count = combinations(config.search_space)
    if count is None or made < count:
        return False
    if made < config.tune.trials:
        log.warning(
            "tune: tune.space has %d combinations, and all of them are tried: no more than %d of "
            "tune.trials=%d trials are made", count, made, config.tune.trials,
        )  # fmt: skip
    return True


def run_trial(
    sample: TrialSettings, config: Config, storage: Storage, coordinator: StopCoordinator
) -> None:
    """Run or resume one trial in a Tune actor."""
    prepare_worker(config)
    from nmt.training.trainer import run_training  # torch and transformers, which no driver needs

    notice = WorkerNotice(coordinator, under_train=False)

    def report(metrics: dict[str, float]) -> None:
        with notice.waiting():
            tune.report(dict(metrics))

    try:
        job = trial_job(config, storage, sample)
        with notice.under_way():
            for metrics in _scores_so_far(job):
                report(metrics)
            run_training(job, report, notice)
    # Raised, these would be tried again, and end the same way.
    except DivergedError as error:
        tune.report({"step": 0, "bleu": 0.0, "ended": "diverged", "error": str(error)})
    except UnavailableError:  # it may answer the next attempt
        raise
    except (InputError, InsufficientMemoryError) as error:
        tune.report({"step": 0, "bleu": 0.0, "ended": "refused", "error": str(error)})


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
    return TrainingJob(
        config=tried.model_copy(update={"strategy": SingleStrategy()}),
        storage=storage,
        folder=layout.trial_folder(config.run, digest_of(sample)),
        base=base_source(config, storage),
        data=layout.pairs(config.run),
        name=" ".join(f"{key.rpartition('.')[2]}={_short(v)}" for key, v in sample.items()),
        stop_at_step=config.tune.max_steps,
    )


def _run_config(session: Session, trials: TrialLog) -> tune.RunConfig:
    filesystem, root = session.storage.filesystem
    return tune.RunConfig(
        name=f"attempt-{time.strftime('%Y%m%d-%H%M%S')}",
        storage_path=f"{root}/{layout.ray_files(session.config.run, TUNE)}",
        storage_filesystem=filesystem,
        callbacks=[trials],
        verbose=0,
        failure_config=tune.FailureConfig(max_failures=session.config.scaling.max_failures),
    )


def _short(value: object) -> str:
    return f"{value:.2g}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    from ray_jobs.cli.runner import main

    main("tune")
