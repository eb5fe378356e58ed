"""The rollouts of campaigns, as the operator sees and changes them."""

from datetime import datetime
from typing import Protocol

from k8s.operator.observed import ObservedRollout, ObservedRoute
from k8s.operator.plan.rollout import SUSPENDED
from nmt.config import Config
from nmt.rollout import Command, RolloutRecord, command, look, newest_rollout, start
from nmt.rollout.rules import WORDS
from nmt.storage import Storage


class Rollouts(Protocol):
    """Rollouts on a storage root. Each change can be repeated without harm."""

    def find(self, storage: Storage, route: ObservedRoute, owner: str) -> ObservedRollout | None:
        """Return the latest rollout of a route, if it is the owner's."""
        ...

    def start(
        self,
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

        Raises:
            InputError: the gate has not accepted the engine and there is no reason, or another
                rollout runs on the route.
        """
        ...

    def look(self, storage: Storage, endpoint: str, rollout: str, now: datetime) -> None:
        """Look once at a rollout."""
        ...

    def command(
        self,
        storage: Storage,
        endpoint: str,
        rollout: str,
        do: Command,
        *,
        by: str,
        reason: str,
        now: datetime,
    ) -> None:
        """Pause, resume, promote or abort a rollout.

        Raises:
            InputError: it has ended otherwise.
        """
        ...


class StorageRollouts:
    """The rollouts of `nmt.rollout`."""

    def find(self, storage: Storage, route: ObservedRoute, owner: str) -> ObservedRollout | None:
        """Return the latest rollout of a route, if it is the owner's."""
        record = newest_rollout(storage, route.endpoint, route.key)
        return _observed(record, owner) if record and record.owner == owner else None

    def start(
        self,
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
        """Begin to roll out the engine of a run, or go on with the rollout that does so."""
        settings = config.rollout
        if at_once:
            settings = settings.model_copy(update={"mode": "direct"})
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
            now=now,
        )

    def look(self, storage: Storage, endpoint: str, rollout: str, now: datetime) -> None:
        """Look once at a rollout."""
        look(storage, endpoint, rollout, now)

    def command(
        self,
        storage: Storage,
        endpoint: str,
        rollout: str,
        do: Command,
        *,
        by: str,
        reason: str,
        now: datetime,
    ) -> None:
        """Pause, resume, promote or abort a rollout."""
        command(storage, endpoint, rollout, do, by=by, reason=reason, now=now)


def _observed(record: RolloutRecord, owner: str) -> ObservedRollout:
    """Take from the record of a rollout what a plan is made from."""
    last = record.events[-1] if record.events else None
    paused = record.state == "paused" and record.pause_cause == "person"
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
        last_good=record.last_good,
        reason=record.reason,
        held=paused,
        paused_by_suspension=paused
        and last is not None
        and (last.who, last.why) == (owner, SUSPENDED),
        settled=record.settled,
    )


def _harm(record: RolloutRecord) -> str:
    """Name the signal with the strongest evidence of harm; empty if none has any."""
    found = {name: each.log_harm for name, each in record.evidence.items() if each.log_harm > 0}
    if not found:
        return ""
    name = max(found, key=lambda each: found[each])
    return f"{WORDS.get(name, name)} (log evidence {found[name]:.1f})"
