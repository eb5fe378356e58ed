"""The record of a search's trial, which the summary of a run also shows."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, model_validator

TrialState = Literal["running", "finished", "pruned", "failed", "diverged", "refused", "abandoned"]
"""Diverged: its loss was not a number. Refused: its settings are invalid. Abandoned: it failed
twice."""

Bleu = Annotated[float, Field(ge=0, le=100.001)]
"""0-100; rounding can put the score of exact matches slightly above 100."""

Setting = bool | int | float | str

TrialSettings = dict[str, Setting]
"""Searched setting -> value."""


class TrialPoint(BaseModel):
    """One validation of a trial."""

    model_config = ConfigDict(frozen=True)

    step: NonNegativeInt
    bleu: Bleu


class Trial(BaseModel):
    """One trial: the content of `trial.json`."""

    model_config = ConfigDict(frozen=True)

    config: TrialSettings = Field(min_length=1)
    state: TrialState
    number: NonNegativeInt = 0
    """Position in the order in which the search drew its trials."""
    bleu: Bleu | None = None
    """Best validation BLEU; null if it was not validated, or if its settings cannot be used."""
    steps: NonNegativeInt = 0
    """Step of the last validation."""
    curve: tuple[TrialPoint, ...] = ()
    error: str | None = None
    """Why it failed, diverged or was refused."""

    @model_validator(mode="after")
    def _check_ascending(self) -> Self:
        steps = [point.step for point in self.curve]
        if steps != sorted(set(steps)):
            raise ValueError("the steps of the curve do not ascend")
        return self

    def validated(self, step: int, bleu: float) -> Self:
        """Return the trial with one more validation, which replaces one of the same step."""
        # A trial that resumes from its checkpoint reports its earlier validations again.
        others = [point for point in self.curve if point.step != step]
        curve = sorted([*others, TrialPoint(step=step, bleu=bleu)], key=lambda point: point.step)
        best = max(point.bleu for point in curve)
        changes = {"curve": tuple(curve), "bleu": best, "steps": curve[-1].step}
        return self.model_copy(update=changes)


class TrialWithCheckpoints(Trial):
    """The best trial of a search: the content of `best.json`."""

    checkpoints: str = Field(min_length=1)
    """Folder of its checkpoints, relative to the storage root."""
