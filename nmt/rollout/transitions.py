"""How the record of a rollout changes: by a look at the counts, and by a person; pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from nmt.cli.rollout_options import RolloutCommand as Command
from nmt.errors import InputError
from nmt.rollout.decision import Decision, Situation, Tally, decide
from nmt.rollout.record import ITSELF, PauseCause, RolloutRecord

_LOST = (
    "reports that had counts of this rollout are gone, and harm in them would not be seen: resume "
    "it if that is acceptable, or abort it"
)


@dataclass(frozen=True, slots=True)
class Sight:
    """What the reports of the replicas say of a rollout."""

    tally: Tally
    missing: Sequence[str] = ()
    """Replicas with counts whose report is overdue."""


def after_look(record: RolloutRecord, sight: Sight, now: datetime) -> RolloutRecord:
    """Decide about a rollout from what its replicas have counted."""
    if not record.is_active:
        return record
    missing = tuple(each for each in sight.missing if each not in record.given_up)
    situation = Situation(
        tally=sight.tally,
        step=record.step,
        seconds_at_step=(now - record.step_since).total_seconds(),
        missing=missing,
        watches_tail=record.watches_tail,
    )
    decision = decide(situation, record.rules, record.settings)
    has_less = decision.evidence["broken"].pairs < record.pairs
    # What a report has counted is not lost while the report only cannot be read.
    is_lost = has_less and not missing
    seen = record if has_less and missing else record.with_evidence(decision, sight.tally)
    if decision.answer == "rollback":
        return seen.with_event("rollback", ITSELF, decision.reason, now).ended_as(
            "rolled_back", now
        )
    if is_lost:
        return _paused(seen, "lost", _LOST, now)
    if decision.answer == "pause":
        return _paused(seen, decision.cause or "silent", decision.reason, now)
    if seen.state == "paused":
        if seen.pause_cause != "silent":
            return seen
        seen = _resumed(seen, ITSELF, "all replicas report again", now)
    if decision.answer == "wait":
        return seen.model_copy(update={"reason": decision.reason})
    return _advanced(seen, decision, now)


def after_command(
    record: RolloutRecord,
    do: Command,
    *,
    by: str,
    reason: str,
    missing: Sequence[str],
    now: datetime,
) -> RolloutRecord:
    """Follow a person's command; a command that was followed already changes nothing.

    Raises:
        InputError: the rollout has ended otherwise.
    """
    if do == "abort":
        return _aborted(record, by, reason, now)
    if do == "promote" and record.state == "promoted":
        return record
    if not record.is_active:
        raise InputError(
            f"rollout {record.id} has ended ({record.state.replace('_', ' ')}: {record.reason}): "
            "start another one"
        )
    if do == "promote":
        return _promoted(record, by, reason, now)
    if do == "pause":
        if record.pause_cause == "person" and _was_last(record, by, reason):
            return record
        return _paused(record, "person", reason, now, by)
    if record.state == "running":
        return record
    # Whoever goes on has seen what it was paused for, and nothing else, so only that does not
    # pause it once more.
    watches_tail = record.watches_tail and record.pause_cause != "tail"
    silent = missing if record.pause_cause == "silent" else ()
    given_up = (*record.given_up, *(each for each in silent if each not in record.given_up))
    return _resumed(record, by, reason, now).model_copy(
        update={"watches_tail": watches_tail, "given_up": given_up}
    )


def displaced(record: RolloutRecord, why: str, now: datetime) -> RolloutRecord:
    """End a rollout because somebody else has changed its route."""
    # A promoted engine may be replaced; that changes nothing about its rollout.
    if not record.is_active and record.settled:
        return record
    reason = f"somebody else has changed the route: {why}"
    return record.with_event("abort", ITSELF, reason, now).ended_as("aborted", now)


def _advanced(record: RolloutRecord, decision: Decision, now: datetime) -> RolloutRecord:
    if record.settings.mode == "manual":
        return record.model_copy(
            update={"reason": f"{decision.reason}; a person promotes it (rollout.mode=manual)"}
        )
    if record.step + 2 >= len(record.settings.steps):
        return _promoted(record, ITSELF, decision.reason, now)
    return record.with_event("advance", ITSELF, decision.reason, now).with_traffic(
        step=record.step + 1, step_since=now
    )


def _promoted(record: RolloutRecord, by: str, reason: str, now: datetime) -> RolloutRecord:
    told = record.with_event("promote", by, reason, now).ended_as("promoted", now)
    return told.model_copy(update={"promoted_at": now})


def _aborted(record: RolloutRecord, by: str, reason: str, now: datetime) -> RolloutRecord:
    """Give an engine up, which returns to the engine before it if it was promoted."""
    if record.is_active:
        return record.with_event("abort", by, reason, now).ended_as("aborted", now)
    if record.state != "promoted":
        return record
    return record.with_event("rollback", by, reason, now).ended_as("rolled_back", now)


def _paused(
    record: RolloutRecord, cause: PauseCause, reason: str, now: datetime, by: str = ITSELF
) -> RolloutRecord:
    if record.state == "paused" and by == ITSELF and _stays(record.pause_cause, cause):
        return record
    return record.with_event("pause", by, reason, now).model_copy(
        update={"state": "paused", "pause_cause": cause}
    )


def _stays(present: PauseCause | None, new: PauseCause) -> bool:
    """Tell whether a rollout stays paused for what it was, although it finds another cause."""
    # The next look does not find again what was lost, so a person is told of it now.
    if new == "lost":
        return present == "lost"
    # A pause by a person stays one, and the one that needs a person stays until then.
    return new == "silent" or present != "silent"


def _was_last(record: RolloutRecord, by: str, reason: str) -> bool:
    """Tell whether the latest event is what somebody has done for a reason."""
    return bool(record.events) and (record.events[-1].who, record.events[-1].why) == (by, reason)


def _resumed(record: RolloutRecord, by: str, reason: str, now: datetime) -> RolloutRecord:
    return record.with_event("resume", by, reason, now).model_copy(
        update={"state": "running", "pause_cause": None}
    )
