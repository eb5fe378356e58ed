"""The record of a rollout: what it began with, where it is, and who has done what to it and why."""

from collections.abc import Callable
from datetime import datetime
from typing import Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from nmt.config import RolloutConfig
from nmt.errors import InputError, NmtError
from nmt.rollout.decision import Decision, SignalEvidence, Tally
from nmt.rollout.rules import SignalRule
from nmt.runs import layout
from nmt.storage import RecordKind, Storage
from nmt.traffic import UsualLength

State = Literal["running", "paused", "promoted", "rolled_back", "aborted"]
PauseCause = Literal["person", "tail", "silent", "lost"]
Change = Literal["start", "advance", "promote", "pause", "resume", "rollback", "abort"]
ITSELF = "rollout"
"""Who has done what the rollout decides by itself."""

_MAX_EVENTS = 50
_DIGITS = 4
_ALL = 100
_REMEDY = (
    "look at `nmt traffic` what the route serves, end a canary that runs with `nmt rollback`, and "
    "delete this one file; the engine can then be rolled out again"
)


class OvertakenError(NmtError):
    """A change of a rollout that was decided on before somebody else has changed it."""


class RolloutEvent(BaseModel):
    """One change of a rollout."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    at: AwareDatetime
    who: str
    what: Change
    why: str


class RolloutSettings(RolloutConfig):
    """The settings that a rollout began with."""

    # A later release may know more of them.
    model_config = ConfigDict(extra="ignore")


class SignalCounts(BaseModel):
    """The counts of one signal at one step."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    signal: str
    step: int = Field(ge=0)
    plus: int = 0
    zero: int = 0
    minus: int = 0
    events_canary: int = 0
    events_stable: int = 0


class RolloutRecord(BaseModel):
    """A rollout on the storage root."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    """Name of the file: the route, and a number that grows with each rollout of the route."""
    endpoint: str
    route: str
    """Key of the route."""
    run: str
    engine: str
    """Digest of the engine that is rolled out."""
    stable: str | None
    """Digest of the engine that served before; null: nothing did."""
    owner: str
    """Who alone may change the route while the rollout runs."""
    keeps_route: bool = True
    """Whether the owner keeps the route when the rollout has ended."""
    forced: str | None = None
    """Reason to serve an engine that the gate has not accepted."""
    token: str
    """Id of the rollout in the traffic file and in the reports of replicas."""
    tries: int = Field(default=1, ge=1)
    """Number of rollouts of this engine on this route, this one included; each may do harm that is
    not seen with the error rate that its settings name."""
    settings: RolloutSettings
    rules: dict[str, SignalRule]
    """By signal, as they were at the start."""
    usual_length: UsualLength | None = None
    """Of the stable engine; null: unusual lengths are not counted."""
    remarks: tuple[str, ...] = ()
    """What a reader has to know of the rules."""
    state: State
    step: int = Field(default=0, ge=0)
    started: AwareDatetime
    step_since: AwareDatetime
    ended: AwareDatetime | None = None
    promoted_at: AwareDatetime | None = None
    """When it got all clients; null: it never did."""
    reason: str = ""
    """Why it is in this state, or what it waits for."""
    pause_cause: PauseCause | None = None
    watches_tail: bool = True
    """False once a person has gone on after a pause by the tail."""
    given_up: tuple[str, ...] = ()
    """Replicas whose reports were missing when a person went on after a pause for that."""
    pairs: int = Field(default=0, ge=0)
    """Sentences that both engines have translated."""
    log_harm: float = 0.0
    """Logarithm of the evidence of harm."""
    evidence: dict[str, SignalEvidence] = {}
    counts: tuple[SignalCounts, ...] = ()
    events: tuple[RolloutEvent, ...] = ()
    """The first and the latest ones."""
    serial: int = Field(default=0, ge=0)
    """Number of changes of what the traffic file must say."""
    settled: bool = False
    """Whether the traffic file says so."""

    @property
    def is_active(self) -> bool:
        """Tell whether the rollout still goes on."""
        return self.state in ("running", "paused")

    @property
    def percent(self) -> int:
        """Return the share of the clients that the engine answers."""
        if self.is_active:
            return self.settings.steps[self.step]
        return _ALL if self.state == "promoted" else 0

    def with_event(self, what: Change, who: str, why: str, now: datetime) -> Self:
        """Add what has happened, as the reason of the present state."""
        event = RolloutEvent(at=now, who=who, what=what, why=why)
        events = (*self.events, event)
        if len(events) > _MAX_EVENTS:
            events = (events[0], *events[-_MAX_EVENTS + 1 :])
        return self.model_copy(update={"events": events, "reason": why})

    def with_traffic(self, **changes: object) -> Self:
        """Change what the traffic file must say; it is brought to that afterwards."""
        return self.model_copy(update={**changes, "serial": self.serial + 1, "settled": False})

    def with_evidence(self, decision: Decision, tally: Tally) -> Self:
        """Keep what a look has found."""
        counts = tuple(
            SignalCounts(
                signal=signal,
                step=step,
                plus=each.plus,
                zero=each.zero,
                minus=each.minus,
                events_canary=each.events_canary,
                events_stable=each.events_stable,
            )
            for signal, steps in sorted(tally.items())
            for step, each in sorted(steps.items())
        )
        found = {
            "evidence": decision.evidence,
            "log_harm": decision.log_harm,
            "pairs": decision.evidence["broken"].pairs,
            "counts": counts,
        }
        return self.model_copy(update=found)

    def ended_as(self, state: State, now: datetime) -> Self:
        """End the rollout; the traffic file is brought to that afterwards."""
        return self.with_traffic(state=state, ended=now, pause_cause=None)


KIND = RecordKind(RolloutRecord, "the record of a rollout")


def read_rollout(storage: Storage, endpoint: str, rollout_id: str) -> RolloutRecord | None:
    """Read the record of a rollout; None if there is none.

    Raises:
        StorageError: the record is damaged.
    """
    return KIND.find(storage, layout.rollout(endpoint, rollout_id), _REMEDY)


def read_existing(storage: Storage, endpoint: str, rollout_id: str) -> RolloutRecord:
    """Read the record of a rollout.

    Raises:
        InputError: there is none.
        StorageError: it is damaged.
    """
    return _existing(read_rollout(storage, endpoint, rollout_id), endpoint, rollout_id)


def create_rollout(storage: Storage, record: RolloutRecord) -> RolloutRecord:
    """Write a new record, unless another process has written one of this id.

    Returns:
        What is there.
    """
    path = layout.rollout(record.endpoint, record.id)
    return KIND.update(storage, path, lambda found: found or record, _REMEDY)


def change_rollout(
    storage: Storage,
    endpoint: str,
    rollout_id: str,
    change: Callable[[RolloutRecord], RolloutRecord],
) -> RolloutRecord:
    """Change a record without losing another process's change; write nothing if none is needed.

    Args:
        storage: the storage root.
        endpoint: name of the endpoint.
        rollout_id: id of the rollout.
        change: makes the new record from the present one; called again if another process was
            faster.
    """
    current = read_existing(storage, endpoint, rollout_id)
    if change(current) == current:
        return current
    return KIND.update(
        storage,
        layout.rollout(endpoint, rollout_id),
        lambda found: change(_existing(found, endpoint, rollout_id)),
        _REMEDY,
    )


def rollouts_of(storage: Storage, endpoint: str, route: str) -> list[RolloutRecord]:
    """Read the records of all rollouts of a route, the oldest first."""
    numbers = _numbers(storage, endpoint, route)
    return [read_existing(storage, endpoint, rollout_id(route, each)) for each in numbers]


def newest_rollout(storage: Storage, endpoint: str, route: str) -> RolloutRecord | None:
    """Read the record of the latest rollout of a route; None if there was none."""
    numbers = _numbers(storage, endpoint, route)
    return read_rollout(storage, endpoint, rollout_id(route, numbers[-1])) if numbers else None


def running_rollout(storage: Storage, endpoint: str, route: str) -> RolloutRecord | None:
    """Read the record of the rollout that runs on a route, or is paused; None if there is none."""
    # A rollout begins only when the one before it has ended.
    newest = newest_rollout(storage, endpoint, route)
    return newest if newest and newest.is_active else None


def rollout_id(route: str, number: int) -> str:
    """Name a rollout by its route and its number, from 1."""
    return f"{route.replace('/', '.')}-{number:0{_DIGITS}d}"


def _numbers(storage: Storage, endpoint: str, route: str) -> list[int]:
    stems = (
        file.removesuffix(".json").rpartition("-")
        for file in storage.list(layout.rollouts(endpoint))
        if file.endswith(".json")
    )
    slug = route.replace("/", ".")
    return sorted(int(number) for name, _, number in stems if name == slug and number.isdecimal())


def _existing(found: RolloutRecord | None, endpoint: str, rollout_id: str) -> RolloutRecord:
    if found is None:
        raise InputError(f"endpoint '{endpoint}' has no rollout '{rollout_id}'")
    return found
