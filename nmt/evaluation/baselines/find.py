"""The baselines that the settings name."""

from typing import Literal

from nmt.config import Config
from nmt.evaluation.baselines.few_shot import FewShotSystem
from nmt.evaluation.baselines.memory_system import MemorySystem, TrainingPairs
from nmt.evaluation.models import ModelSystem
from nmt.evaluation.system import System
from nmt.runs import layout
from nmt.runs.records import fetch_output, require
from nmt.runs.steps import PREPARE
from nmt.storage import Storage


def find_baselines(config: Config, storage: Storage, base: System) -> dict[str, System]:
    """Find the baselines of an evaluation.

    Args:
        config: all settings.
        storage: the storage root.
        base: the base of the run.

    Raises:
        MissingStepError: the run's data is not prepared.
        StorageError: the prepared data is missing or damaged.
    """
    names = config.evaluation.baselines
    if not names:
        return {}
    pairs = TrainingPairs(
        fetch_output(storage, layout.pairs(config.run)),
        require(storage, config.run, PREPARE).output,
        (config.data.source_language, config.data.target_language),
    )
    return {name: _find(name, pairs, base) for name in names}


def _find(
    name: Literal["memory", "few-shot", "retrieved"], pairs: TrainingPairs, base: System
) -> System:
    if name == "memory":
        return MemorySystem(pairs)
    if not isinstance(base, ModelSystem):
        raise TypeError(f"{type(base).__name__} is not a model that can be prompted")
    return FewShotSystem(base, pairs, name)
