"""What is trained of a model: everything, or a low-rank update of its linear layers."""

from pathlib import Path

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from torch import Tensor, nn
from transformers import PreTrainedModel

from nmt.config import AdapterConfig, LoraAdapter
from nmt.errors import ModelError, UnavailableError


def add_adapter(model: PreTrainedModel, adapter: AdapterConfig, seed: int) -> nn.Module:
    """The model with what `adapter` trains marked as trainable; the same for the same seed.

    Raises:
        ModelError: no layer has one of the adapter's target names.
        UnavailableError: the adapter type is not available yet.
    """
    if adapter.type == "none":
        return model.requires_grad_(True)
    if adapter.type == "qlora":
        raise UnavailableError("adapter.type=qlora is not available yet: use adapter.type=lora")
    names = {name.rpartition(".")[2] for name, _ in model.named_modules()}
    missing = sorted(set(adapter.target_modules) - names)
    if missing:
        linear = sorted(
            {n.rpartition(".")[2] for n, m in model.named_modules() if isinstance(m, nn.Linear)}
        )
        raise ModelError(
            f"adapter.target_modules: the model has no layer named {', '.join(missing)}; "
            f"its linear layers: {', '.join(linear)}"
        )
    torch.manual_seed(seed)
    return get_peft_model(model, lora_config(adapter))


def lora_config(adapter: LoraAdapter) -> LoraConfig:
    """The setting in PEFT's terms."""
    return LoraConfig(
        task_type="SEQ_2_SEQ_LM",
        r=adapter.rank,
        lora_alpha=adapter.alpha,  # pyright: ignore[reportArgumentType] - PEFT takes a float
        lora_dropout=adapter.dropout,
        target_modules=list(adapter.target_modules),
        bias="none",
    )


def plain(model: nn.Module) -> PreTrainedModel:
    """The transformers model inside a PEFT wrapper, its adapter still in place."""
    inner = model.get_base_model() if isinstance(model, PeftModel) else model
    if not isinstance(inner, PreTrainedModel):
        raise TypeError(f"{type(inner).__name__} is no transformers model")
    return inner


def trainable(model: nn.Module) -> dict[str, nn.Parameter]:
    """Name -> parameter of everything that is trained, in the model's order."""
    return {name: p for name, p in model.named_parameters() if p.requires_grad}


def save_weights(model: nn.Module, folder: Path) -> None:
    """Write what was trained as safetensors: a PEFT folder, or a whole transformers model."""
    if isinstance(model, PeftModel):
        model.save_pretrained(str(folder), safe_serialization=True)
        (folder / "README.md").unlink(missing_ok=True)  # PEFT's empty template
    else:
        plain(model).save_pretrained(folder)


def load_weights(model: nn.Module, tensors: dict[str, Tensor]) -> None:
    """Copy saved values into what is trained.

    Raises:
        ModelError: a name is missing or has another shape.
    """
    parameters = trainable(model)
    missing = parameters.keys() - tensors.keys()
    if missing:
        raise ModelError(f"the checkpoint lacks {sorted(missing)[:3]} of {len(missing)} parameters")
    with torch.no_grad():
        for name, parameter in parameters.items():
            if parameter.shape != tensors[name].shape:
                raise ModelError(
                    f"{name}: shape {tuple(tensors[name].shape)} in the checkpoint, "
                    f"{tuple(parameter.shape)} in the model"
                )
            parameter.copy_(tensors[name])


def attach(base: PreTrainedModel, folder: Path) -> PreTrainedModel | PeftModel:
    """A base with a saved adapter, ready to translate."""
    return PeftModel.from_pretrained(base, str(folder)).eval()


def is_adapter(folder: Path) -> bool:
    """Whether a folder of trained weights holds an adapter rather than a whole model."""
    return (folder / "adapter_config.json").is_file()
