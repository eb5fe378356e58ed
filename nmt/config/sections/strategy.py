"""How the model is spread over the workers."""

from typing import Literal

from pydantic import ValidationInfo, field_validator

from nmt.config.section import Section


class SingleStrategy(Section):
    """One process."""

    type: Literal["single"] = "single"


class DdpStrategy(Section):
    """Data parallel: each worker holds the model, gradients are summed.

    Source: Li et al. 2020, https://arxiv.org/abs/2006.15704
    """

    type: Literal["ddp"] = "ddp"


class DeepspeedStrategy(Section):
    """DeepSpeed ZeRO: optimizer state, gradients and weights are partitioned by stage.

    Source: Rajbhandari et al. 2019, https://arxiv.org/abs/1910.02054
    """

    type: Literal["deepspeed"] = "deepspeed"
    zero_stage: Literal[0, 1, 2, 3] = 2
    """0 none, 1 optimizer state, 2 and gradients, 3 and weights."""
    offload: bool = False
    """Keep the optimizer state in CPU memory."""

    @field_validator("zero_stage", mode="before")
    @classmethod
    def _number(cls, value: object) -> object:
        return int(value) if isinstance(value, str) and value.isdigit() else value

    @field_validator("offload")
    @classmethod
    def _has_partitions(cls, offload: bool, info: ValidationInfo) -> bool:
        if offload and info.data.get("zero_stage") == 0:
            raise ValueError("moves what zero_stage 1, 2 or 3 partitions, and zero_stage is 0")
        return offload


StrategyConfig = SingleStrategy | DdpStrategy | DeepspeedStrategy
DEFAULT_STRATEGY = SingleStrategy()
