"""Weights that may be published, and the mean of several checkpoints.

Source: Popel and Bojar 2018, https://arxiv.org/abs/1804.00247 (on checkpoint averaging)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from nmt.training.saved.checkpoints import Checkpoints


@dataclass(frozen=True, slots=True)
class Candidate:
    """Weights that may be published."""

    parameters: dict[str, Tensor]
    bleu: float
    """Validation BLEU, 0-100."""
    steps: Sequence[int]
    """Of the checkpoints they are the mean of."""

    def describe(self) -> str:
        """In the words of the log."""
        if len(self.steps) == 1:
            return f"checkpoint of step {self.steps[0]}"
        return f"mean of the checkpoints of steps {', '.join(map(str, self.steps))}"

    def meta(self) -> dict[str, Any]:
        """What stands beside the weights."""
        single = {"step": self.steps[-1], "bleu": self.bleu}
        return single if len(self.steps) == 1 else {**single, "mean_of_steps": list(self.steps)}


def mean_parameters(checkpoints: Checkpoints, steps: Sequence[int]) -> dict[str, Tensor]:
    """Mean of what was trained over some checkpoints; two of them are in memory at a time.

    The factors of a low-rank update are averaged each for itself, which is not the mean of the
    updates: whoever publishes it looks at its BLEU first.

    Raises:
        StorageError: a checkpoint is missing or fails its manifest.
    """
    first, *others = steps
    mean = {name: value.float() for name, value in checkpoints.parameters(first).items()}
    for step in others:
        for name, value in checkpoints.parameters(step).items():
            mean[name] += value
    return {name: value / len(steps) for name, value in mean.items()}
