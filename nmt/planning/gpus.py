"""GPU types, with the figures of their vendors."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Gpu:
    """One GPU type, with its rates for dense matrices."""

    name: str
    memory_gib: float
    bandwidth_gigabytes_per_second: float
    fp32_teraflops: float
    bf16_teraflops: float | None
    """None if the GPU has no bf16; training then runs in fp32."""

    def teraflops(self, mixed: bool) -> float:
        """Return the peak rate of matrix products, in bf16 or in fp32."""
        return self.bf16_teraflops or self.fp32_teraflops if mixed else self.fp32_teraflops

    @property
    def tf32_teraflops(self) -> float:
        """Return the peak rate of products of fp32 matrices rounded to TF32."""
        # Half of that in bf16 on each of these GPUs; those without bf16 have no TF32 either.
        return self.bf16_teraflops / 2 if self.bf16_teraflops else self.fp32_teraflops


# Sources, in the table's order (T4 and V100 have fp16 matrix units, which training does not use):
# https://www.nvidia.com/en-us/data-center/tesla-t4/
# https://www.nvidia.com/en-us/data-center/l4/
# https://d1.awsstatic.com/product-marketing/ec2/NVIDIA_AWS_A10G_DataSheet_FINAL_02_17_2022.pdf
# https://www.nvidia.com/en-us/data-center/v100/
# https://www.nvidia.com/en-us/data-center/a100/
# https://www.nvidia.com/en-us/data-center/h100/
# https://www.nvidia.com/en-us/data-center/h200/
GPUS: Mapping[str, Gpu] = {
    gpu.name: gpu
    for gpu in (
        Gpu("t4", 16, 300, 8.1, None),
        Gpu("l4", 24, 300, 30.3, 121),
        Gpu("a10g", 24, 600, 31.5, 70),
        Gpu("v100-32gb", 32, 900, 15.7, None),
        Gpu("a100-40gb", 40, 1555, 19.5, 312),
        Gpu("a100-80gb", 80, 2039, 19.5, 312),
        Gpu("h100", 80, 3350, 67, 989),
        Gpu("h200", 141, 4800, 67, 989),
    )
}
