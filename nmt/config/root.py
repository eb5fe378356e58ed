"""The whole configuration: one frozen tree for every command."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Self

from pydantic import Field, ValidationError, field_validator, model_validator

from nmt.config.explain import explain
from nmt.config.layers import DEFAULT_TYPES, flatten, merge, nest
from nmt.config.section import RunName, Section
from nmt.config.sections.adapter import DEFAULT_ADAPTER, AdapterConfig, NoAdapter, keys_of
from nmt.config.sections.campaign import CampaignConfig
from nmt.config.sections.data import DataConfig
from nmt.config.sections.evaluation import EvaluationConfig
from nmt.config.sections.export import ExportConfig
from nmt.config.sections.gate import GateConfig
from nmt.config.sections.model import ModelConfig
from nmt.config.sections.plan import PlanConfig
from nmt.config.sections.provenance import ProvenanceConfig
from nmt.config.sections.rollout import RolloutConfig
from nmt.config.sections.scaling import ScalingConfig
from nmt.config.sections.serving import ServingConfig
from nmt.config.sections.strategy import DEFAULT_STRATEGY, StrategyConfig
from nmt.config.sections.tracking import TrackingConfig
from nmt.config.sections.training import TrainingConfig
from nmt.config.sections.tune import (
    FULL_FINE_TUNING_RATES,
    Choice,
    Method,
    SearchRange,
    TuneConfig,
)
from nmt.config.tree import is_tree
from nmt.errors import ConfigError

# The names at the storage root that runs share, as `nmt.runs.layout` has them. That module is above
# this one, so it is compared in a test instead of being imported.
RESERVED_RUNS = (
    "campaigns",
    "engines",
    "gates",
    "serving",
    "mlruns",
    "mlflow.db",
    "provenance",
)


SEEDS = 2**31
"""Number of different seeds."""


class Config(Section):
    """Every setting of a run."""

    run: RunName = "demo"
    """Name of the run: its folder below the storage root."""
    storage: str = Field(default="runs", min_length=1)
    """Storage root: a folder, or an s3:// or gs:// URL."""
    seed: int = Field(default=1, ge=0, lt=SEEDS)
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
    gate: GateConfig = GateConfig()
    rollout: RolloutConfig = RolloutConfig()
    provenance: ProvenanceConfig = ProvenanceConfig()
    serving: ServingConfig = ServingConfig()
    plan: PlanConfig = PlanConfig()
    campaign: CampaignConfig = CampaignConfig()

    @field_validator("run")
    @classmethod
    def _not_reserved(cls, run: str) -> str:
        if run in RESERVED_RUNS:
            raise ValueError(f"'{run}' has another place in the storage root: choose another name")
        return run

    @model_validator(mode="before")
    @classmethod
    def _fill_default_types(cls, raw: object) -> object:
        """Fill in the default `type` of a section when only its other keys are given."""
        # So `adapter.rank=8` is enough: pydantic alone would also ask for `adapter.type=lora`.
        if not is_tree(raw):
            return raw
        filled = {
            key: {"type": default, **raw[key]}
            for key, default in DEFAULT_TYPES.items()
            if is_tree(raw.get(key)) and "type" not in raw[key]
        }
        return {**raw, **filled}

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
        """Copy the settings, replace dotted keys, and validate everything again.

        Raises:
            ConfigError: a value does not fit.
        """
        tree = self.model_dump(mode="json")
        if "space" not in self.tune.model_fields_set:
            # Copied, the default space would count as the user's: `search_spaces` would no longer
            # fit it to the method.
            del tree["tune"]["space"]
        return type(self).parse(merge(tree, nest(overrides)))

    @property
    def search_spaces(self) -> dict[str, dict[str, SearchRange]]:
        """Map each method that a search compares to what it varies of it."""
        return {
            method: self._space_of(method) for method in self.tune.methods or (self.adapter.type,)
        }

    def _space_of(self, method: Method) -> dict[str, SearchRange]:
        """Return the ranges of a method, without the keys of `tune.space` that it lacks."""
        space, is_default = self.tune.space, "space" not in self.tune.model_fields_set
        # A range that the user gave for a key that no method has is a mistake, which must not be
        # hidden: the search refuses it.
        if is_default or len(self.tune.methods) > 1:
            others = [each for each in self.tune.methods if each != method]
            elsewhere = {key for each in others for key in keys_of(each)}
            known = keys_of(method)
            space = {
                key: searched
                for key, searched in space.items()
                if not key.startswith("adapter.")
                or key in known
                or not (is_default or key in elsewhere)
            }
        if is_default and method == NoAdapter().type:
            space = space | {"training.learning_rate": FULL_FINE_TUNING_RATES}
        space = {**space, **self.tune.method_space.get(method, {})}
        # With it, the settings of a trial say which method they are of.
        return {"adapter.type": Choice(values=(method,)), **space} if self.tune.methods else space

    def settings(self, *prefixes: str) -> dict[str, Any]:
        """Map the dotted key of every setting below the given keys to its plain value."""
        flat = flatten(self.model_dump(mode="json"))
        wanted = frozenset(prefixes)
        return {
            key: value
            for key, value in sorted(flat.items())
            if not wanted.isdisjoint(_with_parents(key))
        }

    def digest(self) -> str:
        """Compute twelve hexadecimal digits that identify all settings."""
        return digest_of(self.model_dump(mode="json"))


def _with_parents(key: str) -> Iterator[str]:
    """Yield a dotted key and every key that it is below."""
    while key:
        yield key
        key = key.rpartition(".")[0]


def digest_of(value: object) -> str:
    """Compute twelve hexadecimal digits that identify a plain value."""
    # Sorted keys give equal values the same text.
    text = json.dumps(value, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:12]
