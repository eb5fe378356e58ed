"""Memory of one GPU while it trains, part by part.

The sum assumes that all parts are used at once. With one micro-batch an update needs less, since
gradients are allocated while activations are freed.
"""

from dataclasses import asdict, dataclass

from nmt.config import Config
from nmt.data.batches import largest_share
from nmt.planning.gpus import Gpu
from nmt.planning.shapes import TrainingShape
from nmt.training.loss import rows_at_once
from nmt.training.strategies.zero import LIVE_PARAMETERS, PREFETCHED_PARAMETERS, gradient_bucket

GIB = 2**30
_FP32 = 4
_BLOCK = 64
_OUTER_BLOCK = 256
_LIVE_COPIES = 1.5
"""A chunk's logits in fp32, and once more in bf16, half the size, while they are cast."""
# One H100 needed less (benchmarks/results/on_gpu.json): 0.24 GiB for libraries beside the context,
# which was not measured, and 2 to 17 % of the tensors for fragmentation. No other GPU was measured.
_CONTEXT_GIB = 1.0
_RESERVE_SHARE = 0.06


@dataclass(frozen=True, slots=True)
class MemoryParts:
    """The memory of one GPU in GiB, part by part."""

    weights: float
    gradients: float
    optimizer: float
    activations: float
    loss: float
    quantization_constants: float
    gathered_weights: float
    """What ZeRO-3 needs beyond an update while a validation or a checkpoint gathers all weights."""
    reserve: float
    """CUDA context and libraries, error-correcting bits of GDDR, and fragmentation."""

    @property
    def tensors(self) -> float:
        """Return the sum without the reserve."""
        return self.total - self.reserve

    @property
    def total(self) -> float:
        """Return the sum of all parts."""
        return sum(asdict(self).values())


def memory_parts(config: Config, shape: TrainingShape, rows: int, gpu: Gpu) -> MemoryParts:
    """Estimate a worker's memory for its share of a micro-batch.

    Args:
        config: `training`, `scaling`, `strategy` and `adapter` are read.
        shape: the sizes of the model.
        rows: rows of maximum length in a micro-batch.
        gpu: the GPU of the worker.
    """
    trained, stage = shape.trained_parameters, zero_stage(config)
    workers = config.scaling.workers
    _, rows = largest_share(config.training.micro_batches_per_step, rows, workers)
    weights, constants = weight_bytes(config, shape)
    per_weight = workers if stage >= 3 else 1
    gathered = _gathered_share(shape) * weights if per_weight > 1 else 0
    kept = _kept_by_quantized_layers(config, shape) if per_weight > 1 else 0
    bucket = gradient_bucket(trained) if stage else 0
    activations, loss = shape.activation_bytes.at(rows), _loss_bytes(shape, rows)
    # A validation or a checkpoint comes between updates, when this memory is free.
    only_in_updates = gathered + kept + activations + loss
    # DeepSpeed moves only a partitioned optimizer state to CPU memory.
    offloads = config.strategy.type == "deepspeed" and stage > 0 and config.strategy.offload
    # Two moments; DeepSpeed has a copy of the weights too, which it updates and copies back.
    states = 0 if offloads else 3 if stage else 2
    bytes_by_part = {
        "weights": weights / per_weight + gathered + kept,
        "gradients": _FP32 * (trained / (workers if stage >= 2 else 1) + bucket),
        "optimizer": states * _FP32 * trained / (workers if stage else 1),
        "activations": activations,
        "loss": loss,
        "quantization_constants": constants,  # which ZeRO-3 does not partition
        "gathered_weights": max(0, weights - only_in_updates) if per_weight > 1 else 0,
    }
    gib = {name: amount / GIB for name, amount in bytes_by_part.items()}
    return MemoryParts(**gib, reserve=_CONTEXT_GIB + _RESERVE_SHARE * gpu.memory_gib)


def zero_stage(config: Config) -> int:
    """Return the stage of ZeRO; 0 without DeepSpeed."""
    return config.strategy.zero_stage if config.strategy.type == "deepspeed" else 0


def _gathered_share(shape: TrainingShape) -> float:
    """Return the share of the weights that stage 3 holds gathered or is gathering."""
    gathered = min(shape.parameters, shape.largest_layer_parameters + LIVE_PARAMETERS)
    on_the_way = max(shape.largest_layer_parameters, PREFETCHED_PARAMETERS)
    return (gathered + min(shape.parameters, on_the_way)) / shape.parameters


def _kept_by_quantized_layers(config: Config, shape: TrainingShape) -> float:
    """Count the bytes of 4-bit weights that bitsandbytes keeps for the backward pass."""
    # ZeRO-3 frees gathered weights after each layer, but bitsandbytes still refers to them. A layer
    # that is recomputed refers to its weights only while it runs.
    if config.adapter.type != "qlora" or config.training.gradient_checkpointing:
        return 0
    return shape.quantizable_parameters / 2


def weight_bytes(config: Config, shape: TrainingShape) -> tuple[float, float]:
    """Return the bytes of the weights, and of the constants of those in 4 bits."""
    # Trained weights are in fp32, and a frozen base in the precision of the matrix products. Of a
    # base with 4-bit layers, the other weights are in the compute precision.
    trained, frozen = _FP32 * shape.trained_parameters, shape.frozen_parameters
    if config.adapter.type != "qlora":
        return trained + shape.frozen_bytes, 0.0
    quantized = shape.quantizable_parameters
    rest = (frozen - quantized) * (2 if config.adapter.compute_precision == "bf16" else _FP32)
    # Double quantization stores each constant in 8 bits, and one in fp32 for each outer block.
    double = config.adapter.double_quantization
    per_block = 1 + _FP32 / _OUTER_BLOCK if double else _FP32
    return trained + rest + quantized / 2, quantized / _BLOCK * per_block


def _loss_bytes(shape: TrainingShape, rows: int) -> float:
    """Count the bytes of a chunk's logits and of the gradients that the loss keeps."""
    # The gradient of the hidden states exists twice; a trained head has a gradient too.
    tokens = rows * shape.target_tokens
    logits = min(rows_at_once(shape.vocabulary), tokens) * shape.vocabulary * _FP32 * _LIVE_COPIES
    hidden = 2 * tokens * shape.width * _FP32
    head = shape.vocabulary * shape.width * _FP32 if shape.head_is_trained else 0
    return logits + hidden + head
