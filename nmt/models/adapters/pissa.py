"""LoRA that starts from the principal singular vectors, saved so that the plain base takes it.

PEFT subtracts the initial update from the base weights. With A0 and B0 kept, what was trained is
the LoRA `[B, -B0] [A; A0]` of twice the rank on the base as it was.

Source: Meng et al. 2024, https://arxiv.org/abs/2404.02948 (appendix C)
"""

from copy import deepcopy
from pathlib import Path

import torch
from peft import LoraConfig, PeftModel, get_peft_model_state_dict
from safetensors.torch import save_file
from torch import Tensor

_KEPT = "initial_update"


def starts_from_pissa(model: PeftModel) -> bool:
    """Whether the base weights below the adapter were changed at its start."""
    return str(getattr(model.active_peft_config, "init_lora_weights", "")).startswith("pissa")


def keep_initial(model: PeftModel) -> None:
    """Remember the update that the base weights now lack; call it before the first step."""
    # No buffers: they would be exchanged between workers with every step.
    state = get_peft_model_state_dict(model)
    setattr(model, _KEPT, {name: value.detach().cpu().clone() for name, value in state.items()})


def save_as_lora(model: PeftModel, folder: Path) -> None:
    """Write a LoRA for the plain base."""
    initial: dict[str, Tensor] = getattr(model, _KEPT)
    state = get_peft_model_state_dict(model)
    tensors = {name: _joined(name, v.detach().cpu(), initial[name]) for name, v in state.items()}
    folder.mkdir(parents=True, exist_ok=True)
    save_file(tensors, folder / "adapter_model.safetensors", metadata={"format": "pt"})
    _doubled(model.active_peft_config).save_pretrained(str(folder))


def _joined(name: str, now: Tensor, initial: Tensor) -> Tensor:
    if "lora_A" in name:
        return torch.cat([now, initial.to(now)], dim=0)
    if "lora_B" in name:
        return torch.cat([now, -initial.to(now)], dim=1).contiguous()
    return now.clone()


def _doubled(config: object) -> LoraConfig:
    """The same scale at twice the rank."""
    assert isinstance(config, LoraConfig)  # noqa: S101 - only LoRA starts so
    doubled = deepcopy(config)
    doubled.r = 2 * config.r
    doubled.lora_alpha = config.lora_alpha * (2**0.5 if config.use_rslora else 2)  # pyright: ignore[reportAttributeAccessIssue]
    doubled.init_lora_weights = True
    doubled.inference_mode = True
    return doubled
