"""What a system made of a test set."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SystemOutput:
    """The translations of a test set by one system."""

    hypotheses: Sequence[str]
    """One for each sentence, in order."""
    confidences: Sequence[float | None] | None = None
    """Mean log-probability of the tokens of each; None where the system gives none."""
