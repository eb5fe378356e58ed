"""The routes of a campaign, and the engines that endpoints need."""

from collections.abc import Iterator

from k8s.objects.campaign.names import rollout_owner
from k8s.operator.observed import ObservedRollout, ObservedRoute
from k8s.operator.rollouts import Rollouts
from nmt.config import Config
from nmt.rollout import newest_rollout
from nmt.runs import layout
from nmt.storage import Storage
from nmt.traffic import read_traffic, route_key


def find_traffic(
    rollouts: Rollouts, storage: Storage, name: str, endpoint: str, config: Config | None
) -> tuple[ObservedRoute | None, ObservedRollout | None]:
    """Find the route and the rollout of a campaign.

    Args:
        rollouts: where rollouts are found.
        storage: the storage root.
        name: of the campaign.
        endpoint: name of the endpoint.
        config: settings that name the route; None where they cannot be read.

    Raises:
        StorageError: the traffic file or the record of a rollout is damaged.
    """
    owner = rollout_owner(name)
    # Other settings may name another route while a rollout still runs on the one before.
    routes = list(_owned_routes(storage, endpoint, owner))
    routes = [_route_of(storage, endpoint, config), *routes] if config else routes
    found = [rollouts.find(storage, each, owner) for each in routes]
    active = [each for each in found if each and each.is_active]
    rollout = active[0] if active else found[0] if found else None
    return (routes[0] if routes else None), rollout


def _owned_routes(storage: Storage, endpoint: str, owner: str) -> Iterator[ObservedRoute]:
    traffic = read_traffic(storage, endpoint)
    for key, route in (traffic.routes if traffic else {}).items():
        if route.owner == owner:
            yield ObservedRoute(
                endpoint, key, None, route.stable, owner, _latest(storage, endpoint, key)
            )


def _route_of(storage: Storage, endpoint: str, config: Config) -> ObservedRoute:
    domain = config.gate.domain
    key = route_key(config.data.source_language, config.data.target_language, domain)
    traffic = read_traffic(storage, endpoint)
    route = traffic.routes.get(key) if traffic else None
    stable, owner = (route.stable, route.owner) if route else (None, None)
    return ObservedRoute(endpoint, key, domain, stable, owner, _latest(storage, endpoint, key))


def _latest(storage: Storage, endpoint: str, key: str) -> str:
    newest = newest_rollout(storage, endpoint, key)
    return newest.id if newest else ""


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
