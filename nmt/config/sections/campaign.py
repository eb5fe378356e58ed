"""Settings of a campaign, beyond those of the steps that it does."""

from pydantic import Field

from nmt.config.section import PositiveInt, RunName, Section


class CampaignConfig(Section):
    """What a campaign trains besides the engine, and what it does with an accepted one."""

    seeds: int = Field(default=3, ge=1, le=20)
    """Number of trainings with the best settings, each with another seed. More than one shows how
    far chance moves the validation score; the engine is that of the first."""
    methods: bool = True
    """Whether the best settings of every other method of the search are trained too, so that the
    evaluation compares the methods on the test sets."""
    promote: bool = False
    """Whether an engine that the gate accepts is promoted at once."""
    raters: PositiveInt = 2
    """Number of people who rate translations when the gate cannot decide."""
    reuse: tuple[RunName, ...] = ()
    """Other runs on this storage root whose finished steps are taken over instead of being done
    again, the first that fits. A step is taken only if it has the same settings and was made from
    the same data, by content; the gate always decides anew. Translations of the same test set by
    the same system are taken too. A run that is gone is passed over."""
