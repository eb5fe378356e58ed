"""When a run validates, saves and ends, from its settings and its state. Imports no torch."""

from collections.abc import Sequence
from dataclasses import dataclass

from nmt.config import TrainingConfig
from nmt.training.saved.state import State


def is_out_of_patience(patience: int | None, gains: Sequence[float]) -> bool:
    """Tell whether the last `patience` validations were no better than those before.

    Args:
        patience: their number; None: it never ends.
        gains: the score of each validation, as a number that is higher for a better one.
    """
    if patience is None:
        return False
    # The first of equal scores is the best one, so a tie counts as no improvement.
    since_best = len(gains) - 1 - gains.index(max(gains)) if gains else 0
    return since_best >= patience


@dataclass(frozen=True, slots=True)
class Schedule:
    """What a run has to do at a state."""

    training: TrainingConfig
    stop_at_step: int | None = None
    """Last step of this attempt, where it comes before `training.max_steps`."""
    compares_with_base: bool = False
    """Whether the base is validated too."""

    @property
    def last_step(self) -> int:
        """Return the last step of this attempt."""
        return min(self.training.max_steps, self.stop_at_step or self.training.max_steps)

    def needs_base_validation(self, state: State) -> bool:
        """Tell whether the base must be validated first, before any training."""
        return self.compares_with_base and state.base_bleu is None

    def needs_validation(self, state: State) -> bool:
        """Tell whether this step must be validated and has not been yet."""
        every = self.training.evaluate_every_steps
        wanted = state.step % every == 0 or state.step == self.last_step
        done = bool(state.curve) and state.curve[-1]["step"] == state.step
        return state.step > 0 and wanted and not done

    def needs_checkpoint(self, state: State) -> bool:
        """Tell whether the user asked for a checkpoint at this step, besides the validations."""
        every = self.training.checkpoint_every_steps
        return every is not None and state.step % every == 0

    def is_over(self, state: State) -> bool:
        """Tell whether this attempt takes no further step."""
        return state.step >= self.last_step or self._out_of_patience(state)

    def needs_publication(self, state: State) -> bool:
        """Tell whether the training as a whole is over and validated, not only this attempt."""
        over = state.step >= self.training.max_steps or self._out_of_patience(state)
        return over and not self.needs_validation(state)

    def _out_of_patience(self, state: State) -> bool:
        return is_out_of_patience(self.training.patience, state.gains())
