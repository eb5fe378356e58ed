"""Ray's trainer without the processes that a command or a single machine does not need.

Each process that Ray Train starts next to the workers imports all of Ray Train. That takes seconds
of a processor that the workers need to start.
"""

import os
from typing import Any

import ray
from ray._private import worker
from ray.train.v2._internal.callbacks import DatasetsCallback
from ray.train.v2._internal.callbacks.placement_group_callback import PlacementGroupCleanerCallback
from ray.train.v2._internal.callbacks.preemption_callback import PreemptionCallback
from ray.train.v2._internal.constants import (
    HEALTH_CHECK_INTERVAL_S_ENV_VAR,
    PREEMPTION_POLL_INTERVAL_S_ENV_VAR,
)
from ray.train.v2._internal.execution.callback import RayTrainCallback
from ray.train.v2._internal.execution.context import TrainRunContext
from ray.train.v2._internal.execution.controller import TrainController
from ray.train.v2._internal.execution.scaling_policy import FixedScalingPolicy
from ray.train.v2.api.data_parallel_trainer import DataParallelTrainer
from ray.train.v2.api.result import Result
from typing_extensions import override

from ray_jobs.runtime.address import ray_address

POLL_SECONDS = {
    # Also the time until Ray Train learns that the workers have ended. Its default is 2 s.
    HEALTH_CHECK_INTERVAL_S_ENV_VAR: "0.5",
    # A Pod may have only a few seconds left. Its default is 5 s.
    PREEMPTION_POLL_INTERVAL_S_ENV_VAR: "1",
}
"""How often Ray Train asks its workers how they are, and Ray whether it will lose their nodes."""


def _ask_often() -> None:
    """Set how often Ray Train asks, where the user has not."""
    for name, seconds in POLL_SECONDS.items():
        os.environ.setdefault(name, seconds)


class RayTrainer(DataParallelTrainer):
    """A trainer for the workers of a cluster, or of the private Ray of a command."""

    @override
    def _register_sigint_handler(self, controller: Any) -> None:
        """Leave Ctrl-C to the command line."""
        # Ray's own handler would remain after the training and end the process with exit code 1.
        # Ray installs none in another thread, but a training in another thread could then call a
        # Ray that was just shut down.

    @override
    def _create_default_callbacks(self) -> list[RayTrainCallback]:
        """Drop the callbacks that start processes without a use on one machine."""
        callbacks = super()._create_default_callbacks()
        if ray_address() is not None:
            return callbacks
        # No Ray data sets are used here. The cleaner of placement groups would ask the dashboard,
        # which a private Ray does not start, and all that it cleans up ends with the command.
        needless = (DatasetsCallback, PlacementGroupCleanerCallback)
        return [each for each in callbacks if not isinstance(each, needless)]

    @override
    def _initialize_and_run_controller(self, **arguments: Any) -> Result:
        """Run the controller in a process that a private Ray has already started."""
        if ray_address() is not None:
            _ask_often()  # Ray passes these variables on to its controller.
            return super()._initialize_and_run_controller(**arguments)
        # Ray gives its controller environment variables of its own, which need a new process.
        arguments["scaling_policy"] = _OneMachinePolicy(self.scaling_config)
        controller: Any = ray.remote(num_cpus=0)(OneMachineController).remote(**arguments)
        ray.get(controller.run.remote())
        return ray.get(controller.get_result.remote())


class OneMachineController(TrainController):
    """The controller of a training on one machine, which cannot lose a part of its nodes."""

    def __init__(self, **arguments: Any) -> None:  # noqa: ANN401 - those of Ray's
        _ask_often()
        super().__init__(**arguments)
        # The preemption callback starts a process that watches nodes.
        self._worker_group_callbacks_to_propagate = [
            each
            for each in self._worker_group_callbacks_to_propagate
            if not isinstance(each, PreemptionCallback)
        ]
        # Ray's own controller does what this warning is about, and silences it by a variable.
        worker.blocking_get_inside_async_warned = True


class _OneMachinePolicy(FixedScalingPolicy):
    """A fixed number of workers, without a process that asks a cluster for nodes."""

    @override
    def after_controller_start(self, train_run_context: TrainRunContext) -> None:
        return

    @override
    def _maybe_send_resource_request(self) -> None:
        return
