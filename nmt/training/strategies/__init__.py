"""Strategies: how the workers of a run share the model, the gradients and the optimizer."""

from nmt.training.strategies.build import build_strategy
from nmt.training.strategies.replicated import Ddp, Single
from nmt.training.strategies.strategy import Batch, Parameters, Strategy
from nmt.training.strategies.workers import pick_device

__all__ = ["Batch", "Ddp", "Parameters", "Single", "Strategy", "build_strategy", "pick_device"]
