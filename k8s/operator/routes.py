"""The routes of a campaign, and the engines that endpoints need."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field

from k8s.objects.campaign.names import rollout_owner
from k8s.operator.observed import ObservedRollout, ObservedRoute
from k8s.operator.rollouts import observed_rollout
from nmt.config import Config
from nmt.errors import DamagedRecordError
from nmt.rollout import RolloutRecord, newest_rollout, rollouts_of
from nmt.runs import layout
from nmt.storage import Storage
from nmt.traffic import read_traffic, route_key

log = logging.getLogger(__name__)


def find_traffic(
    storage: Storage, name: str, endpoint: str, config: Config | None
) -> tuple[ObservedRoute | None, ObservedRollout | None]:
    """Find the route and the rollout of a campaign.

    Args:
        storage: the storage root.
        name: of the campaign.
        endpoint: name of the endpoint.
        config: settings that name the route; None where they cannot be read.

    Raises:
        StorageError: the traffic file or the record of a rollout is damaged.
    """
    owner = rollout_owner(name)
    traffic = read_traffic(storage, endpoint)
    there = traffic.routes if traffic else {}
    owned = [key for key, route in there.items() if route.owner == owner]
    # Other settings may name another route while a rollout still runs on the one before.
    keys = list(dict.fromkeys([_key_of(config), *owned])) if config else owned
    if not keys:
        return None, None
    newest = [newest_rollout(storage, endpoint, key) for key in keys]
    key, first = keys[0], newest[0]
    stable = there[key].stable if key in there else None
    own = [each if each and each.owner == owner else None for each in newest]
    earlier = _Earlier()
    if own[0] and stable and own[0].state in ("rolled_back", "aborted"):
        earlier = _find_earlier(storage, endpoint, key, owner, stable)
    route = ObservedRoute(
        endpoint,
        key,
        config.gate.domain if config else None,
        stable=stable,
        owner=there[key].owner if key in there else None,
        rollout=first.id if first else "",
        promoted_by=observed_rollout(earlier.promoted, owner) if earlier.promoted else None,
        given_up=earlier.given_up,
    )
    # One that has ended still has to be taken out of its route, if that is not written yet.
    at_work = [each for each in own if each and (each.is_active or not each.settled)]
    if earlier.unsettled:
        at_work.append(earlier.unsettled)
    rollout = at_work[0] if at_work else own[0]
    return route, observed_rollout(rollout, owner) if rollout else None


@dataclass(frozen=True, slots=True)
class _Earlier:
    """What the rollouts of a campaign say of the engine that serves after a canary has ended."""

    promoted: RolloutRecord | None = None
    """The one that made it serve."""
    unsettled: RolloutRecord | None = None
    """One that was given up, and is still to be taken out of its route."""
    given_up: Mapping[str, str] = field(default_factory=dict[str, str])


def _find_earlier(storage: Storage, endpoint: str, key: str, owner: str, stable: str) -> _Earlier:
    given_up: dict[str, str] = {}
    try:
        records = rollouts_of(storage, endpoint, key)
    except DamagedRecordError as error:
        # Only a rollback needs them, and a campaign must go on without.
        log.warning("earlier rollouts of %s are not considered: %s", key, error)
        return _Earlier()
    for record in reversed(records):
        if record.owner != owner:
            break
        if record.state == "promoted":
            return _Earlier(record if record.engine == stable else None, None, given_up)
        if not record.settled:
            return _Earlier(None, record, given_up)
        if record.events:
            given_up[record.events[-1].why] = record.engine
    return _Earlier(given_up=given_up)


def _key_of(config: Config) -> str:
    data = config.data
    return route_key(data.source_language, data.target_language, config.gate.domain)


def engines_in_use(storage: Storage) -> frozenset[str]:
    """List the engines that some endpoint serves, or could roll back to.

    Raises:
        StorageError: a traffic file is damaged.
    """
    found: set[str] = set()
    for endpoint in storage.list(layout.ENDPOINTS):
        traffic = read_traffic(storage, endpoint)
        for route in traffic.routes.values() if traffic else ():
            found |= {*route.engines, *route.previous}
    return frozenset(found)
