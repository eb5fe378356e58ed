"""Optimizer, learning-rate schedules and the optimizer's state as named tensors."""

import math
from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn

from nmt.config import TrainingConfig
from nmt.errors import CheckpointError
from nmt.training.reused_memory import REUSED_MEMORY

MOMENTS = ("exp_avg", "exp_avg_sq")


def build_optimizer(
    parameters: Mapping[str, nn.Parameter], training: TrainingConfig
) -> torch.optim.AdamW:
    """Build AdamW without weight decay on biases and norms."""
    decayed = [p for p in parameters.values() if p.ndim > 1]
    others = [p for p in parameters.values() if p.ndim <= 1]
    groups = [
        {"params": decayed, "weight_decay": training.weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(
        [group for group in groups if group["params"]],
        lr=training.learning_rate,
        betas=(0.9, 0.98),
        fused=True,
    )


def learning_rate(training: TrainingConfig, step: int) -> float:
    """Return the learning rate of a step, counted from 0.

    Source: Vaswani et al. 2017, https://arxiv.org/abs/1706.03762 (inverse square root, eq. 3)
    """
    warmup, peak = training.warmup_steps, training.peak_at(step)
    if step < warmup:
        return peak * (step + 1) / warmup
    done = (step - warmup) / max(1, training.max_steps - warmup)
    match training.schedule:
        case "cosine":
            return peak * 0.5 * (1 + math.cos(math.pi * min(1.0, done)))
        case "linear":
            return peak * max(0.0, 1 - done)
        case "inverse_sqrt":
            return peak * math.sqrt(max(1, warmup) / max(1, step + 1))
        case "constant":
            return peak


def make_moments(optimizer: torch.optim.AdamW) -> None:
    """Allocate the optimizer's state up front."""
    # Else the first update would allocate it, and an out-of-memory error would come after the first
    # micro-batch, which could no longer be split.
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            optimizer.state[parameter] = {
                "step": torch.zeros((), device=parameter.device),
                **{kind: REUSED_MEMORY.zeros_like(parameter, kind) for kind in MOMENTS},
            }


def moments_of(
    optimizer: torch.optim.AdamW, parameters: Mapping[str, nn.Parameter]
) -> dict[str, Tensor]:
    """Return the moments of every parameter, by name."""
    return {
        f"{kind}/{name}": optimizer.state[parameter][kind].contiguous()
        for name, parameter in parameters.items()
        for kind in MOMENTS
    }


def restore_moments(
    optimizer: torch.optim.AdamW,
    parameters: Mapping[str, nn.Parameter],
    tensors: Mapping[str, Tensor],
    step: int,
) -> None:
    """Copy saved moments into the state that `make_moments` has made.

    Args:
        optimizer: the optimizer.
        parameters: its parameters, by name.
        tensors: the saved moments.
        step: number of steps that led to them.

    Raises:
        CheckpointError: a parameter has no saved moments.
    """
    check_moments(parameters, tensors)
    for name, parameter in parameters.items():
        state = optimizer.state[parameter]
        state["step"].fill_(float(step))
        for kind in MOMENTS:
            state[kind].copy_(tensors[f"{kind}/{name}"])


def check_moments(parameters: Iterable[str], tensors: Iterable[str]) -> None:
    """Check that there are saved moments for all trained parameters.

    Raises:
        CheckpointError: a parameter has no saved moments.
    """
    needed = {f"{kind}/{name}" for name in parameters for kind in MOMENTS}
    if missing := sorted(needed.difference(tensors)):
        raise CheckpointError(f"optimizer.safetensors does not contain {missing[0]}")
