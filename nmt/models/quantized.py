"""A frozen base in 4 bits, ready for a low-rank adapter.

PEFT's own preparation turns every weight that is not quantized to fp32; NLLB's embedding is the
largest of them, and the memory that 4 bits saved is lost. Here it stays as it was loaded.
"""

from importlib.util import find_spec

import torch
from torch import Tensor, nn
from transformers import BitsAndBytesConfig, PreTrainedModel

from nmt.config import QloraAdapter
from nmt.errors import MissingPackageError, install_command

_REPACKS = "support_avx512bf16_for_cpu"
_PRECISIONS = {"bf16": torch.bfloat16, "fp32": torch.float32}


def compute_dtype(adapter: QloraAdapter) -> torch.dtype:
    """Number format of the matrix products, and of the weights that are not quantized."""
    return _PRECISIONS[adapter.compute_precision]


def quantization_config(adapter: QloraAdapter) -> BitsAndBytesConfig:
    """The setting as transformers takes it.

    Raises:
        MissingPackageError: bitsandbytes is not installed.
    """
    if find_spec("bitsandbytes") is None:
        raise MissingPackageError(
            f"adapter.type=qlora needs the package 'bitsandbytes': {install_command('gpu')}, "
            "or set adapter.type=lora"
        )
    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type=adapter.quantization,
        bnb_4bit_use_double_quant=adapter.double_quantization,
        bnb_4bit_compute_dtype=compute_dtype(adapter),
    )


def freeze_quantized(model: PreTrainedModel) -> PreTrainedModel:
    """Freeze everything and normalize in fp32; the rest keeps its number format."""
    model.requires_grad_(False)
    for module in model.modules():
        if hasattr(module, _REPACKS):
            # On some CPUs a validation would bring the weights into a layout that has no gradient.
            setattr(module, _REPACKS, False)
        if isinstance(module, nn.LayerNorm):
            module.float()
            module.register_forward_pre_hook(_to_weight_dtype)
    head = model.get_output_embeddings()
    if isinstance(head, nn.Linear):
        head.register_forward_pre_hook(_to_weight_dtype)
    return model


def _to_weight_dtype(module: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """Search runs without autocast, where a GPU refuses mixed number formats."""
    weight = module.get_parameter("weight")
    return (inputs[0].to(weight.dtype), *inputs[1:])
