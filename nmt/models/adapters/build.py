"""From a setting to a model with an adapter."""

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


def _all_trained(model: PreTrainedModel) -> PreTrainedModel:
    """Marian's positions are constants, though transformers loads them as parameters."""
    model.requires_grad_(True)
    for module in model.modules():
        if isinstance(module, MarianSinusoidalPositionalEmbedding):
            module.requires_grad_(False)
    return model


def add_adapter(model: PreTrainedModel, adapter: AdapterConfig, seed: int) -> nn.Module:
    """The model with what `adapter` trains marked as trainable; the same for the same seed.

    Raises:
        ModelError: the model's layers do not fit the setting.
    """
    if adapter.type == "none":
        return _all_trained(model)
    if adapter.type == "bottleneck":
        return add_bottlenecks(model, adapter.width, seed)
    torch.manual_seed(seed)
    adapted = get_peft_model(model, peft_config(model, adapter))
    if starts_from_pissa(adapted):
        keep_initial(adapted)
    count_unmasked_positions(adapted)
    return adapted
