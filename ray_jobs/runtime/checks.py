"""What a job refuses before it makes or discards anything.

Imports neither ray nor torch.
"""

import importlib.util
import math

from nmt.config import Choice, Config, SearchRange
from nmt.errors import ConfigError, MissingPackageError, install_command
from nmt.runs.steps import CAMPAIGN, PIPELINE, TUNE, steps_of
from nmt.storage import Storage


def check(storage: Storage, config: Config, job: str) -> None:
    """Refuse settings that a job cannot work with.

    Raises:
        ConfigError: a setting contradicts another, or the storage root.
        MissingPackageError: what is asked for takes a package that is not installed.
    """
    steps = steps_of(job, config)
    if job in (PIPELINE, CAMPAIGN):
        _check_test_pairs(config)
    if job == TUNE.name and config.tune.trials == 0:
        raise ConfigError("tune.trials is 0: set how many settings shall be tried")
    if TUNE in steps:
        _check_space(config)
        _check_trial_gpus(config)
        _check_warm_start(config)
    if any(step.tracked for step in steps):
        _check_tracking(config, storage)
        _check_metric(config)


def _check_test_pairs(config: Config) -> None:
    if not config.data.test_fraction and not config.data.test_path and config.data.path is None:
        raise ConfigError("data.test_fraction is 0: a pipeline needs test pairs to compare with")


def _check_space(config: Config) -> None:
    """Try the values of every choice, and three of every range, against the schema."""
    for method, space in config.search_spaces.items():
        with_method = config.with_overrides({"adapter.type": method})
        own = next((ours for name, ours in config.tune.method_space.items() if name == method), {})
        for key, searched in space.items():
            where = f"tune.space, {method}" if config.tune.methods else "tune.space"
            where = f"tune.method_space.{method}" if key in own else where
            try:
                _check_values(with_method, key, searched)
            except ConfigError as error:
                raise ConfigError(f"{where}: {error}") from None


def _check_values(config: Config, key: str, searched: SearchRange) -> None:
    """Refuse values that a setting cannot have, or that are one value for it."""
    seen: dict[str, object] = {}
    for value in _values(searched):
        digest = config.with_overrides({key: value}).digest()
        before = seen.setdefault(digest, value)
        if before != value:
            raise ConfigError(
                f"{key} has the values {before!r} and {value!r}, which are the same setting: leave "
                "out one of them, or two trials would be one training"
            )


def _check_warm_start(config: Config) -> None:
    if config.run in config.tune.warm_start:
        raise ConfigError(
            f"tune.warm_start names '{config.run}', the run of this search: leave it out, its own "
            "trials count in any case"
        )


def _check_trial_gpus(config: Config) -> None:
    """Refuse trials whose workers would share a GPU."""
    tune, scaling = config.tune, config.scaling
    key = "scaling.gpus_per_worker" if tune.gpus_per_trial is None else "tune.gpus_per_trial"
    share = scaling.gpus_per_worker if tune.gpus_per_trial is None else tune.gpus_per_trial
    if tune.workers_per_trial > 1 and 0 < share < 1:
        raise ConfigError(
            f"{key} ({share:g}) must be 0 or 1 with several workers in a trial "
            f"(tune.workers_per_trial={tune.workers_per_trial}): NCCL does not allow two workers "
            "on one GPU"
        )


def _values(searched: SearchRange) -> tuple[int | float | str | bool, ...]:
    if isinstance(searched, Choice):
        return searched.values
    # Between its whole numbers a range of a setting that counts would be refused at each draw.
    within = searched.low + (searched.high - searched.low) / math.pi
    return searched.low, searched.high, within


def _check_metric(config: Config) -> None:
    """Refuse a metric that the target language does not have."""
    # Every language has BLEU, and a command that validates by it need not import the others.
    if config.training.validation_metric == "bleu":
        return
    from nmt.metrics import check_metric

    check_metric(config.training.validation_metric, config.data.target_language)


def _check_tracking(config: Config, storage: Storage) -> None:
    if not config.tracking.mlflow:
        return
    if importlib.util.find_spec("mlflow") is None:
        raise MissingPackageError(
            "tracking.mlflow=true needs the package 'mlflow-skinny': " + install_command("tracking")
        )
    if config.tracking.mlflow_uri is None and not storage.is_local:
        raise ConfigError(
            "tracking.mlflow_uri is not set, and an object store cannot hold MLflow's database: "
            "set it to the address of an MLflow server"
        )
