"""The rollouts of campaigns, as the operator sees and changes them."""

from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime

from k8s.api.errors import ConflictError
from k8s.operator.observed import ObservedRollout, ObservedRoute
from k8s.operator.plan.rollout import SUSPENDED
from nmt.config import Config
from nmt.rollout import (
    Command,
    OvertakenError,
    RolloutEvent,
    RolloutRecord,
    command,
    start,
)
from nmt.rollout.rules import WORDS
from nmt.storage import Storage


def start_rollout(
    storage: Storage,
    route: ObservedRoute,
    run: str,
    config: Config,
    *,
    owner: str,
    reason: str,
    at_once: bool,
    now: datetime,
) -> None:
    """Begin to roll out the engine of a run, or go on with the rollout that does so.

    Args:
        storage: the storage root.
        route: the route, as it was observed.
        run: the run.
        config: settings of the campaign.
        owner: who rolls it out.
        reason: why it may serve although the gate has not accepted it.
        at_once: whether it serves everybody at once, whatever the settings say.
        now: the time.

    Raises:
        ConflictError: another rollout has begun since: look again.
        InputError: the gate has not accepted the engine and there is no reason, or another
            rollout runs on the route.
    """
    settings = config.rollout
    if at_once:
        settings = settings.model_copy(update={"mode": "direct"})
    with _overtaken_is_conflict():
        start(
            storage,
            route.endpoint,
            run,
            settings,
            owner=owner,
            by=owner,
            reason=reason,
            domain=route.domain,
            public_key=config.serving.public_key,
            after=route.rollout,
            now=now,
        )


def command_rollout(
    storage: Storage,
    endpoint: str,
    rollout: str,
    do: Command,
    *,
    by: str,
    reason: str,
    after: RolloutEvent | None,
    now: datetime,
) -> None:
    """Pause, resume, promote or abort a rollout.

    Args:
        storage: the storage root.
        endpoint: name of the endpoint.
        rollout: id of the rollout.
        do: the command.
        by: who gives it.
        reason: why.
        after: the latest event of the rollout that is known.
        now: the time.

    Raises:
        ConflictError: something else has happened to the rollout since: look again.
        InputError: it has ended otherwise.
    """
    with _overtaken_is_conflict():
        command(storage, endpoint, rollout, do, by=by, reason=reason, after=after, now=now)


@contextmanager
def _overtaken_is_conflict() -> Generator[None]:
    """Let the campaign be looked at again if somebody else was faster."""
    try:
        yield
    except OvertakenError as error:
        raise ConflictError(str(error)) from None


def observed_rollout(record: RolloutRecord, owner: str) -> ObservedRollout:
    """Take from the record of an owner's rollout what a plan is made from."""
    last = record.events[-1] if record.events else None
    paused = record.state == "paused"
    return ObservedRollout(
        id=record.id,
        run=record.run,
        engine=record.engine,
        stable=record.stable,
        state=record.state,
        percent=record.percent,
        step=record.step,
        since=record.step_since.timestamp(),
        pairs=record.pairs,
        harm=_harm(record),
        reason=record.reason,
        held=paused and record.pause_cause != "silent",
        paused_by_suspension=paused
        and record.pause_cause == "person"
        and last is not None
        and (last.who, last.why) == (owner, SUSPENDED),
        settled=record.settled,
        last_event=last,
    )


def _harm(record: RolloutRecord) -> str:
    """Name the signal with the strongest evidence of harm; empty if none has any."""
    found = {name: each.log_harm for name, each in record.evidence.items() if each.log_harm > 0}
    if not found:
        return ""
    name = max(found, key=lambda each: found[each])
    return f"{WORDS.get(name, name)} (log evidence {found[name]:.1f})"
