"""The state of a run between two steps, as its checkpoints keep it. Imports no torch."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from nmt.data.batches import Cursor
from nmt.runs.validation_scores import gain_of, score_of

# Checkpoints of release 0.1 have the two counts under these names, and three values that now follow
# from the curve.
_OLD_NAMES = {"left_out": "skipped_steps", "left_out_in_a_row": "skipped_in_a_row"}
_DERIVED = ("best_step", "best_bleu", "worse_in_a_row")


@dataclass(frozen=True, slots=True)
class State:
    """The progress of a run; it resumes from this, the weights and the optimizer's moments."""

    step: int = 0
    skipped_steps: int = 0
    """Steps without an update, which the optimizer does not count."""
    skipped_in_a_row: int = 0
    """Skipped steps since the last update."""
    round_to: int | None = None
    """Multiple to which widths were padded when the data was batched; the cursor depends on it."""
    loss: float | None = None
    """Mean loss per target token of the last step with a finite loss."""
    cursor: Cursor = field(default_factory=Cursor)
    metric: str = "bleu"
    """Metric of the validations."""
    validation_sentences: int | None = None
    """Pairs that each validation translates, once they are chosen."""
    base_bleu: float | None = None
    """Validation BLEU of the untrained weights, 0-100; None where they were not validated."""
    base_score: float | None = None
    """Their score in `metric`."""
    curve: tuple[dict[str, float], ...] = ()
    """One entry per validation: step, bleu, score, and the loss once there was a finite one."""
    seconds: float = 0.0
    """Time trained, over all attempts."""

    @property
    def updates(self) -> int:
        """Return the number of steps that changed the weights."""
        return self.step - self.skipped_steps

    @property
    def best_step(self) -> int | None:
        """Return the step of the best validation, the first one of several."""
        best = self._best()
        return int(best["step"]) if best else None

    @property
    def best_score(self) -> float | None:
        """Return the best validation score."""
        best = self._best()
        return score_of(best) if best else None

    @property
    def best_bleu(self) -> float | None:
        """Return the BLEU of the validation with the best score, 0-100."""
        best = self._best()
        return best["bleu"] if best else None

    def gain_of(self, entry: Mapping[str, float]) -> float:
        """Return a validation's score as a number that is higher for a better one."""
        return gain_of(self.metric, score_of(entry))

    def gains(self) -> list[float]:
        """Return the gains of all validations, in their order."""
        return [self.gain_of(entry) for entry in self.curve]

    def _best(self) -> dict[str, float] | None:
        # `max` returns the first of equal entries, so a later validation has to be better.
        return max(self.curve, key=self.gain_of, default=None)

    def after(self, loss: float, *, updated: bool) -> "State":
        """Return the state one step later; a step without an update keeps the last loss."""
        return replace(
            self,
            step=self.step + 1,
            skipped_steps=self.skipped_steps + (not updated),
            skipped_in_a_row=0 if updated else self.skipped_in_a_row + 1,
            loss=loss if math.isfinite(loss) else self.loss,
        )

    def with_validation(self, bleu: float, score: float) -> "State":
        """Return the state with a validation of its step added to the curve."""
        entry = {"step": self.step, "bleu": bleu, "score": score}
        if self.loss is not None:
            entry["loss"] = self.loss
        return replace(self, curve=(*self.curve, entry))

    def best_step_after(self, step: int) -> int | None:
        """Return the step of the best validation after a step, the first one of several."""
        later = tuple(entry for entry in self.curve if entry["step"] > step)
        return replace(self, curve=later).best_step

    def validated(self, count: int) -> list[int]:
        """Return the last `count` validated steps, ascending."""
        return [int(entry["step"]) for entry in self.curve[max(0, len(self.curve) - count) :]]

    def meta(self) -> dict[str, Any]:
        """Return the fields as a checkpoint's manifest keeps them."""
        return asdict(self)

    @classmethod
    def of(cls, meta: Mapping[str, Any]) -> "State":
        """Read the fields from a manifest, of this release or an earlier one.

        Raises:
            KeyError, TypeError: a field is missing or unknown.
        """
        named = {_OLD_NAMES.get(name, name): v for name, v in meta.items() if name not in _DERIVED}
        named.setdefault("base_score", named.get("base_bleu"))  # which earlier releases had alone
        return cls(**{**named, "cursor": Cursor(**named["cursor"]), "curve": tuple(named["curve"])})
