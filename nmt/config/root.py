"""The whole configuration: one frozen tree for every command."""

import hashlib
import json
from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import (
    Field,
    ModelWrapValidatorHandler,
    ValidationError,
    field_validator,
    model_validator,
)

from nmt.config.explain import explain
from nmt.config.layers import DEFAULT_TYPES, merge, nest
from nmt.config.section import Section
from nmt.config.sections.adapter import DEFAULT_ADAPTER, AdapterConfig
from nmt.config.sections.data import DataConfig
from nmt.config.sections.evaluation import EvaluationConfig
from nmt.config.sections.export import ExportConfig
from nmt.config.sections.model import ModelConfig
from nmt.config.sections.plan import PlanConfig
from nmt.config.sections.scaling import ScalingConfig
from nmt.config.sections.serving import ServingConfig
from nmt.config.sections.strategy import DEFAULT_STRATEGY, StrategyConfig
from nmt.config.sections.tracking import TrackingConfig
from nmt.config.sections.training import TrainingConfig
from nmt.config.sections.tune import SearchRange, TuneConfig
from nmt.config.tree import is_tree
from nmt.errors import ConfigError

RESERVED_RUNS = ("engines", "serving", "mlruns", "mlflow.db")


class Config(Section):
    """Every setting of a run."""

    run: str = Field(default="demo", pattern=r"^[a-z0-9]([-a-z0-9_.]{0,61}[a-z0-9])?$")
    """Name of the run: its folder below the storage root."""
    storage: str = Field(default="runs", min_length=1)
    """Storage root: a folder, or an s3:// or gs:// URL."""
    seed: int = Field(default=1, ge=0, lt=2**31)
    """Seed of everything drawn at random."""
    data: DataConfig = DataConfig()
    model: ModelConfig = ModelConfig()
    adapter: Annotated[AdapterConfig, Field(discriminator="type")] = DEFAULT_ADAPTER
    training: TrainingConfig = TrainingConfig()
    strategy: Annotated[StrategyConfig, Field(discriminator="type")] = DEFAULT_STRATEGY
    scaling: ScalingConfig = ScalingConfig()
    tune: TuneConfig = TuneConfig()
    tracking: TrackingConfig = TrackingConfig()
    evaluation: EvaluationConfig = EvaluationConfig()
    export: ExportConfig = ExportConfig()
    serving: ServingConfig = ServingConfig()
    plan: PlanConfig = PlanConfig()

    @field_validator("run")
    @classmethod
    def _not_reserved(cls, run: str) -> str:
        if run in RESERVED_RUNS:
            raise ValueError(f"'{run}' has another place in the storage root: choose another name")
        return run

    @model_validator(mode="wrap")
    @classmethod
    def _default_types(cls, raw: object, handler: ModelWrapValidatorHandler[Self]) -> Self:
        """Fill in the default `type` of a section when only its other keys are given."""
        if not is_tree(raw):
            return handler(raw)
        added = [key for key in DEFAULT_TYPES if is_tree(raw.get(key)) and "type" not in raw[key]]
        config = handler(
            {**raw, **{key: {"type": DEFAULT_TYPES[key], **raw[key]} for key in added}}
        )
        # The user did not set it, so it is not `explicit`.
        for key in added:
            getattr(config, key).model_fields_set.discard("type")
        return config

    @model_validator(mode="after")
    def _strategy_fits_workers(self) -> Self:
        if self.strategy.type == "single" and self.scaling.workers > 1:
            raise ValueError(
                f"scaling.workers ({self.scaling.workers}) must be 1 with strategy.type=single: "
                "set strategy.type=ddp"
            )
        return self

    @classmethod
    def parse(cls, raw: Mapping[str, Any], origins: Mapping[str, str] | None = None) -> Self:
        """Validate a tree of plain values.

        Args:
            raw: nested mappings as a YAML file holds them.
            origins: maps each dotted key to the place where it was set, for messages.

        Raises:
            ConfigError: names each bad key, its value, the rule and the remedy.
        """
        try:
            return cls.model_validate(raw)
        except ValidationError as error:
            raise ConfigError(explain(error, cls, origins or {})) from None

    def with_overrides(self, overrides: Mapping[str, Any]) -> Self:
        """Copy the settings, replace dotted keys, and validate everything again."""
        # `explicit` of the copy contains the replaced keys too, whoever replaced them. So only the
        # settings that `load_config` returned know which keys the user set.
        return type(self).parse(merge(self._given(), nest(overrides)))

    def explicit(self) -> frozenset[str]:
        """Return the dotted keys that were set and not left at their defaults."""
        return frozenset(flatten(self._given()))

    def given_words(self) -> list[str]:
        """Write the keys that were set as the `key=value` words that `load_config` reads back.

        Raises:
            ConfigError: a text looks like a YAML value, so it cannot be written as a word.
        """
        return [f"{key}={_word(key, value)}" for key, value in flatten(self._given()).items()]

    def _given(self) -> dict[str, Any]:
        """Return the values that were set, as a tree of plain values."""
        raw = self.model_dump(mode="json", exclude_unset=True)
        # A section that was given as an object has a type that nobody set as a key.
        for key, default in DEFAULT_TYPES.items():
            if key in raw and getattr(self, key).type != default:
                raw[key].setdefault("type", getattr(self, key).type)
        # The ranges of a space are complete, or their types would be missing.
        if "space" in raw.get("tune", {}):
            raw["tune"]["space"] = self.tune.model_dump(mode="json")["space"]
        return raw

    @property
    def search_space(self) -> dict[str, SearchRange]:
        """Return `tune.space`, of its default only the keys that the chosen adapter has."""
        if "space" in self.tune.model_fields_set:
            return self.tune.space
        lacking = {f"adapter.{name}" for name in ("rank", "alpha")} - {
            f"adapter.{name}" for name in type(self.adapter).model_fields
        }
        return {key: searched for key, searched in self.tune.space.items() if key not in lacking}

    def settings(self, *prefixes: str) -> dict[str, Any]:
        """Map the dotted key of every setting below the given keys to its plain value."""
        flat = flatten(self.model_dump(mode="json"))
        return {
            key: value
            for key, value in sorted(flat.items())
            if any(key == prefix or key.startswith(f"{prefix}.") for prefix in prefixes)
        }

    def digest(self) -> str:
        """Compute twelve hexadecimal digits that identify all settings."""
        return digest_of(self.model_dump(mode="json"))


def flatten(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Map the dotted key of each leaf to its value."""
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        dotted = f"{prefix}{key}"
        # `tune.space` is one leaf, since its own keys contain dots.
        if is_tree(value) and dotted != "tune.space":
            flat |= flatten(value, f"{dotted}.")
        else:
            flat[dotted] = value
    return flat


def _word(key: str, value: object) -> str:
    if not isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if value == "null" or value[:1] in ("[", "{"):
        raise ConfigError(f"{key}: '{value}' cannot be passed on as {key}=VALUE: rename it")
    return value


def digest_of(value: object) -> str:
    """Compute twelve hexadecimal digits that identify a plain value."""
    # Sorted keys give equal values the same text.
    text = json.dumps(value, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:12]
