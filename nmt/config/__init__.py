"""Every setting of the system, as one frozen tree.

`load_config` reads it from YAML files and `key=value` words. Imports neither torch nor ray.
"""

from nmt.config.data import CleaningConfig, DataConfig, PhrasebookConfig
from nmt.config.load import load_config
from nmt.config.model import LoraAdapter, ModelConfig, NoAdapter, QloraAdapter
from nmt.config.outcome import EvaluationConfig, ExportConfig, ServingConfig
from nmt.config.root import AdapterConfig, Config, StrategyConfig, digest_of
from nmt.config.training import (
    DdpStrategy,
    DeepspeedStrategy,
    ScalingConfig,
    SingleStrategy,
    TrainingConfig,
)
from nmt.config.tuning import Choice, SearchRange, TuneConfig, Uniform

__all__ = [
    "AdapterConfig",
    "Choice",
    "CleaningConfig",
    "Config",
    "DataConfig",
    "DdpStrategy",
    "DeepspeedStrategy",
    "EvaluationConfig",
    "ExportConfig",
    "LoraAdapter",
    "ModelConfig",
    "NoAdapter",
    "PhrasebookConfig",
    "QloraAdapter",
    "ScalingConfig",
    "SearchRange",
    "ServingConfig",
    "SingleStrategy",
    "StrategyConfig",
    "TrainingConfig",
    "TuneConfig",
    "Uniform",
    "digest_of",
    "load_config",
]
