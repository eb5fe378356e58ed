"""Each adapter method as a configuration of PEFT."""

from collections.abc import Callable
from typing import Any

from peft import (
    IA3Config,
    LoraConfig,
    OFTConfig,
    PeftConfig,
    PrefixTuningConfig,
    PromptTuningConfig,
)
from torch.nn import Linear
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from nmt.config import (
    AdapterConfig,
    Ia3Adapter,
    LoraAdapter,
    OftAdapter,
    PrefixAdapter,
    PromptAdapter,
    QloraAdapter,
)
from nmt.errors import ModelError
from nmt.models.adapters.targets import (
    check_names,
    feed_forward_outputs,
    keys_and_values,
    target_modules,
    targeted,
)
from nmt.models.families import WARM_START, family_of

# Exact singular vectors take minutes on a model of 600M parameters. 16 iterations of the fast
# method differ from them by less than 1e-4.
_PISSA = "pissa_niter_16"


def peft_config(model: PreTrainedModel, adapter: AdapterConfig) -> PeftConfig:
    """Convert an adapter's settings to a PEFT configuration for a model.

    Raises:
        ModelError: the setting does not match the model's layers.
    """
    return _METHODS[adapter.type](model, adapter)


def _lora(model: PreTrainedModel, adapter: LoraAdapter | QloraAdapter) -> PeftConfig:
    """Configure LoRA, on a full-precision or a quantized base."""
    targets = target_modules(model, adapter.target_modules)
    return LoraConfig(
        task_type=family_of(model.config).task_type,
        r=adapter.rank,
        lora_alpha=adapter.alpha,  # pyright: ignore[reportArgumentType] - PEFT takes a float
        lora_dropout=adapter.dropout,
        target_modules=targets,
        bias="none",
        fan_in_fan_out=all(isinstance(layer, Conv1D) for layer in targeted(model, targets)),
        use_rslora=adapter.rank_stabilized,
        use_dora=adapter.decomposed,
        init_lora_weights=_initialization(model, adapter, targets),
    )


def _initialization(
    model: PreTrainedModel, adapter: LoraAdapter | QloraAdapter, targets: list[str]
) -> Any:  # noqa: ANN401 - PEFT's literal
    """Choose the initialization, and refuse a rank that PiSSA cannot have."""
    # PiSSA changes the base weights, which a quantized base cannot follow exactly.
    if adapter.type == "qlora" or adapter.initialization == "zero":
        return True
    narrowest = min(min(layer.weight.shape) for layer in targeted(model, targets))
    if adapter.rank > narrowest:
        raise ModelError(
            f"adapter.rank={adapter.rank}: with adapter.initialization=pissa it must not exceed "
            f"the width of the narrowest adapted layer, {narrowest}: lower it"
        )
    return _PISSA


def _ia3(model: PreTrainedModel, adapter: Ia3Adapter) -> PeftConfig:
    """Configure (IA)3, which scales keys, values and inner feed-forward units."""
    check_names(model, "feedforward_modules", adapter.feedforward_modules or ())
    outputs = sorted({path.rpartition(".")[2] for path in feed_forward_outputs(model)})
    wanted = adapter.target_modules or (*keys_and_values(model), *outputs)
    targets = target_modules(model, wanted)
    inner = adapter.feedforward_modules
    if inner is None:
        inner = tuple(name for name in outputs if name in targets)
    not_targeted = sorted(set(inner) - set(targets))
    if not_targeted:
        raise ModelError(
            f"adapter.feedforward_modules: {', '.join(not_targeted)} is not among the target "
            f"modules ({', '.join(targets)}): add it to adapter.target_modules"
        )
    return IA3Config(
        task_type=family_of(model.config).task_type,
        target_modules=targets,
        feedforward_modules=list(inner),
    )


def _oft(model: PreTrainedModel, adapter: OftAdapter) -> PeftConfig:
    """Configure OFT, which rotates the inputs of linear layers in blocks."""
    targets = target_modules(model, adapter.target_modules)
    widths = [layer.in_features for layer in targeted(model, targets) if isinstance(layer, Linear)]
    if not widths:
        raise ModelError(
            f"adapter.type=oft: {type(model).__name__} has Conv1D layers, which PEFT's OFT does "
            "not support: use adapter.type=lora"
        )
    # PEFT would silently choose another block size.
    indivisible = [width for width in widths if width % adapter.block_size]
    if indivisible:
        raise ModelError(
            f"adapter.block_size={adapter.block_size} does not divide {indivisible[0]}, the input "
            "width of a layer: use a power of two that does"
        )
    return OFTConfig(
        task_type=family_of(model.config).task_type,
        target_modules=targets,
        oft_block_size=adapter.block_size,
        module_dropout=adapter.dropout,
    )


def _prefix(model: PreTrainedModel, adapter: PrefixAdapter) -> PeftConfig:
    """Configure prefix tuning for the model's decoder."""
    _refuse_encoder_pair(model, adapter.type)
    config: Any = model.config
    prefix = PrefixTuningConfig(
        task_type=family_of(config).task_type, num_virtual_tokens=adapter.virtual_tokens
    )
    # PEFT would take the encoder's sizes, but the prefixes belong to the decoder's layers.
    prefix.num_layers = _decoder_value(config, "decoder_layers", "num_decoder_layers")
    prefix.num_attention_heads = _decoder_value(config, "decoder_attention_heads")
    # The width of T5's heads is free. PEFT would divide the model's width by the number of heads.
    if hasattr(config, "d_kv"):
        prefix.token_dim = config.num_heads * config.d_kv
    return prefix


def _decoder_value(config: Any, *names: str) -> Any:  # noqa: ANN401 - any transformers config
    """Return the first of these values that a configuration has; None leaves it to PEFT."""
    return next((value for name in names if (value := getattr(config, name, None))), None)


def _prompt(model: PreTrainedModel, adapter: PromptAdapter) -> PeftConfig:
    """Configure prompt tuning for the model's input."""
    _refuse_encoder_pair(model, adapter.type)
    # PEFT looks the embeddings up itself, so an encoder that scales them in its forward pass would
    # skip the scaling.
    if getattr(model.get_encoder(), "embed_scale", 1.0) != 1.0:
        raise ModelError(
            f"adapter.type=prompt: {type(model).__name__} with scale_embedding=true does not "
            "scale the embeddings that PEFT passes to it: use adapter.type=prefix, or lora"
        )
    return PromptTuningConfig(
        task_type=family_of(model.config).task_type,
        num_virtual_tokens=adapter.virtual_tokens,
        num_transformer_submodules=1,  # with 2, PEFT would add a second half that it never reads
    )


def _refuse_encoder_pair(model: PreTrainedModel, method: str) -> None:
    """Refuse virtual tokens on a model whose encoder and decoder have different types."""
    if family_of(model.config) is WARM_START:
        raise ModelError(
            f"adapter.type={method}: PEFT cannot add virtual tokens to a model that combines "
            "an encoder and a decoder of different types: use adapter.type=none, or lora"
        )


_METHODS: dict[str, Callable[[PreTrainedModel, Any], PeftConfig]] = {
    "lora": _lora,
    "qlora": _lora,
    "ia3": _ia3,
    "oft": _oft,
    "prefix": _prefix,
    "prompt": _prompt,
}
