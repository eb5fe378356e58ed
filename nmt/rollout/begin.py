"""The start of a rollout: who may begin one, and the record that it begins with."""

import secrets
from collections.abc import Collection, Iterator
from datetime import datetime

from nmt.cli.traffic_options import PromotionOptions
from nmt.config import RolloutConfig
from nmt.errors import InputError
from nmt.rollout.glossaries import has_glossary
from nmt.rollout.record import (
    ITSELF,
    OvertakenError,
    RolloutRecord,
    RolloutSettings,
    create_rollout,
    newest_rollout,
    rollout_id,
    rollouts_of,
)
from nmt.rollout.rules import rules_for
from nmt.rollout.settle import settle
from nmt.runs import layout
from nmt.runs.gate_record import find_decision
from nmt.runs.records import require
from nmt.runs.steps import EXPORT
from nmt.storage import Storage
from nmt.traffic import Traffic, UsualLength, read_traffic
from nmt.traffic.engines import descends_from, explain_damage
from nmt.traffic.promotion import Candidate, judge_candidate, route_of


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
    after: str | None = None,
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
        after: id of the latest rollout of the route that was known when this was decided on, empty
            if there was none; None: whatever has begun.
        now: the time.

    Returns:
        The record. The same call returns the same rollout as long as it runs, or as long as its
        engine serves; after that it begins another try.

    Raises:
        OvertakenError: another rollout has begun since `after`.
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
            return settle(storage, newest, now)
        if after is not None and (newest.id if newest else "") != after:
            raise OvertakenError(
                f"rollout {newest.id if newest else ''} of route {route} has begun meanwhile: look "
                "at it again"
            )
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
            return settle(storage, record, now)


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
    usual_length = _usual_length(storage, run, engine, stable)
    measured = {"len": usual_length is not None, "glossary": has_glossary(storage, endpoint, route)}
    off = [signal for signal, is_measured in measured.items() if not is_measured]
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
        rules=rules_for(kin=is_kin, off=off),
        usual_length=usual_length,
        remarks=tuple(_remarks(is_kin=is_kin, off=off)),
        state="running",
        started=now,
        step_since=now,
    ).with_event("start", by, candidate.judged.remark or "it was asked for", now)
    why = _reason_for_all(settings, engine, stable)
    if why is None:
        return record
    told = record.with_event("promote", ITSELF, why, now).ended_as("promoted", now)
    return told.model_copy(update={"promoted_at": now})


def _usual_length(
    storage: Storage, run: str, engine: str, stable: str | None
) -> UsualLength | None:
    """Read from the gate of a run how long the stable engine's translations usually are."""
    gate = find_decision(storage, run, engine)
    if stable is None or gate is None or gate.baseline != stable or not gate.baseline_lengths:
        return None
    lengths = gate.baseline_lengths
    return UsualLength(engine=stable, median=lengths.median, deviation=lengths.deviation)


def _remarks(*, is_kin: bool, off: Collection[str]) -> Iterator[str]:
    if "len" in off:
        yield (
            "outputs of unusual length are not counted, since no gate has stored the lengths of "
            "the stable engine's translations; the other signals share the weight"
        )
    if "glossary" in off:
        yield (
            "missing terms of a glossary are not counted, since the endpoint has no glossary for "
            "the languages of the route; missing numbers have the weight of both"
        )
    if is_kin:
        yield (
            "the engine comes from the stable one, so each fault is tolerated in at most 0.5 % "
            "more of the outputs"
        )


def _reason_for_all(settings: RolloutConfig, engine: str, stable: str | None) -> str | None:
    """Say why an engine gets all clients at once; None if it does not."""
    if stable is None:
        return "nothing served the route before, so there is nothing to compare with"
    if stable == engine:
        return "it serves already"
    if settings.mode == "direct" or len(settings.steps) == 1:
        return "all clients at once, as the settings of the rollout say"
    return None
