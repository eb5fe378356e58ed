"""The training of one trial, in an actor of Tune."""

from typing import TYPE_CHECKING

from ray import tune

from nmt.config import Config, DdpStrategy, SingleStrategy, digest_of
from nmt.errors import (
    DivergedError,
    InputError,
    InsufficientMemoryError,
    UnavailableError,
)
from nmt.runs import layout
from nmt.runs.tuning import TrialSettings
from nmt.runs.validation_scores import worst_gain
from nmt.storage import Storage
from ray_jobs.runtime.connection import prepare_worker
from ray_jobs.search.methods import OBJECTIVE, objective_of
from ray_jobs.search.population import branch_of
from ray_jobs.search.trials import gpus_per_worker
from ray_jobs.workers.interruption import StopCoordinator, WorkerNotice
from ray_jobs.workers.trial_group import joined_by_others

if TYPE_CHECKING:
    from nmt.training.job import TrainingJob


def run_trial(
    sample: TrialSettings,
    config: Config,
    storage: Storage,
    coordinator: StopCoordinator,
    until: int | None = None,
) -> None:
    """Run or resume one trial in a Tune actor, up to a step or to its end."""
    prepare_worker(config)
    from nmt.training.trainer import run_training  # torch and transformers, which no driver needs

    notice = WorkerNotice(coordinator, under_train=False)

    metric = config.training.validation_metric

    branch = branch_of(sample)

    def report(metrics: dict[str, float]) -> None:
        # What a copied trial scored before its copy is its own score.
        if branch is not None and metrics["step"] <= branch.step:
            return
        with notice.waiting():
            tune.report(objective_of(metric, metrics))

    try:
        job = trial_job(config, storage, sample, until)
        with notice.under_way():
            for metrics in _scores_so_far(job):
                report(metrics)
            with joined_by_others(job, coordinator):
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


def trial_job(
    config: Config, storage: Storage, sample: TrialSettings, until: int | None = None
) -> "TrainingJob":
    """Describe the training of a trial, up to a step or to its end."""
    # More workers see the same rows in each update, so they change how long a trial takes.
    from nmt.training.base import base_source
    from nmt.training.job import TrainingJob

    tried, workers = config.with_overrides(sample), config.tune.workers_per_trial
    scaling = tried.scaling.model_copy(
        update={"workers": workers, "gpus_per_worker": gpus_per_worker(config)}
    )
    training, branch = tried.training, branch_of(sample)
    if config.tune.scheduler == "pbt":
        # Exchanges take the place of patience: a trial that ended early could not be compared.
        training = training.model_copy(update={"patience": None})
    return TrainingJob(
        config=tried.model_copy(
            update={
                "strategy": SingleStrategy() if workers == 1 else DdpStrategy(),
                "scaling": scaling,
                "training": training,
            }
        ),
        storage=storage,
        folder=_folder_of(config, sample),
        base=base_source(config, storage),
        data=layout.pairs(config.run),
        name=" ".join(f"{key.rpartition('.')[2]}={_short(v)}" for key, v in sample.items()),
        stop_at_step=until or config.tune.max_steps,
        pauses_every_steps=config.tune.grace_steps if until else None,
        start_from=branch and layout.checkpoints(_folder_of(config, branch.settings)),
        start_at_step=branch and branch.step,
        keeps_base=workers == 1,  # the processes of several end with their trial
        shared_validation=layout.shared_validation(config.run),
    )


def _folder_of(config: Config, settings: TrialSettings) -> str:
    return layout.trial_folder(config.run, digest_of(settings))


def _short(value: object) -> str:
    return f"{value:.2g}" if isinstance(value, float) else str(value)
