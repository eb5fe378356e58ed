"""Every setting of the system, as one frozen tree.

`load_config` reads it from YAML files and `key=value` words. Imports neither torch nor ray.
"""

from nmt.config.adapters import (
    AdapterConfig,
    BottleneckAdapter,
    Ia3Adapter,
    LoraAdapter,
    NoAdapter,
    OftAdapter,
    PrefixAdapter,
    PromptAdapter,
    QloraAdapter,
)
from nmt.config.data import CleaningConfig, DataConfig, PhrasebookConfig
from nmt.config.load import load_config
from nmt.config.model import ModelConfig
from nmt.config.outcome import EvaluationConfig, ExportConfig, ServingConfig
from nmt.config.planning import PlanConfig
from nmt.config.root import Config, StrategyConfig, digest_of
from nmt.config.tracking import TrackingConfig
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
    "BottleneckAdapter",
    "Choice",
    "CleaningConfig",
    "Config",
    "DataConfig",
    "DdpStrategy",
    "DeepspeedStrategy",
    "EvaluationConfig",
    "ExportConfig",
    "Ia3Adapter",
    "LoraAdapter",
    "ModelConfig",
    "NoAdapter",
    "OftAdapter",
    "PhrasebookConfig",
    "PlanConfig",
    "PrefixAdapter",
    "PromptAdapter",
    "QloraAdapter",
    "ScalingConfig",
    "SearchRange",
    "ServingConfig",
    "SingleStrategy",
    "StrategyConfig",
    "TrackingConfig",
    "TrainingConfig",
    "TuneConfig",
    "Uniform",
    "digest_of",
    "load_config",
]
