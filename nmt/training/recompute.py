"""Recomputing activations in the backward pass instead of keeping them.

Source: Chen et al. 2016, https://arxiv.org/abs/1604.06174
"""

from peft import PeftModel
from torch import nn

from nmt.errors import ModelError
from nmt.models.families import unwrap


def recompute_activations(model: nn.Module) -> nn.Module:
    """Make a model's layers keep only their inputs while it trains.

    Raises:
        ModelError: the architecture does not support it, or the adapter would be lost.
    """
    inner = unwrap(model)
    if not inner.supports_gradient_checkpointing:
        raise ModelError(
            f"training.gradient_checkpointing=true: {type(inner).__name__} does not support it: "
            "set it to false and lower training.micro_batch_tokens"
        )
    if isinstance(model, PeftModel) and model.active_peft_config.peft_type == "PREFIX_TUNING":
        # transformers would drop the cache that holds the prefix, and train on without it.
        raise ModelError(
            "training.gradient_checkpointing=true would lose the prefix of adapter.type=prefix: "
            "set it to false, or use adapter.type=lora"
        )
    inner.activation_checkpointing_enable({"use_reentrant": False})
    return model
