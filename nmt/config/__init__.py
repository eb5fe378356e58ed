"""Every setting of the system, as one frozen tree.

`load_config` reads the tree from YAML files and `key=value` words. The package imports neither
torch nor ray.
"""

from nmt.config.load import LoadedConfig, load_config, load_with_user_set
from nmt.config.root import SEEDS, Config, digest_of
from nmt.config.sections.adapter import (
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
from nmt.config.sections.campaign import CampaignConfig
from nmt.config.sections.cleaning import CleaningConfig
from nmt.config.sections.data import CorpusConfig, DataConfig, PhrasebookConfig
from nmt.config.sections.evaluation import BASELINES, EvaluationConfig, SystemConfig, TestSetConfig
from nmt.config.sections.export import ExportConfig
from nmt.config.sections.gate import GateConfig
from nmt.config.sections.model import ModelConfig
from nmt.config.sections.plan import PlanConfig
from nmt.config.sections.provenance import ProvenanceConfig
from nmt.config.sections.rollout import RolloutConfig
from nmt.config.sections.scaling import ScalingConfig
from nmt.config.sections.serving import ServingConfig
from nmt.config.sections.strategy import (
    DdpStrategy,
    DeepspeedStrategy,
    SingleStrategy,
    StrategyConfig,
)
from nmt.config.sections.tracking import TrackingConfig
from nmt.config.sections.training import TrainingConfig
from nmt.config.sections.tune import Choice, SearchRange, TuneConfig, Uniform

__all__ = [
    "BASELINES",
    "SEEDS",
    "AdapterConfig",
    "BottleneckAdapter",
    "CampaignConfig",
    "Choice",
    "CleaningConfig",
    "Config",
    "CorpusConfig",
    "DataConfig",
    "DdpStrategy",
    "DeepspeedStrategy",
    "EvaluationConfig",
    "ExportConfig",
    "GateConfig",
    "Ia3Adapter",
    "LoadedConfig",
    "LoraAdapter",
    "ModelConfig",
    "NoAdapter",
    "OftAdapter",
    "PhrasebookConfig",
    "PlanConfig",
    "PrefixAdapter",
    "PromptAdapter",
    "ProvenanceConfig",
    "QloraAdapter",
    "RolloutConfig",
    "ScalingConfig",
    "SearchRange",
    "ServingConfig",
    "SingleStrategy",
    "StrategyConfig",
    "SystemConfig",
    "TestSetConfig",
    "TrackingConfig",
    "TrainingConfig",
    "TuneConfig",
    "Uniform",
    "digest_of",
    "load_config",
    "load_with_user_set",
]
