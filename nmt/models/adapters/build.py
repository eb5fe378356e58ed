"""A model prepared for training by an adapter method, or for training all of its weights."""

import torch
from peft import get_peft_model
from torch import nn
from transformers import PreTrainedModel
from transformers.models.marian.modeling_marian import MarianSinusoidalPositionalEmbedding

from nmt.config import AdapterConfig
from nmt.models.adapters.bottleneck import add_bottlenecks
from nmt.models.adapters.peft_methods import peft_config
from nmt.models.adapters.pissa import keep_initial, starts_from_pissa
from nmt.models.adapters.prompt_positions import count_unmasked_positions


def _train_all(model: PreTrainedModel) -> PreTrainedModel:
    """Make every weight of a model trainable."""
    model.requires_grad_(True)
    for module in model.modules():
        # Marian's positions are constants, although transformers loads them as parameters.
        if isinstance(module, MarianSinusoidalPositionalEmbedding):
            module.requires_grad_(False)
    return model


def add_adapter(model: PreTrainedModel, adapter: AdapterConfig, seed: int) -> nn.Module:
    """Add an adapter to a model, with new weights drawn from a seed, and freeze the rest.

    Raises:
        ModelError: the setting does not match the model's layers.
    """
    if adapter.type == "none":
        return _train_all(model)
    if adapter.type == "bottleneck":
        return add_bottlenecks(model, adapter.width, seed)
    torch.manual_seed(seed)
    adapted = get_peft_model(model, peft_config(model, adapter))
    if starts_from_pissa(adapted):
        keep_initial(adapted)
    count_unmasked_positions(adapted)
    return adapted
