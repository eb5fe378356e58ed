"""Torch's process group for the workers of a training.

Ray's own `TorchConfig` imports torch in the driver and in the controller of the training, which
costs each of them seconds; here the workers alone import it.
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

_LEAVE_SECONDS = 5.0


@dataclass
class ProcessGroupConfig(BackendConfig):
    """How the workers of a training find each other, and how they learn that they must go."""

    backend: str
    """Of `torch.distributed`: `gloo` for CPUs, `nccl` for GPUs."""

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
            ray.get(leaving, timeout=_LEAVE_SECONDS)
        except GetTimeoutError:
            log.warning("the workers did not leave their process group in %g s", _LEAVE_SECONDS)


def _join(address: str, port: int, backend: str, rank: int, size: int) -> None:
    """Join the process group, on a worker and in its main thread."""
    from ray.train.torch import config

    os.environ["MASTER_ADDR"], os.environ["MASTER_PORT"] = address, str(port)
    config._set_torch_distributed_env_vars()
    config._setup_torch_process_group(backend, rank, size, "env://")
    watch_sigterm()


def _leave(*, destroy: bool) -> None:
    from ray.train.torch import config

    config._shutdown_torch(destroy_process_group=destroy)


class _OnOwnDevice(nullcontext[None]):
    """Around a worker's training: its GPU, if it has one, is torch's current device."""

    @override
    def __enter__(self) -> None:
        from ray.train.torch.config import TorchConfigContextManager

        TorchConfigContextManager().__enter__()
