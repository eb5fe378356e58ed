"""The plan of a training: whether it fits, the largest micro-batch, and the cost."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from nmt.config import Config, QloraAdapter
from nmt.planning.gpus import GPUS, Gpu
from nmt.planning.memory import MemoryParts, memory_parts
from nmt.planning.shapes import TrainingShape, rows_of, training_shape
from nmt.planning.speed import StepTime, step_time

_MAX_ROWS = 1 << 16
_WORKERS = (2, 4, 8, 16, 32, 64)


@dataclass(frozen=True, slots=True)
class Plan:
    """The needs of a configuration on its GPU type."""

    gpu: Gpu
    workers: int
    precision: str
    trained_parameters: int
    parameters: int
    micro_batch_tokens: int
    rows: int
    """Rows of maximum length in one micro-batch."""
    memory: MemoryParts
    step: StepTime
    max_steps: int
    price_per_hour: float | None
    largest_micro_batch_tokens: int | None
    """None if not even one row fits."""
    changes: Mapping[str, Any]
    """Settings that make it fit; empty if it fits, or if nothing makes it fit."""

    @property
    def fits(self) -> bool:
        """Tell whether the GPU's memory is enough."""
        return _fits(self.memory, self.gpu)

    @property
    def gpu_hours(self) -> float:
        """Return the hours of all GPUs for `training.max_steps`, without validations."""
        return self.step.seconds * self.max_steps * self.workers / 3600

    def as_json(self) -> dict[str, Any]:
        """Return the plan as JSON values."""
        price = self.price_per_hour
        return {
            **asdict(self),
            "fits": self.fits,
            "memory": {**asdict(self.memory), "total": self.memory.total},
            "step": {**asdict(self.step), "seconds": self.step.seconds},
            "hours": self.gpu_hours / self.workers,
            "gpu_hours": self.gpu_hours,
            "cost": None if price is None else price * self.gpu_hours,
            "changes": dict(self.changes),
        }


def make_plan(config: Config) -> Plan:
    """Estimate memory, time and cost of a training from its settings.

    Raises:
        ModelError: the model or the adapter does not fit.
        UnavailableError: the hub cannot be reached.
    """
    gpu = GPUS[config.plan.gpu]
    # The model's configuration is enough for all of this: no weights are loaded.
    mixed = _is_mixed(config, gpu)
    shape = training_shape(config, mixed=mixed)
    rows = rows_of(shape, config.training.micro_batch_tokens)
    memory = memory_parts(config, shape, rows, gpu)
    largest = max_rows(config, shape, gpu)
    return Plan(
        gpu=gpu,
        workers=config.scaling.workers,
        precision="bf16" if mixed else "fp32",
        trained_parameters=shape.trained_parameters,
        parameters=shape.parameters,
        micro_batch_tokens=config.training.micro_batch_tokens,
        rows=rows,
        memory=memory,
        step=step_time(config, shape, rows, gpu, mixed=mixed),
        max_steps=config.training.max_steps,
        price_per_hour=config.plan.price_per_hour,
        largest_micro_batch_tokens=largest * shape.row_tokens or None,
        changes={} if _fits(memory, gpu) else _remedy(config, shape, largest, gpu),
    )


def _fits(memory: MemoryParts, gpu: Gpu) -> bool:
    return memory.total <= gpu.memory_gib


def max_rows(config: Config, shape: TrainingShape, gpu: Gpu) -> int:
    """Find the largest number of maximum-length rows in a micro-batch that fits; 0 if none does."""
    # A binary search, since memory grows with the rows.
    low, high = 0, _MAX_ROWS
    while low < high:
        middle = (low + high + 1) // 2
        if _fits(memory_parts(config, shape, middle, gpu), gpu):
            low = middle
        else:
            high = middle - 1
    return low


def _is_mixed(config: Config, gpu: Gpu) -> bool:
    if config.training.precision == "auto":
        return gpu.bf16_teraflops is not None
    return config.training.precision == "bf16"


def _remedy(config: Config, shape: TrainingShape, largest: int, gpu: Gpu) -> dict[str, Any]:
    """Find the smallest change that fits, or none."""
    if largest:
        return {"training.micro_batch_tokens": largest * shape.row_tokens}
    for changes in _candidates(config):
        changed = config.with_overrides(changes)
        # Tracing the model again is slow, and of the changes only an adapter changes its sizes.
        same = "adapter.type" not in changes
        new_shape = shape if same else training_shape(changed, mixed=_is_mixed(config, gpu))
        if rows := max_rows(changed, new_shape, gpu):
            if rows < rows_of(new_shape, config.training.micro_batch_tokens):
                changes["training.micro_batch_tokens"] = rows * new_shape.row_tokens
            return changes
    return {}


def _candidates(config: Config) -> Iterator[dict[str, Any]]:
    """Yield changes in the order of preference."""
    # A frozen base is stored in fewer bits before it is partitioned. Full fine-tuning is
    # partitioned before it is replaced by an adapter.
    if config.adapter.type == "lora":
        yield {"adapter.type": "qlora", **_kept_by_qlora(config)}
    for workers in sorted({n for n in (config.scaling.workers, *_WORKERS) if n > 1}):
        if workers < config.scaling.workers:  # never advise fewer than are set
            continue
        for stage in (1, 2, 3):
            yield {
                "strategy.type": "deepspeed",
                "strategy.zero_stage": stage,
                "scaling.workers": workers,
                **({"scaling.gpus_per_worker": 1} if config.scaling.gpus_per_worker else {}),
            }
    if config.adapter.type == "none":
        yield {"adapter.type": "lora"}
        yield {"adapter.type": "qlora"}


def _kept_by_qlora(config: Config) -> dict[str, Any]:
    """Return the keys set for LoRA that QLoRA has too."""
    # Another adapter type starts with its own defaults.
    shared = QloraAdapter.model_fields.keys() - {"type"}
    given = config.adapter.model_dump(mode="json", exclude_unset=True)
    return {f"adapter.{name}": value for name, value in given.items() if name in shared}
