"""The strategy of this process, from its configuration."""

import torch.distributed as dist

from nmt.config import StrategyConfig
from nmt.errors import UnavailableError
from nmt.training.strategies.replicated import Ddp, Single
from nmt.training.strategies.strategy import Strategy


def build_strategy(strategy: StrategyConfig) -> Strategy:
    """Build the configured strategy in this process.

    Raises:
        UnavailableError: its process group is missing.
        MissingPackageError: DeepSpeed is not installed.
    """
    if strategy.type == "single":
        return Single()
    if not dist.is_initialized():
        raise UnavailableError(
            f"strategy.type={strategy.type} needs a process group: run it by `nmt train`"
        )
    if strategy.type == "ddp":
        return Ddp()
    from nmt.training.strategies.zero import Zero  # DeepSpeed takes seconds to import

    return Zero(strategy)
