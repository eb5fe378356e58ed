"""A frozen base in 4 bits, ready for a low-rank adapter.

Source: Dettmers et al. 2023, https://arxiv.org/abs/2305.14314 (QLoRA)
"""

from importlib.util import find_spec

import torch
from torch import Tensor, nn
from transformers import BitsAndBytesConfig, PreTrainedModel

from nmt.config import QloraAdapter
from nmt.errors import MissingPackageError, install_command

_CPU_REPACKING = "support_avx512bf16_for_cpu"
_DTYPES = {"bf16": torch.bfloat16, "fp32": torch.float32}


def compute_dtype(adapter: QloraAdapter) -> torch.dtype:
    """Return the dtype of matrix products and of the weights that are not quantized."""
    return _DTYPES[adapter.compute_precision]


def quantization_config(adapter: QloraAdapter) -> BitsAndBytesConfig:
    """Convert the adapter's settings to those of transformers.

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
    """Freeze a quantized model and compute its layer norms in fp32."""
    # PEFT's own preparation converts every weight that is not quantized to fp32. NLLB's embedding
    # is the largest of them, and that would cost the memory that 4 bits saved. Here it keeps the
    # dtype in which it was loaded.
    model.requires_grad_(False)
    for module in model.modules():
        if hasattr(module, _CPU_REPACKING):
            # On CPUs with AVX512-BF16 a validation would repack the weights into a layout that
            # has no gradient.
            setattr(module, _CPU_REPACKING, False)
        if isinstance(module, nn.LayerNorm):
            module.float()
            module.register_forward_pre_hook(_cast_to_weight_dtype)
    head = model.get_output_embeddings()
    if isinstance(head, nn.Linear):
        head.register_forward_pre_hook(_cast_to_weight_dtype)
    return model


def _cast_to_weight_dtype(module: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """Cast a layer's input to the dtype of its weight."""
    # Decoding runs without autocast, and a GPU refuses products of two dtypes.
    weight = module.get_parameter("weight")
    return (inputs[0].to(weight.dtype), *inputs[1:])
