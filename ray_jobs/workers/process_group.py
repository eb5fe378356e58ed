"""Torch's process group for the workers of a training.

Replaces Ray's `TorchConfig`, which also imports torch in the driver and in the training's
controller and so costs each of them seconds.
"""

import logging
import os
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import ray
from ray.exceptions import GetTimeoutError
from ray.train._internal.utils import get_address_and_port
from ray.train.backend import Backend, BackendConfig
from typing_extensions import override

from ray_jobs.workers.interruption import watch_sigterm

log = logging.getLogger(__name__)

_LEAVE_TIMEOUT_SECONDS = 5.0


@dataclass
class ProcessGroupConfig(BackendConfig):
    """The backend that connects the workers of a training."""

    backend: str
    """Backend of `torch.distributed`: `gloo` for CPUs, `nccl` for GPUs."""

    @property
    @override
    def backend_cls(self) -> type["_ProcessGroup"]:
        return _ProcessGroup

    @property
    @override
    def train_func_context(self) -> type["_OnOwnDevice"]:
        return _OnOwnDevice


class _ProcessGroup(Backend):
    share_cuda_visible_devices = True

    @override
    def on_start(self, worker_group: Any, backend_config: Any) -> None:
        address, port = worker_group.execute_single(0, get_address_and_port)
        size = len(worker_group)
        joining = [
            worker_group.execute_single_async(
                rank, _join, address, port, backend_config.backend, rank, size
            )
            for rank in range(size)
        ]
        ray.get(joining)

    @override
    def on_shutdown(self, worker_group: Any, backend_config: Any) -> None:
        leaving = worker_group.execute_async(_leave, destroy=len(worker_group) > 1)
        try:
            ray.get(leaving, timeout=_LEAVE_TIMEOUT_SECONDS)
        except GetTimeoutError:
            log.warning(
                "the workers did not leave their process group in %g s", _LEAVE_TIMEOUT_SECONDS
            )


def _join(address: str, port: int, backend: str, rank: int, size: int) -> None:
    """Join the process group; runs in a worker's main thread."""
    from ray.train.torch import config

    os.environ["MASTER_ADDR"], os.environ["MASTER_PORT"] = address, str(port)
    config._set_torch_distributed_env_vars()
    config._setup_torch_process_group(backend, rank, size, "env://")
    watch_sigterm()


def _leave(*, destroy: bool) -> None:
    """Leave the process group, and destroy it where it connects several workers."""
    from ray.train.torch import config

    config._shutdown_torch(destroy_process_group=destroy)


class _OnOwnDevice(nullcontext[None]):
    """A block around a worker's training that makes its GPU, if any, torch's current device."""

    @override
    def __enter__(self) -> None:
        from ray.train.torch.config import TorchConfigContextManager

        TorchConfigContextManager().__enter__()
