"""Settings of the hyperparameter search."""

import re
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from nmt.config.section import PositiveInt, Section
from nmt.errors import did_you_mean

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
_SEARCHED = (r"adapter\.\w+", "seed", rf"training\.({'|'.join(_SEARCHED_TRAINING)})")


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


def _default_space() -> dict[str, SearchRange]:
    return {
        "adapter.rank": Choice(values=(8, 16, 32, 64)),
        "adapter.alpha": Choice(values=(16, 32, 64, 128)),
        "training.learning_rate": Uniform(type="loguniform", low=1e-4, high=1e-3),
    }


class TuneConfig(Section):
    """The search with Optuna and ASHA for the best validation BLEU.

    Source: Li et al. 2018 (ASHA), https://arxiv.org/abs/1810.05934
    """

    trials: int = Field(default=8, ge=0)
    """Number of trials; 0: a pipeline skips the search."""
    max_concurrent: PositiveInt = 2
    """Maximum number of trials that run at the same time."""
    max_steps: PositiveInt = 600
    """Number of optimizer updates of a trial that is not stopped early."""
    grace_steps: PositiveInt = 150
    """Number of updates before a trial may be stopped early."""
    reduction_factor: int = Field(default=2, ge=2)
    """One in this many trials continues at each rung."""
    space: dict[str, SearchRange] = Field(
        default_factory=_default_space,
        min_length=1,
        json_schema_extra={"propertyNames": {"pattern": f"^({'|'.join(_SEARCHED)})$"}},
    )
    """Maps each dotted setting to its range. Allowed are all keys of `adapter`, `seed`, and the
    keys of `training` that change an update. The default omits keys that the adapter lacks."""

    @field_validator("space")
    @classmethod
    def _is_read_by_trials(cls, space: dict[str, SearchRange]) -> dict[str, SearchRange]:
        """Refuse settings that trials do not read or that make trials incomparable."""
        for key in space:
            # Between trials that do not differ in the key, the best would be chosen by chance.
            if not re.fullmatch("|".join(_SEARCHED), key):
                known = ("seed", *(f"training.{name}" for name in _SEARCHED_TRAINING))
                hint = did_you_mean(key, known)
                raise ValueError(
                    f"{key} cannot be searched, since all trials share data, base, length and "
                    f"validation: search keys of adapter, or {', '.join(known)}{hint and '.'}{hint}"
                )
        return space

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.grace_steps > self.max_steps:
            raise ValueError(
                f"grace_steps ({self.grace_steps}) must not be above max_steps ({self.max_steps})"
            )
        return self
