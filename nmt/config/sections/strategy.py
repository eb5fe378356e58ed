"""Settings of the parallel training strategies."""

from typing import Literal

from pydantic import ValidationInfo, field_validator

from nmt.config.section import Section


class SingleStrategy(Section):
    """One process."""

    type: Literal["single"] = "single"


class DdpStrategy(Section):
    """Data parallelism: each worker holds the whole model, and gradients are summed.

    Source: Li et al. 2020, https://arxiv.org/abs/2006.15704
    """

    type: Literal["ddp"] = "ddp"


class DeepspeedStrategy(Section):
    """DeepSpeed ZeRO: optimizer state, gradients and weights are partitioned by stage.

    Source: Rajbhandari et al. 2019, https://arxiv.org/abs/1910.02054
    """

    type: Literal["deepspeed"] = "deepspeed"
    zero_stage: Literal[0, 1, 2, 3] = 2
    """What is partitioned. 0: nothing; 1: optimizer state; 2: also gradients; 3: also weights."""
    offload: bool = False
    """Keep the optimizer state in CPU memory."""

    @field_validator("zero_stage", mode="before")
    @classmethod
    def _number(cls, value: object) -> object:
        # Words of the command line are text, and a `Literal` of numbers does not convert text.
        return int(value) if isinstance(value, str) and value.isdigit() else value

    @field_validator("offload")
    @classmethod
    def _has_partitions(cls, offload: bool, info: ValidationInfo) -> bool:
        if offload and info.data.get("zero_stage") == 0:
            raise ValueError("needs zero_stage 1, 2 or 3, which partition the optimizer state")
        return offload


StrategyConfig = SingleStrategy | DdpStrategy | DeepspeedStrategy
DEFAULT_STRATEGY = SingleStrategy()
