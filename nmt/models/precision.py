"""The dtypes of matrix products and of loaded weights."""

import torch

from nmt.config import Config


def pick_dtype(precision: str, device: torch.device) -> torch.dtype:
    """Choose the dtype of matrix products from `training.precision` and the device."""
    # Emulated bf16 works on older GPUs, but is slower than fp32.
    automatic = device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
    if precision == "bf16" or (precision == "auto" and automatic):
        return torch.bfloat16
    return torch.float32


def base_dtype(config: Config, products: torch.dtype) -> torch.dtype:
    """Choose the dtype in which a base model's weights are loaded."""
    # Trained weights stay in fp32: bf16 would round most of each small update to nothing.
    # Frozen weights need only the precision of the products.
    return torch.float32 if config.adapter.type == "none" else products
