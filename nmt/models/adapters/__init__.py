"""Adapter methods, added, saved and attached by the same functions for every method."""

from nmt.models.adapters.build import add_adapter
from nmt.models.adapters.saved import attach, can_merge, is_adapter, merge, save_weights
from nmt.models.adapters.trainable import ADAPTED_MODELS, load_weights, trainable

__all__ = [
    "ADAPTED_MODELS",
    "add_adapter",
    "attach",
    "can_merge",
    "is_adapter",
    "load_weights",
    "merge",
    "save_weights",
    "trainable",
]
