"""Settings of the hyperparameter search."""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator
from pydantic.config import JsonDict

from nmt.config.section import PositiveInt, RunName, Section
from nmt.errors import did_you_mean

Method = Literal["none", "lora", "qlora", "ia3", "oft", "bottleneck", "prefix", "prompt"]
"""A type of `adapter`; `none` is full fine-tuning."""

_RATE = "training.learning_rate"

_SEARCHED_TRAINING = (
    "learning_rate",
    "schedule",
    "warmup_steps",
    "micro_batch_tokens",
    "micro_batches_per_step",
    "label_smoothing",
    "weight_decay",
    "max_gradient_norm",
    "precision",
    "replay_fraction",
)
"""Keys of `training` that change how a trial updates the weights.

Trials that differed in another key could not be compared: the other keys set how long a trial is
and how it is measured, or do not affect it.
"""
_SEARCHED = (
    r"adapter\.\w+",
    "seed",
    rf"training\.({'|'.join(_SEARCHED_TRAINING)})",
)


class Choice(Section):
    """A value from a list."""

    type: Literal["choice"] = "choice"
    values: tuple[int | float | str | bool, ...] = Field(min_length=1)
    """The candidates."""


class Uniform(Section):
    """A number from a range, uniform on a linear or a logarithmic scale."""

    type: Literal["uniform", "loguniform"]
    low: float = Field(allow_inf_nan=False)
    """Lower bound."""
    high: float = Field(allow_inf_nan=False)
    """Upper bound."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.low >= self.high:
            raise ValueError(f"low ({self.low}) must be below high ({self.high})")
        if self.type == "loguniform" and self.low <= 0:
            raise ValueError(f"low ({self.low}) must be above 0 on a logarithmic scale")
        return self


SearchRange = Annotated[Choice | Uniform, Field(discriminator="type")]
SearchSpace = Mapping[str, SearchRange]
"""Dotted setting -> its range."""
_KEYS: JsonDict = {"propertyNames": {"pattern": f"^({'|'.join(_SEARCHED)})$"}}

_MethodSpace = Annotated[dict[str, SearchRange], Field(json_schema_extra=_KEYS)]

FULL_FINE_TUNING_RATES = Uniform(type="loguniform", low=1e-5, high=2e-4)
"""Default range of the learning rate where every weight moves."""


def _default_space() -> dict[str, SearchRange]:
    return {
        "adapter.rank": Choice(values=(8, 16, 32, 64)),
        "adapter.alpha": Choice(values=(16, 32, 64, 128)),
        "training.learning_rate": Uniform(type="loguniform", low=1e-4, high=1e-3),
    }


class TuneConfig(Section):
    """The search for the settings with the best validation score, `training.validation_metric`.

    Sources: Akiba et al. 2019 (Optuna, whose TPE draws the settings),
    https://arxiv.org/abs/1907.10902; Li et al. 2018 (ASHA), https://arxiv.org/abs/1810.05934;
    Jaderberg et al. 2017 (population based training), https://arxiv.org/abs/1711.09846
    """

    trials: int = Field(default=8, ge=0)
    """Number of trials of all methods together, which a later call may raise; 0: a pipeline skips
    the search."""
    max_hours: Annotated[float, Field(gt=0)] | None = None
    """End the search after this many hours in which trials ran, over all calls. The best trial so
    far is its result, and a later call with a higher limit goes on."""
    max_gpu_hours: Annotated[float, Field(gt=0)] | None = None
    """End the search after so many GPU-hours: the hours of each trial times the GPUs that its
    workers reserve. Without GPUs it never ends the search."""
    max_concurrent: PositiveInt = 2
    """Maximum number of trials that run at the same time."""
    gpus_per_trial: Annotated[float, Field(gt=0, le=1)] | None = None
    """GPUs, or a share of one, that each worker of a trial reserves; unset:
    `scaling.gpus_per_worker`."""
    workers_per_trial: PositiveInt = 1
    """Number of workers of each trial, which share the micro-batches of an update. They reserve
    `scaling.cpus_per_worker` each, and `gpus_per_trial` GPUs, which must be 0 or 1 with several."""
    max_steps: PositiveInt = 600
    """Number of optimizer updates of a trial that is not stopped early."""
    grace_steps: PositiveInt = 150
    """Number of updates before a trial may be stopped early; with `pbt`, between two exchanges."""
    reduction_factor: int = Field(default=3, ge=2)
    """One in this many trials continues at each rung."""
    sampler: Literal["tpe", "random", "grid"] = "tpe"
    """How settings are drawn: by what earlier trials scored (Optuna's TPE, after three draws of a
    method at random), at random, or each combination in turn. `grid` needs a space of choices
    alone."""
    scheduler: Literal["asha", "pbt", "none"] = "asha"
    """`asha`: stop trials that are weak at a rung; `none`: every trial makes all its steps. `pbt`
    (population based training): the first `trials` trials are a population. After every
    `grace_steps` updates, the weakest quarter of each method is replaced by copies of trials of the
    best quarter, which go on from their checkpoints with another learning rate."""
    methods: tuple[Method, ...] = ()
    """Types of `adapter` to compare, such as `[lora, none]`, where `none` is full fine-tuning. Each
    has its own space, sampler and rungs, and they get the same number of trials. Empty: the
    configured one alone; in a campaign, the configured one and full fine-tuning."""
    space: dict[str, SearchRange] = Field(
        default_factory=_default_space, min_length=1, json_schema_extra=_KEYS
    )
    """Maps each dotted setting to its range. Allowed are the keys of `adapter` but its type, `seed`
    and the keys of `training` that change an update. With `methods`, keys of `adapter` that
    a method lacks are left out for it. If `space` is not set, full fine-tuning has learning rates
    of 1e-5 to 2e-4."""
    method_space: dict[Method, _MethodSpace] = Field(default_factory=dict[Method, _MethodSpace])
    """Ranges for one of `methods`, which replace those of `space` for the same settings."""
    warm_start: tuple[RunName, ...] = ()
    """Other runs whose searches the sampler learns from first, as they are when this one begins.
    Their trials must have the same method, searched settings and `training.validation_metric`, and
    do not count as trials here. Of a score, its distance to the median of its run counts."""

    @field_validator("space")
    @classmethod
    def _is_read_by_trials(cls, space: dict[str, SearchRange]) -> dict[str, SearchRange]:
        """Refuse settings that trials do not read or that make trials incomparable."""
        for key in space:
            _check_searched(key)
        return space

    @field_validator("method_space")
    @classmethod
    def _are_read_by_trials(
        cls, spaces: dict[Method, dict[str, SearchRange]]
    ) -> dict[Method, dict[str, SearchRange]]:
        for key in (key for space in spaces.values() for key in space):
            _check_searched(key)
        return spaces

    @field_validator("methods")
    @classmethod
    def _are_distinct(cls, methods: tuple[Method, ...]) -> tuple[Method, ...]:
        if len(set(methods)) < len(methods):
            raise ValueError(f"names a method twice: {', '.join(methods)}")
        return methods

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.grace_steps > self.max_steps:
            raise ValueError(
                f"grace_steps ({self.grace_steps}) must not be above max_steps ({self.max_steps})"
            )
        for method in self.method_space:
            if method not in self.methods:
                raise ValueError(f"method_space has {method}, which is not one of methods: add it")
        if self.sampler == "grid":
            self._check_choices()
        if self.scheduler == "pbt" and _RATE not in self.space:
            self._check_rates()
        return self

    def _check_rates(self) -> None:
        """Refuse a population in which nothing would change at an exchange."""
        lacking = [m for m in self.methods if _RATE not in self.method_space.get(m, {})]
        if lacking or not self.methods:
            raise ValueError(
                f"scheduler=pbt changes {_RATE}, which is not in space: add it, or set another "
                "scheduler"
            )

    def _check_choices(self) -> None:
        """Refuse ranges, of which a grid could not try every value."""
        # The default space is fitted to each method later, but has a range for every one.
        for where, key, searched in self._ranges():
            if not isinstance(searched, Choice):
                raise ValueError(
                    f"sampler=grid tries every combination, and {key} is a range: set "
                    f"{where} with choices alone, like {key}={{type: choice, values: [...]}}"
                )

    def _ranges(self) -> Iterator[tuple[str, str, SearchRange]]:
        """List the ranges that some method uses, each with the key that holds it."""
        for key, searched in self.space.items():
            replaced = [key in self.method_space.get(method, {}) for method in self.methods]
            if not replaced or not all(replaced):
                yield "tune.space", key, searched
        for method, space in self.method_space.items():
            for key, searched in space.items():
                yield f"tune.method_space.{method}", key, searched


def _check_searched(key: str) -> None:
    """Refuse a setting that no search may vary.

    Raises:
        ValueError: between trials that do not differ in it, the best would be chosen by chance.
    """
    if key == "adapter.type":
        raise ValueError("adapter.type is searched by tune.methods, like tune.methods=[lora,none]")
    if re.fullmatch("|".join(_SEARCHED), key):
        return
    known = ("seed", *(f"training.{name}" for name in _SEARCHED_TRAINING))
    hint = did_you_mean(key, known)
    raise ValueError(
        f"{key} cannot be searched, since all trials share data, base, length and "
        f"validation: search keys of adapter, or {', '.join(known)}{hint and '.'}{hint}"
    )
