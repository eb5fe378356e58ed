"""The board on which driver and workers of a training leave word for each other.

Imports neither Ray Train nor torch: its process has to be there before the workers' are.
"""

from typing import Any

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy


@ray.remote(num_cpus=0, max_restarts=-1, max_task_retries=-1)
class Board:
    """Whether the driver wants the trainings to end, how many are under way, and how far.

    Killed, it begins anew: no training is worth less than what is noted here.
    """

    def __init__(self) -> None:
        self.stop, self.running, self.step = False, 0, 0

    def ask_to_stop(self) -> None:
        """Note that the driver wants an end."""
        self.stop = True

    def note(self, step: int) -> bool:
        """Note how far a training is, and answer whether it shall stop."""
        self.step = step
        return self.stop

    def reached(self) -> int:
        """Answer how far a training is."""
        return self.step

    def count(self, change: int) -> None:
        """Note that a training has begun or ended."""
        self.running = max(0, self.running + change)  # those counted before it began anew

    def under_way(self) -> int:
        """Answer how many trainings have not ended."""
        return self.running


def board_of_the_driver() -> Any:  # noqa: ANN401 - Ray's handles have no type
    """Start a board on the driver's node.

    Elsewhere it would go with a node that the training itself survives.
    """
    node = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    return Board.options(scheduling_strategy=node).remote()  # pyright: ignore[reportAttributeAccessIssue]
