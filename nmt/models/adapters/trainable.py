"""The parameters of a model that are trained."""

import torch
from peft import PeftModel
from torch import Tensor, nn

from nmt.errors import ModelError
from nmt.models.adapters.bottleneck import BottleneckModel

ADAPTED_MODELS = (PeftModel, BottleneckModel)
"""Model classes whose adapter `disable_adapter()` switches off."""


def trainable(model: nn.Module) -> dict[str, nn.Parameter]:
    """Map names to the trained parameters, in the model's order."""
    return {name: p for name, p in model.named_parameters() if p.requires_grad}


def load_weights(model: nn.Module, tensors: dict[str, Tensor]) -> None:
    """Copy saved values into the trained parameters.

    Raises:
        ModelError: a name is missing or has another shape.
    """
    parameters = trainable(model)
    missing = parameters.keys() - tensors.keys()
    if missing:
        raise ModelError(
            f"the checkpoint lacks {len(missing)} parameters, such as {sorted(missing)[:3]}"
        )
    with torch.no_grad():
        for name, parameter in parameters.items():
            if parameter.shape != tensors[name].shape:
                raise ModelError(
                    f"{name}: shape {tuple(tensors[name].shape)} in the checkpoint, "
                    f"{tuple(parameter.shape)} in the model"
                )
            parameter.copy_(tensors[name])
