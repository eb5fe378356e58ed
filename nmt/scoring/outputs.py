"""What a system made of a test set."""

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SystemOutput:
    """The translations of a test set by one system."""

    hypotheses: Sequence[str]
    """One for each sentence, in order."""
    confidences: Sequence[float | None] | None = None
    """Mean log-probability of the tokens of each; None where it is unknown."""

    def __post_init__(self) -> None:
        """Take a confidence that is not a number, or not finite, for an unknown one."""
        # The probability of a token may be too small for a half-precision number, and JSON has no
        # infinity.
        if self.confidences is not None:
            known = [
                None if each is None or not math.isfinite(each) else each
                for each in self.confidences
            ]
            object.__setattr__(self, "confidences", known)
