"""Where a run validates, saves and ends: decided by its settings and its state alone."""

from dataclasses import dataclass

from nmt.config import TrainingConfig
from nmt.training.saved.checkpoints import State


@dataclass(frozen=True, slots=True)
class Schedule:
    """What is due at a state."""

    training: TrainingConfig
    stop_at_step: int | None = None
    """The end of this attempt, where it comes before `training.max_steps`."""
    compares_with_base: bool = False
    """Whether the base is among the candidates."""

    @property
    def last_step(self) -> int:
        """The last step of this attempt."""
        return min(self.training.max_steps, self.stop_at_step or self.training.max_steps)

    def base_validation(self, state: State) -> bool:
        """Tell whether the base is still to be validated, which comes before any training."""
        return self.compares_with_base and state.base_bleu is None

    def validation(self, state: State) -> bool:
        """At every n-th step and at the last, until it took place."""
        every = self.training.evaluate_every_steps
        wanted = state.step % every == 0 or state.step == self.last_step
        done = bool(state.curve) and state.curve[-1]["step"] == state.step
        return state.step > 0 and wanted and not done

    def checkpoint(self, state: State) -> bool:
        """Between validations, where the user asked for it."""
        every = self.training.checkpoint_every_steps
        return every is not None and state.step % every == 0

    def end(self, state: State) -> bool:
        """When no further step is to be taken now."""
        return state.step >= self.last_step or self._out_of_patience(state)

    def publication(self, state: State) -> bool:
        """Once the training as a whole is over, not only this attempt."""
        over = state.step >= self.training.max_steps or self._out_of_patience(state)
        return over and not self.validation(state)

    def _out_of_patience(self, state: State) -> bool:
        patience = self.training.patience
        return patience is not None and state.worse_in_a_row >= patience
