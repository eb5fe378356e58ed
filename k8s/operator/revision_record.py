"""What the operator remembers of a revision."""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from k8s.objects.campaign.status import Trigger

Outcome = Literal["failed", "rejected", "accepted", "served", "rolled_back", "aborted", "replaced"]
"""How a revision ended. Accepted: by the gate, and nobody has asked to roll it out."""


class RecordPart(BaseModel):
    """A part of what the operator remembers."""

    # Two releases of the operator may meet on one storage root.
    model_config = ConfigDict(frozen=True, extra="ignore")


class RevisionRecord(RecordPart):
    """A revision: why it started, from what, and how it ended."""

    number: int = Field(ge=1)
    trigger: Trigger
    inputs: str
    """Digest of the settings."""
    data: str = ""
    """Digest of the data."""
    run: str
    started: float
    """Seconds since 1970."""
    attempt: int = Field(default=0, ge=0)
    """Number of new attempts that were asked for."""
    attempt_started: float
    """When the present attempt began, in seconds since 1970."""
    held_since: float | None = None
    """When it was suspended, or began to wait for its place again; null: it is not held."""
    held_seconds: float = Field(default=0.0, ge=0)
    """Time for which the present attempt was held before."""
    compared_again_for: str | None = None
    """Engine that began to serve after the gate, for which the gate was asked once more."""
    ended: float | None = None
    outcome: Outcome | None = None
    """Null while it works, and while people have not decided yet."""
    message: str = ""
    """Why it ended so."""
    engine: str | None = None
    """Digest of its engine; null: it made none."""
    gain: float | None = None
    """As the gate measured it."""
    removed: bool = False
    """Whether its run was deleted to make room."""

    def seconds_at_work(self, now: float) -> float:
        """Return the time since its attempt began, without that for which it was held."""
        return now - self.attempt_started - self._seconds_held(now)

    def _seconds_held(self, now: float) -> float:
        since = now if self.held_since is None else self.held_since
        return self.held_seconds + max(0.0, now - since)

    def with_hold(self, now: float, *, held: bool) -> Self:
        """Hold it, or let it go on.

        Args:
            now: seconds since 1970.
            held: whether its deadline waits from now on.
        """
        if held == (self.held_since is not None):
            return self
        before = self._seconds_held(now)
        changes = {"held_since": now if held else None, "held_seconds": before}
        return self.model_copy(update=changes)

    def with_attempt(self, attempt: int, now: float, because: str | None) -> Self:
        """Begin an attempt.

        Args:
            attempt: its number.
            now: seconds since 1970.
            because: engine that began to serve after the gate; None: a person asked for it.
        """
        changes = {
            "attempt": attempt,
            "attempt_started": now,
            "held_since": None,
            "held_seconds": 0.0,
            "ended": None,
            "outcome": None,
            "message": "",
            "compared_again_for": self.compared_again_for if because is None else because,
        }
        return self.model_copy(update=changes)
