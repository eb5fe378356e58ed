"""Number formats: of the matrix products, and of weights that are not trained."""

import torch

from nmt.config import Config


def pick_dtype(precision: str, device: torch.device) -> torch.dtype:
    """Number format of the matrix products: bf16 where asked, or where a GPU is fast at it."""
    automatic = device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
    if precision == "bf16" or (precision == "auto" and automatic):
        return torch.bfloat16
    return torch.float32


def base_dtype(config: Config, products: torch.dtype) -> torch.dtype:
    """Number format a base is loaded in: a frozen one in that of the products.

    What is trained stays in fp32: bf16 would round most of an update away.
    """
    return torch.float32 if config.adapter.type == "none" else products
