"""Which layers of a model an adapter changes."""

from torch import nn
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from nmt.errors import ModelError

_ROUTERS = ("router", "gate")
_KEYS_AND_VALUES = ("k_proj", "v_proj", "k", "v")
_FEED_FORWARD_OUTPUTS = ("fc2", "wo", "down_proj")


def linear_layers(model: PreTrainedModel) -> dict[str, nn.Linear | Conv1D]:
    """Path -> linear layer inside the encoder and decoder blocks; GPT-2's are `Conv1D`.

    Blocks are the members of a list, so the output head is none; routers of a mixture of experts
    are left out, since an update of them moves tokens to experts that never saw their like.
    """
    return {
        path: module
        for path, module in model.named_modules()
        if isinstance(module, nn.Linear | Conv1D) and _in_block(path)
    }


def _in_block(path: str) -> bool:
    parts = path.split(".")
    return any(part.isdigit() for part in parts) and not set(parts) & set(_ROUTERS)


def linear_names(model: PreTrainedModel) -> list[str]:
    """Last names of those layers, sorted."""
    return sorted({path.rpartition(".")[2] for path in linear_layers(model)})


def target_modules(model: PreTrainedModel, wanted: tuple[str, ...] | None) -> list[str]:
    """Names of the layers to adapt; every linear layer of the blocks when none is named.

    Raises:
        ModelError: the model has no layer of a wanted name.
    """
    check_names(model, "target_modules", wanted or ())
    return list(wanted or linear_names(model))


def check_names(model: PreTrainedModel, key: str, wanted: tuple[str, ...]) -> None:
    """Refuse names of no linear layer of the blocks: embeddings, norms, routers, the output.

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
    """The linear layers that have one of the names."""
    return [m for path, m in linear_layers(model).items() if path.rpartition(".")[2] in names]


def feed_forward_outputs(model: PreTrainedModel) -> dict[str, nn.Linear]:
    """Path -> second layer of each feed-forward block.

    Raises:
        ModelError: the model calls its layers by names unknown here.
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
    """Names of the layers that make the attention's keys and values."""
    return [name for name in linear_names(model) if name in _KEYS_AND_VALUES]
