"""Settings of a rollout, which gives an accepted engine its clients step by step."""

from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from nmt.config.section import Section

_ErrorRate = Annotated[float, Field(gt=0, le=0.5)]
_Percent = Annotated[int, Field(ge=1, le=100)]
_ALL = 100


class RolloutConfig(Section):
    """How an engine that the gate has accepted gets the clients of its route."""

    mode: Literal["canary", "direct", "manual", "none"] = "canary"
    """`canary`: by steps, each after a test, and back by itself if it does harm; `manual`: the same
    tests at the first step, which only a person ends; `direct`: all clients at once; `none`: the
    engine is not rolled out."""
    steps: Annotated[tuple[_Percent, ...], Field(min_length=1, max_length=20)] = (1, 10, 50, 100)
    """Shares of the clients in percent, each larger than the one before; the last is 100."""
    seconds_per_step: float = Field(default=3600, ge=0)
    """Least time at a step."""
    seconds_before_all: float = Field(default=86_400, ge=0)
    """Least time at the step before all clients get the engine."""
    min_pairs: int = Field(default=300, ge=1)
    """Least number of sentences that both engines have translated, over all steps, before the
    first advance."""
    shadow_percent: float = Field(default=5, gt=0, le=100)
    """Share of the sessions of which both engines translate a sentence. A larger one decides sooner
    and costs as much more computing."""
    harm_error_rate: _ErrorRate = 0.05
    """Chance to roll back an engine that does no harm, over the whole rollout however often it is
    looked at."""
    advance_error_rate: _ErrorRate = 0.05
    """Chance of each test of an advance to pass an engine that is worse than its margin."""
    pause_error_rate: _ErrorRate = 0.05
    """Chance to pause an engine whose translations differ from the stable one's no more than is
    usual."""

    @model_validator(mode="after")
    def _check_steps(self) -> Self:
        steps = self.steps
        if any(one >= other for one, other in pairwise(steps)):
            raise ValueError(f"steps: {list(steps)}: each share must be larger than the one before")
        if steps[-1] != _ALL:
            raise ValueError(f"steps: {list(steps)}: the last share must be 100")
        return self
