"""A rollout on the storage root: begun, looked at, and commanded.

The record is written before the traffic file. Whoever calls next brings the traffic file to what
the record says, so a process may die after any write.
"""

import secrets
from datetime import datetime

from nmt.cli.rollout_options import RolloutCommand as Command
from nmt.cli.traffic_options import PromotionOptions
from nmt.config import RolloutConfig
from nmt.errors import InputError
from nmt.rollout.evidence import Counts
from nmt.rollout.follow import Displaced, can_undo, follow
from nmt.rollout.record import (
    ITSELF,
    RolloutRecord,
    RolloutSettings,
    change_rollout,
    create_rollout,
    newest_rollout,
    read_existing,
    rollout_id,
    rollouts_of,
)
from nmt.rollout.rules import rules_for
from nmt.rollout.transitions import Sight, after_command, after_look, displaced
from nmt.runs import layout
from nmt.runs.records import require
from nmt.runs.steps import EXPORT
from nmt.storage import Storage
from nmt.traffic import (
    ReplicaReport,
    Traffic,
    add_counts,
    change_traffic,
    read_reports,
    read_traffic,
)
from nmt.traffic.engines import descends_from, explain_damage
from nmt.traffic.promotion import Candidate, checked_reason, judge_candidate, route_of

_MISSED_REPORTS = 2


def start(
    storage: Storage,
    endpoint: str,
    run: str,
    settings: RolloutConfig,
    *,
    owner: str,
    by: str,
    reason: str = "",
    domain: str | None = None,
    keep_route: bool = True,
    public_key: str | None = None,
    now: datetime,
) -> RolloutRecord:
    """Begin to roll out the engine of a run, or go on with the rollout that does so.

    Args:
        storage: the storage root.
        endpoint: name of the endpoint (`serving.name`).
        run: name of the run, whose engine the gate has accepted.
        settings: how it is rolled out; kept as they are now.
        owner: who alone may change the route, such as `campaign/NAME`.
        by: who starts it, for the record.
        reason: why the engine may serve, if the gate has not accepted it.
        domain: name of the domain, if the engine is only for one.
        keep_route: whether the route stays the owner's when the rollout has ended.
        public_key: as `serving.public_key` has it; None takes an engine that is not signed.
        now: the time.

    Returns:
        The record. The same call returns the same rollout as long as it runs, or as long as its
        engine serves; after that it begins another try.

    Raises:
        InputError: another rollout, canary or shadow runs on the route, or it is another owner's.
        NotAcceptedError: the gate has not accepted the engine, and no reason is given.
        NmtError: the run is not exported, or its engine is damaged or not signed.
    """
    if settings.mode == "none":
        raise InputError("rollout.mode=none: the engine is not rolled out: choose another mode")
    engine = require(storage, run, EXPORT).output
    route = route_of(storage, engine, domain)
    while True:
        newest = newest_rollout(storage, endpoint, route)
        if newest and _is_the_same(storage, newest, engine, owner):
            return _settle(storage, newest, now)
        if newest and newest.is_active:
            raise InputError(
                f"route {route} of endpoint '{endpoint}' is in rollout {newest.id} of engine "
                f"{newest.engine} (run {newest.run}, by {newest.owner}): promote or abort it first"
            )
        candidate = judge_candidate(
            storage, run, endpoint, PromotionOptions(force=reason or None, domain=domain),
            public_key=public_key,
        )  # fmt: skip
        with explain_damage(storage, engine):
            storage.verify(layout.engine(engine))
        traffic = read_traffic(storage, endpoint)
        if newest_rollout(storage, endpoint, route) != newest:
            continue  # another process has begun one since, which may be this very one
        _check_free(traffic, endpoint, route, owner)
        record = _first_record(
            storage, endpoint, run, candidate, settings, newest, owner=owner,
            keep_route=keep_route, by=by, now=now,
        )  # fmt: skip
        # Of two processes that begin at the same time, one gets the number.
        if create_rollout(storage, record).token == record.token:
            return _settle(storage, record, now)


def look(storage: Storage, endpoint: str, rollout_id: str, now: datetime) -> RolloutRecord:
    """Look at a rollout once: read the counts, decide, and bring the traffic file to that.

    It may be called at any time and as often as one likes.

    Raises:
        InputError: there is no such rollout, or the route is another owner's.
        StorageError: the record or the traffic file is damaged.
    """
    record = _settle(storage, read_existing(storage, endpoint, rollout_id), now)
    if not record.is_active:
        return record
    sight = _see(read_reports(storage, endpoint), record.token, now)
    record = change_rollout(
        storage, endpoint, rollout_id, lambda current: after_look(current, sight, now)
    )
    return _settle(storage, record, now)


def command(
    storage: Storage,
    endpoint: str,
    rollout_id: str,
    do: Command,
    *,
    by: str,
    reason: str,
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
        now: the time.

    Raises:
        InputError: there is no such rollout, it has ended otherwise, or the reason is empty.
        StorageError: the record or the traffic file is damaged.
    """
    why = checked_reason(reason, f"--{do}")
    record = _settle(storage, read_existing(storage, endpoint, rollout_id), now)
    if do == "abort":
        _check_undo(record, read_traffic(storage, endpoint))
    missing = _see(read_reports(storage, endpoint), record.token, now).missing

    def change(current: RolloutRecord) -> RolloutRecord:
        return after_command(current, do, by=by, reason=why, missing=missing, now=now)

    return _settle(storage, change_rollout(storage, endpoint, rollout_id, change), now)


def _is_the_same(storage: Storage, record: RolloutRecord, engine: str, owner: str) -> bool:
    """Tell whether a rollout is what a call of `start` asks for."""
    if (record.engine, record.owner) != (engine, owner):
        return False
    if record.is_active or not record.settled:
        return record.state not in ("rolled_back", "aborted")
    traffic = read_traffic(storage, record.endpoint)
    served = traffic.routes.get(record.route) if traffic else None
    return record.state == "promoted" and served is not None and served.stable == engine


def _check_free(traffic: Traffic | None, endpoint: str, key: str, owner: str) -> None:
    """Refuse a route on which something runs, before a record is written.

    Raises:
        InputError: names what runs and what to do.
    """
    route = traffic.routes.get(key) if traffic else None
    if route is None:
        return
    if route.owner not in (None, owner):
        raise InputError(
            f"route {key} of endpoint '{endpoint}' belongs to '{route.owner}', which changes it by "
            "itself: end that first"
        )
    if route.candidate:
        raise InputError(
            f"engine {route.candidate} is a running canary or shadow of route {key}: promote it, "
            f"or end it with `nmt rollback serving.name={endpoint}`, before a rollout starts"
        )


def _first_record(
    storage: Storage,
    endpoint: str,
    run: str,
    candidate: Candidate,
    settings: RolloutConfig,
    newest: RolloutRecord | None,
    *,
    owner: str,
    keep_route: bool,
    by: str,
    now: datetime,
) -> RolloutRecord:
    engine, route, stable = candidate.digest, candidate.route, candidate.stable
    earlier = rollouts_of(storage, endpoint, route)
    # After the one that was found to have ended: whatever another process has begun since then
    # takes this number, and is found at the next turn.
    last = int(newest.id.rpartition("-")[2]) if newest else 0
    is_kin = stable is not None and descends_from(storage, engine, stable)
    record = RolloutRecord(
        id=rollout_id(route, last + 1),
        endpoint=endpoint,
        route=route,
        run=run,
        engine=engine,
        stable=stable,
        owner=owner,
        keeps_route=keep_route,
        forced=candidate.judged.forced,
        token=secrets.token_hex(8),
        tries=1 + sum(each.engine == engine for each in earlier),
        settings=RolloutSettings.model_validate(settings.model_dump()),
        rules=rules_for(kin=is_kin, off=("len",)),
        state="running",
        started=now,
        step_since=now,
    ).with_event("start", by, candidate.judged.remark or "it was asked for", now)
    why = _reason_for_all(settings, engine, stable)
    if why is None:
        return record
    told = record.with_event("promote", ITSELF, why, now).ended_as("promoted", now)
    return told.model_copy(update={"promoted_at": now})


def _reason_for_all(settings: RolloutConfig, engine: str, stable: str | None) -> str | None:
    """Say why an engine gets all clients at once; None if it does not."""
    if stable is None:
        return "nothing served the route before, so there is nothing to compare with"
    if stable == engine:
        return "it serves already"
    if settings.mode == "direct" or len(settings.steps) == 1:
        return "all clients at once, as the settings of the rollout say"
    return None


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


def _settle(storage: Storage, record: RolloutRecord, now: datetime) -> RolloutRecord:
    """Bring the traffic file to what a record says, and note in the record that it is there.

    Raises:
        InputError: the traffic file is another owner's.
        StorageError: the record or the traffic file is damaged.
    """
    while not (record.settled and not record.is_active):
        traffic = read_traffic(storage, record.endpoint)
        try:
            wanted = follow(record, traffic)
            if record.settled and wanted == traffic:
                return record
            # Where an ended rollout finds no traffic file, there is nothing to take it out of.
            followed = record if wanted is None else _write_traffic(storage, record)
        except Displaced as error:
            record = _displace(storage, record, str(error), now)
        else:
            record = _mark_settled(storage, followed)
    return record


def _write_traffic(storage: Storage, record: RolloutRecord) -> RolloutRecord:
    """Bring the traffic file to the newest record of a rollout, and return that record.

    Raises:
        Displaced: somebody else has changed the route.
    """
    applied = record

    def change(traffic: Traffic | None) -> Traffic:
        nonlocal applied
        # Read after the traffic file, which is replaced only if it is still the one that was
        # read: so a process that slept cannot bring back what another one has ended since.
        applied = read_existing(storage, record.endpoint, record.id)
        try:
            wanted = follow(applied, traffic)
        except Displaced:
            # The record is newer than this traffic file: what it says may have been written since.
            newer = read_traffic(storage, record.endpoint)
            if newer is None or newer == traffic:
                raise
            return newer  # it is not written, since the file has changed: this is called again
        if wanted is None:
            raise Displaced("the traffic file was deleted")
        return wanted

    change_traffic(storage, record.endpoint, change, owner=record.owner)
    return applied


def _mark_settled(storage: Storage, followed: RolloutRecord) -> RolloutRecord:
    def settle(current: RolloutRecord) -> RolloutRecord:
        # What has changed since then is not in the traffic file yet.
        is_same = current.serial == followed.serial
        return current.model_copy(update={"settled": True}) if is_same else current

    return change_rollout(storage, followed.endpoint, followed.id, settle)


def _displace(storage: Storage, record: RolloutRecord, why: str, now: datetime) -> RolloutRecord:
    def end(current: RolloutRecord) -> RolloutRecord:
        return displaced(current, why, now) if current.serial == record.serial else current

    return change_rollout(storage, record.endpoint, record.id, end)


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
