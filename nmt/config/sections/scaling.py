"""Settings of the training workers."""

from typing import Self

from pydantic import Field, model_validator

from nmt.config.section import PositiveInt, Section


class ScalingConfig(Section):
    """The number of training workers, and what each of them reserves."""

    workers: PositiveInt = 1
    """Number of training processes."""
    cpus_per_worker: float = Field(default=1, gt=0)
    """CPUs that each worker reserves; also its number of threads."""
    gpus_per_worker: float = Field(default=0, ge=0, le=1)
    """GPUs that each worker reserves; with a fraction, several trials of a search share a GPU."""
    max_failures: int = Field(default=3, ge=0)
    """How often a failed worker group is restarted from the last checkpoint."""

    @model_validator(mode="after")
    def _one_gpu_each(self) -> Self:
        if self.workers > 1 and 0 < self.gpus_per_worker < 1:
            raise ValueError(
                f"gpus_per_worker ({self.gpus_per_worker}) must be 0 or 1 with several workers "
                f"({self.workers}): NCCL does not allow two workers on one GPU"
            )
        return self
