"""A model's parameters, activations and arithmetic, from its configuration alone.

The real forward pass runs on the meta device, where tensors have shapes and no data.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode
from transformers import PreTrainedConfig
from transformers.modeling_layers import GradientCheckpointingLayer

from nmt.config import Config, LoraAdapter, ModelConfig
from nmt.models.adapters import add_adapter
from nmt.models.families import ENCODERS, family_of, unwrap
from nmt.models.load import patch_model
from nmt.models.model_config import find_model, load_model_config, without_layer_drop
from nmt.models.precision import base_dtype
from nmt.models.tiny import tiny_config
from nmt.models.warm_start import encoder_decoder_config
from nmt.planning.gpu_emulation import ATTENTION, GpuOperations, register_attention
from nmt.training.recompute import recompute_activations

_LANGUAGE_CODES = 2
"""Tokens that the tiny model's tokenizer has in addition to its vocabulary."""


@dataclass(frozen=True, slots=True)
class CostPerRow:
    """A cost that grows with the rows of a micro-batch: `fixed + rows * per_row`."""

    fixed: float
    per_row: float

    def at(self, rows: int) -> float:
        """Return the cost of `rows` rows."""
        return self.fixed + rows * self.per_row


@dataclass(frozen=True, slots=True)
class TrainingShape:
    """Sizes of one model with its adapter, and of one row at the longest source and target."""

    source_tokens: int
    target_tokens: int
    trained_parameters: int
    frozen_parameters: int
    frozen_bytes: int
    """Their weights as they are loaded; with qlora, as LoRA would load them."""
    quantizable_parameters: int
    """Parameters of the frozen linear layers, without the head."""
    largest_layer_parameters: int
    vocabulary: int
    width: int
    head_is_trained: bool
    recomputes_layers: bool
    """Whether the backward pass recomputes the activations."""
    activation_bytes: CostPerRow
    forward_flops: CostPerRow
    """Matrix products before the head, without those inside the attention."""

    @property
    def parameters(self) -> int:
        """Return the number of all parameters; shared ones count once."""
        return self.trained_parameters + self.frozen_parameters

    @property
    def row_tokens(self) -> int:
        """Return the padded tokens of the longest row, both sides."""
        return self.source_tokens + self.target_tokens


def training_shape(config: Config, *, mixed: bool) -> TrainingShape:
    """Measure the sizes that a configuration leads to.

    Args:
        config: `model`, `adapter` and `training.gradient_checkpointing` are read.
        mixed: matrix products in bf16.

    Raises:
        ModelError: the model or the adapter does not fit.
        UnavailableError: the hub cannot be reached.
    """
    model = _build(config, mixed)
    head, _ = family_of(unwrap(model).config).head(model)
    quantizable = _quantizable(model, head)

    def trace(rows: int) -> tuple[int, int]:
        quantized = quantizable if config.adapter.type == "qlora" else ()
        return _trace(model, rows, config.model, GpuOperations(mixed, quantized))

    one, two = trace(1), trace(2)
    activations = _cost_per_row(one[0], two[0])
    if config.training.gradient_checkpointing:
        activations = _with_recomputing(model, trace, activations)
    parameters = list(model.parameters())
    return TrainingShape(
        source_tokens=config.model.max_source_tokens,
        target_tokens=config.model.max_target_tokens,
        trained_parameters=sum(p.numel() for p in parameters if p.requires_grad),
        frozen_parameters=sum(p.numel() for p in parameters if not p.requires_grad),
        frozen_bytes=sum(p.nbytes for p in parameters if not p.requires_grad),
        quantizable_parameters=sum(w.numel() for w in quantizable),
        largest_layer_parameters=max(p.numel() for p in parameters),
        vocabulary=head.shape[0],
        width=head.shape[1],
        head_is_trained=head.requires_grad,
        recomputes_layers=config.training.gradient_checkpointing,
        activation_bytes=activations,
        forward_flops=_cost_per_row(one[1], two[1]),
    )


def _build(config: Config, mixed: bool) -> nn.Module:
    shape = _model_shape(config.model)
    # As in a training, which runs every layer in each pass.
    shape.update(without_layer_drop(shape))
    adapter = config.adapter
    if adapter.type in ("lora", "qlora"):
        # QLoRA trains the same matrices as LoRA; only the base is stored in another format.
        names = LoraAdapter.model_fields.keys() - {"type", "initialization"}
        adapter = LoraAdapter(**{name: getattr(adapter, name) for name in names})
    register_attention()
    with torch.device("meta"):
        model = family_of(shape).auto_class.from_config(
            shape,
            attn_implementation=ATTENTION,
            dtype=base_dtype(config, torch.bfloat16 if mixed else torch.float32),
        )
        patch_model(model)
        return add_adapter(model, adapter, config.seed).train()


def _model_shape(model: ModelConfig) -> PreTrainedConfig:
    if model.is_tiny:
        return tiny_config(model.vocabulary_size + _LANGUAGE_CODES)
    shape = load_model_config(find_model(model.name_or_path, model.revision))
    if shape.model_type not in ENCODERS:
        return shape
    paired = encoder_decoder_config(shape)
    # The step `base` takes them from the tokenizer; their values change no size.
    paired.pad_token_id = paired.decoder_start_token_id = 0
    return paired


def _quantizable(model: nn.Module, head: Tensor) -> list[Tensor]:
    linear = (module for module in model.modules() if isinstance(module, nn.Linear))
    return [m.weight for m in linear if not m.weight.requires_grad and m.weight is not head]


def _trace(
    model: nn.Module, rows: int, limits: ModelConfig, operations: GpuOperations
) -> tuple[int, int]:
    """Measure the bytes that the forward pass keeps for the backward pass, and its operations."""
    family = family_of(unwrap(model).config)
    widths = limits.max_source_tokens, limits.max_target_tokens
    if family.decoder_only:
        # Source and target are one sequence, of which each token has a label.
        widths = (sum(widths),) * 2
    source, labels = (torch.zeros(rows, width, dtype=torch.long, device="meta") for width in widths)
    batch = {"input_ids": source, "attention_mask": torch.ones_like(source), "labels": labels}
    with (
        FlopCounterMode(display=False) as flops,
        saved_storages(model.parameters()) as saved,
        operations,
    ):
        hidden = family.hidden_states(model, batch)
    kept = sum(storage.nbytes() for storage in saved.values())
    # The loss, which is not traced, keeps the hidden states.
    return kept + hidden.untyped_storage().nbytes(), flops.get_total_flops()


def _with_recomputing(
    model: nn.Module, trace: Callable[[int], tuple[int, int]], all_activations: CostPerRow
) -> CostPerRow:
    """Measure the activations of a model that recomputes its layers in the backward pass."""
    # All layers keep their inputs. One layer at a time has all of its activations again.
    layers = sum(isinstance(module, GradientCheckpointingLayer) for module in model.modules())
    recompute_activations(model)
    one, two = trace(1)[0], trace(2)[0]
    kept = _cost_per_row(one, two)
    return CostPerRow(
        fixed=kept.fixed + (all_activations.fixed - kept.fixed) / layers,
        per_row=kept.per_row + (all_activations.per_row - kept.per_row) / layers,
    )


@contextmanager
def saved_storages(
    parameters: Iterable[Tensor],
) -> Iterator[dict[int, torch.UntypedStorage]]:
    """Collect the distinct storages that autograd keeps, without those of the parameters."""
    # Several tensors can be views of one storage, which takes its memory only once. The memory of
    # the parameters is counted as weights.
    known = {p.untyped_storage()._cdata for p in parameters}
    saved: dict[int, torch.UntypedStorage] = {}

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage._cdata not in known:
            saved[storage._cdata] = storage
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        yield saved


def _cost_per_row(one: float, two: float) -> CostPerRow:
    """Derive the cost from its values for one row and for two rows."""
    return CostPerRow(fixed=max(0.0, 2 * one - two), per_row=two - one)


def rows_of(shape: TrainingShape, micro_batch_tokens: int) -> int:
    """Count the rows of maximum length that fit into a token budget."""
    # A single row that exceeds the budget is a batch too.
    return max(1, math.floor(micro_batch_tokens / shape.row_tokens))
