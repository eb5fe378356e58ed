"""The layers of a model that an adapter changes."""

from torch import nn
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from nmt.errors import ModelError

_ROUTERS = ("router", "gate")
_KEYS_AND_VALUES = ("k_proj", "v_proj", "k", "v")
_FEED_FORWARD_OUTPUTS = ("fc2", "wo", "down_proj")


def linear_layers(model: PreTrainedModel) -> dict[str, nn.Linear | Conv1D]:
    """Map paths to the linear layers of the encoder and decoder blocks; GPT-2 has `Conv1D`."""
    return {
        path: module
        for path, module in model.named_modules()
        if isinstance(module, nn.Linear | Conv1D) and _in_block(path)
    }


def _in_block(path: str) -> bool:
    """Tell whether a path is in a block, and not part of a router."""
    # Blocks are members of a list, so their paths contain a number; the output head's does not.
    # Routers of a mixture of experts are excluded: changing them would send tokens to experts that
    # were not trained on such tokens.
    parts = path.split(".")
    return any(part.isdigit() for part in parts) and not set(parts) & set(_ROUTERS)


def linear_names(model: PreTrainedModel) -> list[str]:
    """List the last names of the linear layers, sorted."""
    return sorted({path.rpartition(".")[2] for path in linear_layers(model)})


def target_modules(model: PreTrainedModel, wanted: tuple[str, ...] | None) -> list[str]:
    """List the names of the layers to adapt: the wanted ones, or all linear layers of the blocks.

    Raises:
        ModelError: the model has no layer with a wanted name.
    """
    check_names(model, "target_modules", wanted or ())
    return list(wanted or linear_names(model))


def check_names(model: PreTrainedModel, key: str, wanted: tuple[str, ...]) -> None:
    """Refuse names that are not linear layers of the blocks, such as embeddings or the output.

    Raises:
        ModelError: names the model's linear layers.
    """
    known = linear_names(model)
    missing = sorted(set(wanted) - set(known))
    if missing:
        raise ModelError(
            f"adapter.{key}: the model's blocks have no linear layer named {', '.join(missing)}; "
            f"they have: {', '.join(known)}"
        )


def targeted(model: PreTrainedModel, names: list[str]) -> list[nn.Linear | Conv1D]:
    """List the linear layers that have one of the names."""
    return [m for path, m in linear_layers(model).items() if path.rpartition(".")[2] in names]


def feed_forward_outputs(model: PreTrainedModel) -> dict[str, nn.Linear]:
    """Map paths to the second layer of each feed-forward block.

    Raises:
        ModelError: the model uses other layer names.
    """
    found = {
        path: layer
        for path, layer in linear_layers(model).items()
        if isinstance(layer, nn.Linear) and path.rpartition(".")[2] in _FEED_FORWARD_OUTPUTS
    }
    if not found:
        raise ModelError(
            f"adapter.type: {type(model).__name__} has no feed-forward layer named "
            f"{' or '.join(_FEED_FORWARD_OUTPUTS)}: use adapter.type=lora"
        )
    return found


def keys_and_values(model: PreTrainedModel) -> list[str]:
    """List the names of the layers that compute the attention's keys and values."""
    return [name for name in linear_names(model) if name in _KEYS_AND_VALUES]
