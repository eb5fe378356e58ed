"""Workers of a training and what each of them reserves."""

from typing import Self

from pydantic import Field, model_validator

from nmt.config.section import PositiveInt, Section


class ScalingConfig(Section):
    """Workers of a Ray Train run, and what each step may take."""

    workers: PositiveInt = 1
    """Training processes."""
    cpus_per_worker: float = Field(default=1, gt=0)
    """CPUs each worker reserves; also its number of threads."""
    gpus_per_worker: float = Field(default=0, ge=0, le=1)
    """GPU each worker reserves; of a part of one, several trials of a search share it."""
    max_failures: int = Field(default=3, ge=0)
    """Restarts of the worker group from the last checkpoint."""

    @model_validator(mode="after")
    def _one_gpu_each(self) -> Self:
        if self.workers > 1 and 0 < self.gpus_per_worker < 1:
            raise ValueError(
                f"gpus_per_worker ({self.gpus_per_worker}) must be 0 or 1 with several workers "
                f"({self.workers}): NCCL takes no two workers on one GPU"
            )
        return self
