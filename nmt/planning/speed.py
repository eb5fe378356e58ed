"""Time of an optimizer update: arithmetic, optimizer and network, one after the other."""

from dataclasses import dataclass

from nmt.config import Config
from nmt.data.batches import largest_share
from nmt.planning.gpus import Gpu
from nmt.planning.memory import weight_bytes, zero_stage
from nmt.planning.shapes import TrainingShape

_FP32 = 4
_OPTIMIZER_BYTES = 28
"""Bytes per trained weight: weight, gradient and two moments are read, and all but the gradient
written, in fp32."""


@dataclass(frozen=True, slots=True)
class StepTime:
    """The seconds of one optimizer update, part by part."""

    compute_seconds: float
    optimizer_seconds: float
    communication_seconds: float

    @property
    def seconds(self) -> float:
        """Return the sum of all parts."""
        return self.compute_seconds + self.optimizer_seconds + self.communication_seconds


def step_time(
    config: Config, shape: TrainingShape, rows: int, gpu: Gpu, *, mixed: bool
) -> StepTime:
    """Estimate the time of an update.

    Args:
        config: `training`, `scaling`, `strategy`, `adapter` and `plan` are read.
        shape: the sizes of the model.
        rows: rows of maximum length in a micro-batch.
        gpu: the GPU of each worker.
        mixed: whether matrix products are in bf16.
    """
    workers = config.scaling.workers
    micro_batches, rows = largest_share(config.training.micro_batches_per_step, rows, workers)
    # The loss takes the head's number format, fp32 where it is trained, and rounds it to TF32.
    head_in_tf32 = mixed and shape.head_is_trained
    picoseconds = body_flops(shape, rows) / gpu.teraflops(mixed)
    picoseconds += head_flops(shape, rows) / (
        gpu.tf32_teraflops if head_in_tf32 else gpu.teraflops(mixed)
    )
    partitions = workers if zero_stage(config) else 1
    # The optimizer does little arithmetic: its time is that of reading and writing memory.
    moved = _OPTIMIZER_BYTES * shape.trained_parameters / partitions
    bits = 8 * _network_bytes(config, shape, micro_batches)
    return StepTime(
        compute_seconds=micro_batches * picoseconds / (1e12 * config.plan.efficiency),
        optimizer_seconds=moved / (gpu.bandwidth_gigabytes_per_second * 1e9),
        communication_seconds=bits / (config.plan.link_gigabits_per_second * 1e9),
    )


def body_flops(shape: TrainingShape, rows: int) -> float:
    """Count a micro-batch's operations in the forward and backward pass, without the head."""
    # A frozen weight needs the gradient of its input alone, a trained one also its own. Layers that
    # are recomputed run forward twice.
    passes = 3 if shape.trained_parameters > shape.frozen_parameters else 2
    return (passes + shape.recomputes_layers) * shape.forward_flops.at(rows)


def head_flops(shape: TrainingShape, rows: int) -> float:
    """Count the operations of the logits and of their gradients."""
    passes = 3 if shape.head_is_trained else 2
    return passes * 2 * shape.vocabulary * shape.width * rows * shape.target_tokens


def _network_bytes(config: Config, shape: TrainingShape, micro_batches: int) -> float:
    """Count the bytes that each worker sends in an update."""
    # Gradients are fp32 in any precision, and travel in a ring all-reduce. ZeRO-3 also gathers all
    # weights in each pass.
    workers = config.scaling.workers
    others = (workers - 1) / workers
    reduced = 2 * _FP32 * shape.trained_parameters * others
    if zero_stage(config) < 3:
        return reduced
    gathered = weight_bytes(config, shape)[0] * others
    return reduced + (2 + shape.recomputes_layers) * micro_batches * gathered
