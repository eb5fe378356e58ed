"""A rollout on the storage root, looked at and commanded.

The record is written before the traffic file. Whoever calls next brings the traffic file to what
the record says, so a process may die after any write.
"""

from datetime import datetime

from nmt.cli.rollout_options import RolloutCommand as Command
from nmt.errors import InputError
from nmt.rollout.evidence import Counts
from nmt.rollout.follow import can_undo
from nmt.rollout.record import (
    OvertakenError,
    RolloutEvent,
    RolloutRecord,
    change_rollout,
    read_existing,
)
from nmt.rollout.settle import settle
from nmt.rollout.transitions import Sight, after_command, after_look
from nmt.storage import Storage
from nmt.traffic import ReplicaReport, Traffic, add_counts, read_reports, read_traffic
from nmt.traffic.promotion import checked_reason

_MISSED_REPORTS = 2


def look(storage: Storage, endpoint: str, rollout_id: str, now: datetime) -> RolloutRecord:
    """Look at a rollout once: read the counts, decide, and bring the traffic file to that.

    It may be called at any time and as often as one likes.

    Raises:
        InputError: there is no such rollout, or the route is another owner's.
        StorageError: the record or the traffic file is damaged.
    """
    seen = settle(storage, read_existing(storage, endpoint, rollout_id), now)
    if not seen.is_active:
        return seen
    sight = _see(read_reports(storage, endpoint), seen.token, now)

    def change(current: RolloutRecord) -> RolloutRecord:
        # To reports that were read before another process looked, later counts would seem lost.
        return after_look(current, sight, now) if current == seen else current

    return settle(storage, change_rollout(storage, endpoint, rollout_id, change), now)


def command(
    storage: Storage,
    endpoint: str,
    rollout_id: str,
    do: Command,
    *,
    by: str,
    reason: str,
    after: RolloutEvent | None = None,
    now: datetime,
) -> RolloutRecord:
    """Pause, resume, promote or abort a rollout for a person.

    A rollout is watched while it is paused, and rolled back if it does harm. An engine that is
    aborted after its promotion is rolled back to the one before it.

    Args:
        storage: the storage root.
        endpoint: name of the endpoint.
        rollout_id: id of the rollout.
        do: the command; one that was followed already changes nothing.
        by: who gives it.
        reason: why.
        after: the latest event that was known when the command was decided on; None: whatever has
            happened.
        now: the time.

    Raises:
        OvertakenError: something has happened since `after`.
        InputError: there is no such rollout, it has ended otherwise, or the reason is empty.
        StorageError: the record or the traffic file is damaged.
    """
    why = checked_reason(reason, f"--{do}")
    record = settle(storage, read_existing(storage, endpoint, rollout_id), now)
    _check_latest(record, after)
    if do == "abort":
        _check_undo(record, read_traffic(storage, endpoint))
    missing = _see(read_reports(storage, endpoint), record.token, now).missing

    def change(current: RolloutRecord) -> RolloutRecord:
        _check_latest(current, after)
        return after_command(current, do, by=by, reason=why, missing=missing, now=now)

    return settle(storage, change_rollout(storage, endpoint, rollout_id, change), now)


def _check_latest(record: RolloutRecord, after: RolloutEvent | None) -> None:
    """Refuse a command that was decided on before the latest event.

    Raises:
        OvertakenError: it was.
    """
    if after is not None and record.events[-1:] != (after,):
        raise OvertakenError(
            f"rollout {record.id} has changed meanwhile ({record.reason}): look at it again"
        )


def _see(reports: list[ReplicaReport], token: str, now: datetime) -> Sight:
    """Read from the reports of replicas what they say of a rollout."""
    tally: dict[str, dict[int, Counts]] = {}
    for (rollout, step, signal), each in add_counts(reports).items():
        if rollout == token:
            tally.setdefault(signal, {})[step] = Counts(
                each.plus, each.zero, each.minus, each.events_canary, each.events_stable
            )
    return Sight(tally, tuple(each.replica for each in reports if _is_missing(each, token, now)))


def _is_missing(report: ReplicaReport, token: str, now: datetime) -> bool:
    if report.ended:
        return False
    # What cannot be read may have counts.
    is_damaged = report.seen is None and report.error is not None
    return is_damaged or (report.has_counts_of({token}) and report.has_missed(_MISSED_REPORTS, now))


def _check_undo(record: RolloutRecord, traffic: Traffic | None) -> None:
    """Refuse to give up an engine that does not serve any more, or that nothing can replace.

    Raises:
        InputError: says what serves.
    """
    if record.state != "promoted" or can_undo(record, traffic):
        return
    route = traffic.routes.get(record.route) if traffic else None
    if route is None or route.stable != record.engine or route.candidate:
        now = f"engine {route.stable} serves it" if route else "it is gone"
        beside = f", beside {route.candidate}" if route and route.candidate else ""
        raise InputError(
            f"rollout {record.id} has ended, and route {record.route} has changed since ({now}"
            f"{beside}): it cannot be aborted any more"
        )
    raise InputError(
        f"engine {record.engine} is the first one that route {record.route} serves: there is "
        "nothing to roll back to"
    )
