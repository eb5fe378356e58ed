"""LoRA initialized with the principal singular vectors (PiSSA), saved for the original base.

PEFT subtracts the initial update B0 A0 from the base weights. The trained model therefore equals
the original base with the LoRA `[B, -B0] [A; A0]`, which has twice the rank.

Source: Meng et al. 2024, https://arxiv.org/abs/2404.02948 (appendix C)
"""

from copy import deepcopy
from pathlib import Path

import torch
from peft import LoraConfig, PeftModel, get_peft_model_state_dict
from safetensors.torch import save_file
from torch import Tensor

_INITIAL = "initial_update"


def starts_from_pissa(model: PeftModel) -> bool:
    """Tell whether an adapter was initialized by PiSSA, which changes the base weights."""
    return str(getattr(model.active_peft_config, "init_lora_weights", "")).startswith("pissa")


def keep_initial(model: PeftModel) -> None:
    """Store the initial update, before training changes it."""
    # An attribute instead of buffers: DDP would broadcast buffers with every step.
    state = get_peft_model_state_dict(model)
    setattr(model, _INITIAL, {name: value.detach().cpu().clone() for name, value in state.items()})


def save_as_lora(model: PeftModel, folder: Path) -> None:
    """Write a LoRA for the original base."""
    initial: dict[str, Tensor] = getattr(model, _INITIAL)
    state = get_peft_model_state_dict(model)
    tensors = {name: _combine(name, v.detach().cpu(), initial[name]) for name, v in state.items()}
    folder.mkdir(parents=True, exist_ok=True)
    save_file(tensors, folder / "adapter_model.safetensors", metadata={"format": "pt"})
    _double_rank(model.active_peft_config).save_pretrained(str(folder))


def _combine(name: str, now: Tensor, initial: Tensor) -> Tensor:
    """Join a trained LoRA matrix and its initial value into one of twice the rank."""
    # B·A - B0·A0 = [B, -B0]·[A; A0]: the change since the start, as LoRA on the original weights.
    if "lora_A" in name:
        return torch.cat([now, initial.to(now)], dim=0)
    if "lora_B" in name:
        return torch.cat([now, -initial.to(now)], dim=1).contiguous()
    return now.clone()


def _double_rank(config: object) -> LoraConfig:
    """Double the rank of a LoRA configuration and keep its scale."""
    assert isinstance(config, LoraConfig)  # noqa: S101 - PiSSA is an initialization of LoRA
    doubled = deepcopy(config)
    doubled.r = 2 * config.r
    # LoRA scales by alpha / rank, rank-stabilized LoRA by alpha / sqrt(rank).
    doubled.lora_alpha = config.lora_alpha * (2**0.5 if config.use_rslora else 2)  # pyright: ignore[reportAttributeAccessIssue]
    doubled.init_lora_weights = True
    doubled.inference_mode = True
    return doubled
