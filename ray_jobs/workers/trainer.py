"""Ray's trainer without what a command does itself, or what one machine has no use for.

Each process that Ray Train starts beside the workers imports all of it, which takes seconds of a
processor that the workers need to start.
"""

from typing import Any

import ray
from ray._private import worker
from ray.train.v2._internal.callbacks import DatasetsCallback
from ray.train.v2._internal.callbacks.placement_group_callback import PlacementGroupCleanerCallback
from ray.train.v2._internal.callbacks.preemption_callback import PreemptionCallback
from ray.train.v2._internal.execution.callback import RayTrainCallback
from ray.train.v2._internal.execution.context import TrainRunContext
from ray.train.v2._internal.execution.controller import TrainController
from ray.train.v2._internal.execution.scaling_policy import FixedScalingPolicy
from ray.train.v2.api.data_parallel_trainer import DataParallelTrainer
from ray.train.v2.api.result import Result
from typing_extensions import override

from ray_jobs.runtime.address import ray_address


class Trainer(DataParallelTrainer):
    """Trains on the workers of a cluster, or of the private Ray of a command."""

    @override
    def _register_sigint_handler(self, controller: Any) -> None:
        """Leave Ctrl-C to the command line.

        Ray's own handler would stay after the training and end the process with 1. Training in
        another thread instead, where Ray installs none, lets that thread call a Ray that was just
        shut down.
        """

    @override
    def _create_default_callbacks(self) -> list[RayTrainCallback]:
        """Leave out a process that hands out data sets of Ray, and one that cleans up.

        There are no such data sets. What would be cleaned up after a controller that has died
        ends with the command, and the process would ask the dashboard, which is not there.
        """
        callbacks = super()._create_default_callbacks()
        if ray_address() is not None:
            return callbacks
        needless = (DatasetsCallback, PlacementGroupCleanerCallback)
        return [each for each in callbacks if not isinstance(each, needless)]

    @override
    def _initialize_and_run_controller(self, **arguments: Any) -> Result:
        """Run the controller in a process that a private Ray has started already.

        With variables of its own, as Ray gives it, it would need a new one.
        """
        if ray_address() is not None:
            return super()._initialize_and_run_controller(**arguments)
        arguments["scaling_policy"] = _OneMachine(self.scaling_config)
        controller: Any = ray.remote(num_cpus=0)(OneMachineController).remote(**arguments)
        ray.get(controller.run.remote())
        return ray.get(controller.get_result.remote())


class OneMachineController(TrainController):
    """The controller of a training on one machine, which goes as a whole or not at all."""

    def __init__(self, **arguments: Any) -> None:  # noqa: ANN401 - those of Ray's
        super().__init__(**arguments)
        self._worker_group_callbacks_to_propagate = [
            each
            for each in self._worker_group_callbacks_to_propagate
            if not isinstance(each, PreemptionCallback)  # a process that watches nodes
        ]
        # Ray's own controller does what Ray warns of, and switches the warning off by a variable.
        worker.blocking_get_inside_async_warned = True


class _OneMachine(FixedScalingPolicy):
    """As many workers as were asked for, without a process that asks a cluster for nodes."""

    @override
    def after_controller_start(self, train_run_context: TrainRunContext) -> None:
        return

    @override
    def _maybe_send_resource_request(self) -> None:
        return
