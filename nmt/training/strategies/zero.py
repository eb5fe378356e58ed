"""DeepSpeed ZeRO: optimizer state, gradients and weights partitioned over the workers.

Source: https://deepspeed.readthedocs.io/en/latest/zero3.html
"""

import contextlib
import logging
import math
import os
from collections.abc import Iterator, Mapping
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from nmt.config import DeepspeedStrategy, TrainingConfig
from nmt.errors import MissingPackageError, install_command
from nmt.training.optim import (
    MOMENTS,
    build_optimizer,
    check_moments,
    make_moments,
    moments_of,
    restore_moments,
)
from nmt.training.strategies.strategy import Batch, Parameters
from nmt.training.strategies.workers import (
    gather_from_workers,
    talks_from_gpus,
    total_over_workers,
)

BUCKET_PARAMETERS = 50_000_000
"""Maximum number of gradients in one exchange. DeepSpeed's default of 500 million allocates 2 GB,
even for an adapter of a few million weights."""
LIVE_PARAMETERS = 100_000_000
"""Weights that stage 3 keeps gathered for their next use. DeepSpeed's default of a billion would
gather all of a small model, and partition nothing."""
PREFETCHED_PARAMETERS = 10_000_000
"""Weights that stage 3 gathers ahead of their use, in a buffer of their size."""


def gradient_bucket(trained: int) -> int:
    """Return the gradients in the exchange buffer, which DeepSpeed allocates in full."""
    return min(BUCKET_PARAMETERS, trained)


class Zero:
    """One worker's part of a DeepSpeed training."""

    # Moments are read and written through DeepSpeed's access to complete tensors. So a checkpoint
    # is the same as any other strategy's: independent of the number of workers and of the stage,
    # and without pickles, which DeepSpeed's own checkpoints are.

    def __init__(self, strategy: DeepspeedStrategy) -> None:
        self.rank = dist.get_rank()
        self.workers = dist.get_world_size()
        self._strategy = strategy
        self._engine: Any = None

    def begin(self, module: nn.Module, parameters: Parameters, training: TrainingConfig) -> None:
        """Give module and optimizer to DeepSpeed, which partitions them."""
        deepspeed = import_deepspeed()
        self._parameters = parameters
        self._model_parameters = list(module.parameters())
        self._training = training
        self._engine, *_ = deepspeed.initialize(
            model=module,
            model_parameters=list(parameters.values()),
            optimizer=build_optimizer(parameters, training),
            config=self._settings(),
        )
        if self._strategy.zero_stage == 3:
            # The loss multiplies by the head outside of the head's own forward pass.
            for parameter in module.head_parameters():  # pyright: ignore[reportCallIssue]
                deepspeed.zero.register_external_parameter(module, parameter)
        if self._strategy.zero_stage > 0:
            self._make_states()
        else:
            make_moments(self._engine.optimizer)

    def restore(self, moments: Mapping[str, Tensor], step: int) -> None:
        """Restore the moments into the partitions."""
        if self._strategy.zero_stage == 0:
            restore_moments(self._engine.optimizer, self._parameters, moments, step)
            return
        check_moments(self._parameters, moments)
        for state in self._engine.optimizer.optimizer.state.values():
            state["step"].fill_(float(step))
        from deepspeed.utils import safe_set_full_optimizer_state, safe_set_local_optimizer_state

        for name, parameter in self._parameters.items():
            for kind in MOMENTS:
                value = moments[f"{kind}/{name}"].to(self._engine.device)
                if self._strategy.zero_stage == 3:
                    safe_set_local_optimizer_state(
                        parameter, self._own_part(parameter, value), kind
                    )
                else:
                    safe_set_full_optimizer_state(parameter, value, kind)

    def backward(self, batch: Batch, weight: float, last: bool) -> Tensor:
        """Run the engine forward and backward; it exchanges gradients as the stage needs."""
        self._engine.set_gradient_accumulation_boundary(last)
        loss = self._engine(batch)
        self._engine.backward(loss * weight)
        return loss.detach()

    def step(self, learning_rate: float) -> float:
        """Let DeepSpeed clip, update and clear the gradients, and return their norm."""
        # Without partitions DeepSpeed does not check the norm before the update.
        norm = None
        if self._strategy.zero_stage == 0:
            gradients = [p.grad for p in self._parameters.values() if p.grad is not None]
            norm = float(nn.utils.get_total_norm(gradients))
            if not math.isfinite(norm):
                self.drop_gradients()
                return norm
        for group in self._engine.optimizer.param_groups:
            group["lr"] = learning_rate
        self._engine.set_gradient_accumulation_boundary(True)
        self._engine.step()
        return float(norm if norm is not None else self._engine.get_global_grad_norm())

    def drop_gradients(self) -> None:
        """Clear what the engine has gathered."""
        zero = self._engine.optimizer
        zero.zero_grad()
        if self._strategy.zero_stage in (1, 2):
            # The next micro-batch's gradients would be added to those in CPU memory.
            from deepspeed.runtime.zero.stage_1_and_2 import INITIAL_MICRO_STEP_ID

            zero.micro_step_id = INITIAL_MICRO_STEP_ID
            zero.reset_cpu_buffers()

    def moments(self) -> dict[str, Tensor]:
        """Gather the complete moments on all workers; rank 0 keeps them, in CPU memory."""
        if self._strategy.zero_stage == 0:
            return moments_of(self._engine.optimizer, self._parameters)
        from deepspeed.utils import safe_get_full_optimizer_state

        whole: dict[str, Tensor] = {}
        for name, parameter in self._parameters.items():
            for kind in MOMENTS:
                value = safe_get_full_optimizer_state(parameter, kind)
                if self.rank == 0 and value is not None:
                    whole[f"{kind}/{name}"] = value.cpu().contiguous()
        return whole

    @contextlib.contextmanager
    def gathered_weights(self) -> Iterator[None]:
        """Gather what stage 3 has partitioned; its hooks would give it back layer by layer."""
        if self._engine is None or self._strategy.zero_stage < 3:
            yield
            return
        deepspeed = import_deepspeed()
        offload = self._engine.optimizer.parameter_offload
        with deepspeed.zero.GatheredParameters(self._model_parameters):
            offload._remove_module_hooks()
            offload.forward_hooks, offload.backward_hooks = [], []
            try:
                yield
            finally:
                offload.setup_zero_stage3_hooks()

    def total(self, values: Tensor) -> Tensor:
        """Sum the values over the workers."""
        return total_over_workers(values)

    def gather(self, item: object) -> list[Any]:
        """Return one item of each worker, by rank."""
        return gather_from_workers(item)

    def _settings(self) -> dict[str, Any]:
        trained = sum(parameter.numel() for parameter in self._parameters.values())
        zero: dict[str, Any] = {
            "stage": self._strategy.zero_stage,
            "reduce_bucket_size": gradient_bucket(trained),
            "allgather_bucket_size": BUCKET_PARAMETERS,
            "stage3_max_live_parameters": LIVE_PARAMETERS,
            "stage3_max_reuse_distance": LIVE_PARAMETERS,
            "stage3_prefetch_bucket_size": PREFETCHED_PARAMETERS,
        }
        if self._strategy.offload and self._strategy.zero_stage > 0:
            zero["offload_optimizer"] = {"device": "cpu"}
        return {
            "train_micro_batch_size_per_gpu": 1,  # batches here are counted in tokens
            "gradient_accumulation_steps": 1,  # the loop says where a step ends
            "gradient_clipping": self._training.max_gradient_norm,
            "zero_optimization": zero,
            "zero_allow_untested_optimizer": True,
            "zero_force_ds_cpu_optimizer": False,  # torch's own needs no compiler on the worker
        }

    def _make_states(self) -> None:
        """Allocate the optimizer's state, as its first update would."""
        # DeepSpeed reads the state before that update. It would link the moments to the parameters
        # after the first group's update, when a second group has none yet.
        zero = self._engine.optimizer
        stage_3 = self._strategy.zero_stage == 3
        flats = (
            zero.fp32_partitioned_groups_flat if stage_3 else zero.single_partition_of_fp32_groups
        )
        for flat in flats:
            zero.optimizer.state[flat] = {
                "step": torch.zeros((), device=flat.device),
                **{kind: torch.zeros_like(flat) for kind in MOMENTS},
            }
        if not stage_3:
            zero._lazy_init_hp_params_optimizer_state()

    def _own_part(self, parameter: Any, value: Tensor) -> Tensor:  # noqa: ANN401 - DeepSpeed's
        """Return this worker's share of a tensor; the last share is padded with zeros."""
        size = parameter.ds_tensor.ds_numel
        padded = nn.functional.pad(value.flatten(), (0, size * self.workers - value.numel()))
        return padded[self.rank * size : (self.rank + 1) * size]


def import_deepspeed() -> Any:  # noqa: ANN401 - the module
    """Import DeepSpeed for this worker's device, without its compiled kernels.

    Raises:
        MissingPackageError: it is not installed.
    """
    accelerator = "cuda" if talks_from_gpus() else "cpu"
    os.environ.setdefault("DS_ACCELERATOR", accelerator)
    try:
        import deepspeed
    except ImportError:
        raise MissingPackageError(
            f"strategy.type=deepspeed needs DeepSpeed: {install_command('gpu')}"
        ) from None
    logging.getLogger("DeepSpeed").setLevel(logging.WARNING)
    if accelerator == "cpu":
        # Its shared-memory all-reduce would be compiled for a minute on a machine's first worker.
        deepspeed.ops.__compatible_ops__["deepspeed_shm_comm"] = False
    return deepspeed
