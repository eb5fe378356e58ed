"""Weights that may be published, and the mean of several checkpoints.

Source: Popel and Bojar 2018, https://arxiv.org/abs/1804.00247 (on checkpoint averaging)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from nmt.runs.validation_scores import gain_of
from nmt.training.saved.checkpoints import Checkpoints


@dataclass(frozen=True, slots=True)
class Candidate:
    """Weights that may be published."""

    parameters: dict[str, Tensor]
    bleu: float
    """Validation BLEU, 0-100."""
    steps: Sequence[int]
    """Steps of the checkpoints whose mean they are."""
    score: float
    """Validation score in `metric`."""
    metric: str = "bleu"

    @property
    def gain(self) -> float:
        """Return the score as a number that is higher for a better one."""
        return gain_of(self.metric, self.score)

    def describe(self) -> str:
        """Describe the weights for the log."""
        if len(self.steps) == 1:
            return f"checkpoint of step {self.steps[0]}"
        return f"mean of the checkpoints of steps {', '.join(map(str, self.steps))}"

    def meta(self) -> dict[str, Any]:
        """Return the facts that the manifest keeps with the weights."""
        single: dict[str, Any] = {"step": self.steps[-1], "bleu": self.bleu}
        if self.metric != "bleu":
            single |= {"metric": self.metric, "score": self.score}
        return single if len(self.steps) == 1 else {**single, "mean_of_steps": list(self.steps)}


def mean_parameters(checkpoints: Checkpoints, steps: Sequence[int]) -> dict[str, Tensor]:
    """Average the trained weights of some checkpoints, with two of them in memory at a time.

    The factors of a low-rank update are averaged separately, which is not the mean of the updates:
    check the score of the result before publishing it.

    Raises:
        StorageError: a checkpoint is missing or does not match its manifest.
    """
    first, *others = steps
    mean = {name: value.float() for name, value in checkpoints.parameters(first).items()}
    for step in others:
        for name, value in checkpoints.parameters(step).items():
            mean[name] += value
    return {name: value / len(steps) for name, value in mean.items()}
