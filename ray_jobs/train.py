"""Train the adapter of a run under Ray Train."""

import time
from typing import Any

import ray.train
from ray.train.torch import TorchConfig, TorchTrainer
from typing_extensions import override

from nmt.config import digest_of
from nmt.errors import InputError, NmtError, TrainingError
from nmt.steps import PREPARE, TRAIN, Record, require
from nmt.training.base import base_source
from nmt.training.events import Signal
from nmt.training.job import TrainingJob, best_path
from nmt.training.loop import run_training
from nmt.training.strategies import check_available
from ray_jobs import base as base_job
from ray_jobs.best import BestTrial, find_best
from ray_jobs.cluster import cause_of, connect, prepare_worker
from ray_jobs.session import Session


def run(session: Session) -> Record:
    """Train the adapter of a run, or go on where an earlier call was stopped.

    Raises:
        UnavailableError: a strategy or adapter of a later release.
        MissingStepError: the data is not prepared.
        TrainingError: the workers failed more often than `scaling.max_failures`.
    """
    session = session.on(TRAIN)
    check_available(session.config.strategy, session.config.adapter)
    require(session.storage, session.config.run, PREPARE)
    base_job.run(session.keeping())
    best = find_best(session)
    session = session.with_config(best.config)
    storage = session.storage

    def work() -> dict[str, Any]:
        with connect(session.config):
            result = fit(session, training_job(session, best))
        files = storage.manifest(best_path(TRAIN.path(session.config.run)))["files"]
        return result | {"output": digest_of(files)}

    return session.do(TRAIN, work)


def training_job(session: Session, best: BestTrial) -> TrainingJob:
    """The adapter's training, from the best trial's checkpoint where that fits."""
    config, storage = session.config, session.storage
    return TrainingJob(
        config=config,
        storage=storage,
        folder=TRAIN.path(config.run),
        base=base_source(config),
        data=f"{PREPARE.path(config.run)}/pairs",
        start_from=best.checkpoints,
    )


def fit(session: Session, job: TrainingJob) -> dict[str, Any]:
    """Run a training on the workers of `scaling`, restarted from its checkpoints when they die."""
    scaling = session.config.scaling
    filesystem, root = session.storage.filesystem
    trainer = _Trainer(
        train_worker,
        train_loop_config={"job": job},
        scaling_config=ray.train.ScalingConfig(
            num_workers=scaling.workers,
            use_gpu=scaling.gpus_per_worker > 0,
            resources_per_worker={"CPU": scaling.cpus_per_worker, "GPU": scaling.gpus_per_worker},
        ),
        torch_config=TorchConfig(backend="nccl" if scaling.gpus_per_worker else "gloo"),
        run_config=ray.train.RunConfig(
            # What resumes a run are its own checkpoints: each attempt is a new one to Ray.
            name=f"attempt-{time.strftime('%Y%m%d-%H%M%S')}",
            storage_path=f"{root}/{job.folder}/ray",
            storage_filesystem=filesystem,
            failure_config=ray.train.FailureConfig(max_failures=scaling.max_failures),
            # Its warnings on a busy machine come with tracebacks and mean nothing to a user.
            logging_config=ray.train.LoggingConfig(log_level="ERROR"),
        ),
    )
    try:
        result = trainer.fit()
    except Exception as error:
        cause = cause_of(error)
        if isinstance(cause, NmtError):
            raise cause from None
        raise TrainingError(f"the workers failed: {error}") from error
    answer: dict[str, Any] = result.return_value or {}
    if "refused" in answer:
        raise InputError(answer["refused"])
    return answer


class _Trainer(TorchTrainer):
    """Leaves Ctrl-C to the command line.

    Ray's own handler would stay after the training and end the process with 1. Training in another
    thread instead, where Ray installs none, lets that thread call a Ray that was just shut down.
    """

    @override
    def _register_sigint_handler(self, controller: Any) -> None:
        return


def train_worker(loop_config: dict[str, Any]) -> dict[str, Any]:
    """One worker's training; bad input is returned, since raising it would restart the group."""
    job: TrainingJob = loop_config["job"]
    prepare_worker(job.config)

    def report(metrics: dict[str, float]) -> Signal:
        ray.train.report(metrics)
        return Signal.CONTINUE

    try:
        outcome = run_training(job, report)
    except InputError as error:
        return {"refused": str(error)}
    state = outcome.state
    return {
        "trained_parameters": outcome.trained_parameters,
        "left_out": outcome.left_out,
        "steps": state.step,
        "best_step": state.best_step,
        "best_bleu": state.best_bleu,
        "train_seconds": round(state.seconds, 2),
        "curve": list(state.curve),
    }


if __name__ == "__main__":
    from ray_jobs.entry import main

    main("train")
