"""Settings of the forecast of memory, time and cost."""

from typing import Literal

from pydantic import Field

from nmt.config.section import Section


class PlanConfig(Section):
    """The hardware and prices that `nmt plan` calculates with; only it reads them."""

    gpu: Literal["t4", "l4", "a10g", "v100-32gb", "a100-40gb", "a100-80gb", "h100", "h200"] = (
        "a100-80gb"
    )
    """GPU of each worker."""
    price_per_hour: float | None = Field(default=None, gt=0)
    """Price of one GPU for one hour; `null`: show the cost in GPU-hours."""
    efficiency: float = Field(default=0.08, gt=0, le=1)
    """Share of the GPU's peak FLOPS that training reaches. On an H100 with micro-batches of 16,384
    tokens of a 600M model: 0.08 with LoRA, 0.06 with QLoRA, 0.19 for all weights."""
    link_gigabits_per_second: float = Field(default=100, gt=0)
    """Network bandwidth between two workers."""
