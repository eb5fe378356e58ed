"""The actor through which the driver and the workers of a training exchange stop requests.

Imports neither Ray Train nor torch, because its process must start before the workers' processes.
"""

from typing import Any

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy


@ray.remote(num_cpus=0, max_restarts=-1, max_task_retries=-1)
class StopBoard:
    """A stop request of the driver, the number of running trainings, and their progress."""

    # Ray restarts a killed board with empty fields. That is harmless: a stop request is lost at
    # most, and no training depends on the counts.

    def __init__(self) -> None:
        self.stop, self.running, self.step = False, 0, 0

    def ask_to_stop(self) -> None:
        """Note that the driver wants the trainings to end."""
        self.stop = True

    def note(self, step: int) -> bool:
        """Note the step that a training has reached, and return whether it must stop."""
        self.step = step
        return self.stop

    def reached(self) -> int:
        """Return the step that a training has reached."""
        return self.step

    def count(self, change: int) -> None:
        """Add to the number of running trainings."""
        # A restarted board does not know trainings that started before, and they end too.
        self.running = max(0, self.running + change)

    def under_way(self) -> int:
        """Return the number of trainings that have not ended."""
        return self.running


def start_board() -> Any:  # noqa: ANN401 - Ray's handles have no type
    """Start a board on the driver's node."""
    # On another node it would be lost with a node that the training itself survives.
    node = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    return StopBoard.options(scheduling_strategy=node).remote()  # pyright: ignore[reportAttributeAccessIssue]
