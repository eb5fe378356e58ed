"""Train the adapter of a run under Ray Train."""

import logging
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from nmt.config import Config, digest_of
from nmt.errors import (
    DivergedError,
    InputError,
    InsufficientMemoryError,
    NmtError,
    TrainingError,
    UnavailableError,
)
from nmt.runs import layout
from nmt.runs.records import Record, is_intact, require
from nmt.runs.results import TrainingPoint, TrainResult
from nmt.runs.running import StepOutput
from nmt.runs.steps import PREPARE, TRAIN
from nmt.storage import Storage
from ray_jobs import base as base_job
from ray_jobs.runtime.checks import check
from ray_jobs.runtime.connection import cause_of, connect, prepare_worker
from ray_jobs.runtime.context import Session
from ray_jobs.runtime.logs import quiet_expected_failures
from ray_jobs.runtime.progress_bar import step_bar
from ray_jobs.search.best_trial import find_best
from ray_jobs.workers.attempt import (
    Attempt,
    AttemptSettings,
    Failed,
    Finished,
    Preempted,
    TrainingPlace,
)
from ray_jobs.workers.interruption import StopCoordinator, WorkerNotice

if TYPE_CHECKING:
    from nmt.training.job import TrainingJob
    from nmt.training.trainer import Outcome
    from ray_jobs.workers.ray_trainer import RayTrainer

log = logging.getLogger(__name__)


def run(session: Session) -> Record:
    """Train the adapter of a run, or go on where an earlier call was stopped.

    Raises:
        MissingStepError: the data is not prepared.
        TrainingError: the workers failed more often than `scaling.max_failures`.
    """
    session = session.with_inherited(TRAIN)
    check(session.storage, session.config, "train")
    require(session.storage, session.config.run, PREPARE)
    base_job.run(session.without_restart(), thorough=False)
    best = find_best(session)
    session = session.with_config(best.config)
    storage = session.storage
    published = layout.trained_weights(session.config.run)

    def work() -> StepOutput[TrainResult]:
        with connect(session.config):
            result = fit(session, place_of(session.config.run), best.checkpoints)
        return StepOutput(result, digest_of(storage.manifest(published)["files"]))

    return session.run_step(TRAIN, work, is_intact=lambda _: is_intact(storage, published))


def place_of(run: str) -> TrainingPlace:
    """Return where the training of a run keeps its files."""
    folder = layout.step_folder(run, TRAIN)
    return TrainingPlace(TRAIN.name, folder, layout.ray_files(run, TRAIN))


def fit(session: Session, place: TrainingPlace, start_from: str | None) -> TrainResult:
    """Run a training on the workers of `scaling`, restarted from its checkpoints when they die.

    Workers that are told to go have saved their work: new ones go on, and
    `scaling.max_failures` is not asked.

    Args:
        session: with the settings to train with.
        place: where the training keeps its files.
        start_from: folder of the checkpoints to go on from where the training has none yet.
    """
    coordinator = StopCoordinator()
    steps = session.config.training.max_steps
    with coordinator.guarding(), step_bar(place.name, steps, coordinator.reached):
        while isinstance(attempt := _fit_once(session, place, start_from, coordinator), Preempted):
            log.warning(
                "%s: a worker was told to go: new ones go on from step %d",
                place.name, attempt.step,
            )  # fmt: skip
    if isinstance(attempt, Failed):
        raise attempt.error
    return attempt.result


def _fit_once(
    session: Session, place: TrainingPlace, start_from: str | None, coordinator: StopCoordinator
) -> Attempt:
    trainer = _trainer(session, place, start_from, coordinator)
    try:
        attempt: Attempt | None = trainer.fit().return_value
    except Exception as error:
        cause = cause_of(error)
        if isinstance(cause, NmtError) and not isinstance(cause, TrainingError):
            raise cause from None
        raise TrainingError(
            f"the training failed and was not restarted (scaling.max_failures="
            f"{session.config.scaling.max_failures}): the same command goes on from the last "
            f"checkpoint. The last failure: {cause}"
        ) from error
    if attempt is None:
        raise TrainingError(
            "the workers ended without a result: the same command goes on from the last checkpoint"
        )
    return attempt


def _trainer(
    session: Session, place: TrainingPlace, start_from: str | None, coordinator: StopCoordinator
) -> "RayTrainer":
    # They take a second, in which the first processes of a private Ray come up.
    import ray.train

    from ray_jobs.workers.lost_workers import LostWorkers
    from ray_jobs.workers.process_group import ProcessGroupConfig
    from ray_jobs.workers.ray_trainer import RayTrainer

    config, scaling = session.config, session.config.scaling
    filesystem, root = session.storage.filesystem
    settings = AttemptSettings(config, session.storage, place, start_from, coordinator)
    return RayTrainer(
        train_worker,
        train_loop_config={"settings": settings},
        scaling_config=ray.train.ScalingConfig(
            num_workers=scaling.workers,
            use_gpu=scaling.gpus_per_worker > 0,
            resources_per_worker={"CPU": scaling.cpus_per_worker, "GPU": scaling.gpus_per_worker},
        ),
        backend_config=ProcessGroupConfig("nccl" if scaling.gpus_per_worker else "gloo"),
        run_config=ray.train.RunConfig(
            # What resumes a run are its own checkpoints: each attempt is a new one to Ray.
            name=f"attempt-{time.strftime('%Y%m%d-%H%M%S')}",
            storage_path=f"{root}/{place.ray_files}",
            storage_filesystem=filesystem,
            failure_config=ray.train.FailureConfig(max_failures=scaling.max_failures),
            callbacks=[LostWorkers(session.storage, place)],
            # Its warnings on a busy machine come with tracebacks and mean nothing to a user.
            logging_config=ray.train.LoggingConfig(log_level="ERROR"),
        ),
    )


def train_worker(loop_config: Mapping[str, AttemptSettings]) -> Attempt:
    """Train on one worker, and return the errors that a restart would only repeat."""
    settings = loop_config["settings"]
    config = settings.config
    prepare_worker(config)
    quiet_expected_failures()
    import ray.train

    from nmt.training.trainer import run_training  # torch and transformers, which no driver needs

    notice = WorkerNotice(settings.coordinator, under_train=True)

    def report(metrics: dict[str, float]) -> None:
        ray.train.report(metrics)

    try:
        job = training_job(config, settings.storage, settings.place, settings.start_from)
        with notice.under_way():
            outcome = run_training(job, report, notice)
            notice.ended(outcome.state.step)
    except UnavailableError:  # it may answer the next attempt
        raise
    except InsufficientMemoryError as error:
        if config.scaling.workers > 1:  # the others wait for this one
            raise
        return Failed(error)
    except (InputError, DivergedError) as error:  # on all of them
        return Failed(error)
    if not outcome.finished and not notice.stopping:
        return Preempted(outcome.state.step)
    return Finished(_result(outcome))


def _result(outcome: "Outcome") -> TrainResult:
    state = outcome.state
    return TrainResult(
        trained_parameters=outcome.trained_parameters,
        left_out=outcome.dropped_pairs,
        steps=state.step,
        metric=state.metric,
        validation_sentences=state.validation_sentences,
        base_score=state.base_score,
        base_bleu=state.base_bleu,
        best_step=state.best_step,
        best_score=state.best_score,
        best_bleu=state.best_bleu,
        train_seconds=round(state.seconds, 2),
        curve=tuple(TrainingPoint.model_validate(point) for point in state.curve),
    )


def training_job(
    config: Config, storage: Storage, place: TrainingPlace, start_from: str | None
) -> "TrainingJob":
    """Describe a training, on a worker.

    Raises:
        ModelError: the base does not fit.
        UnavailableError: a hub that cannot be reached.
    """
    from nmt.training.base import base_source
    from nmt.training.job import TrainingJob

    return TrainingJob(
        config=config,
        storage=storage,
        folder=place.folder,
        base=base_source(config, storage),
        data=layout.pairs(config.run),
        name=place.name,
        start_from=start_from,
        compares_with_base=place.compares_with_base,
    )


if __name__ == "__main__":
    from ray_jobs.cli.runner import main

    main("train")
