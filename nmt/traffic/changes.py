"""Changes of an endpoint's traffic: promotion, canary, shadow, rollback, and removal of a route.

They write the traffic file and nothing else; running replicas follow it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from nmt.errors import InputError
from nmt.runs import layout
from nmt.storage import Storage
from nmt.traffic.engines import explain_damage, language_pair
from nmt.traffic.file import change_traffic, check_exists
from nmt.traffic.route_keys import check_domain, route_key
from nmt.traffic.routes import Route, Traffic


@dataclass(frozen=True, slots=True)
class Rollback:
    """What a rollback has changed."""

    traffic: Traffic
    """The new content of the traffic file."""
    route: str
    """Key of the route."""
    ended: Literal["canary", "shadow"] | None
    """What it ended; None: it returned to the previous engine."""
    engine: str
    """The engine that was ended or left."""

    @property
    def stable(self) -> str:
        """Return the engine that answers now."""
        return self.traffic.route(self.route).stable


def promote(
    storage: Storage,
    name: str,
    digest: str,
    forced: str | None = None,
    *,
    domain: str | None = None,
    check_replaced: Callable[[str | None], object] = lambda stable: None,
    dry_run: bool = False,
) -> Traffic:
    """Make an engine the stable one of its language pair; canary and shadow of that pair end.

    An engine of a pair or domain that the endpoint does not serve yet adds a route.

    Args:
        storage: the storage root.
        name: name of the endpoint.
        digest: the engine.
        forced: why the engine is promoted, if it is worse than its base.
        domain: name of the domain, if the engine is only for one.
        check_replaced: receives what serves the route at the moment of the change, None for
            nothing, and raises if the engine must not replace it.
        dry_run: change nothing, and only return the new traffic.

    Raises:
        InputError: the engine is not on the storage root.
        StorageError: the engine is damaged; names the command that makes it again.
    """
    key = _verified_route(storage, digest, domain)

    def change(current: Traffic | None) -> Traffic:
        known = current.routes.get(key) if current else None
        check_replaced(known.stable if known else None)
        route = (known or Route(stable=digest)).promoted(digest, forced)
        return (
            current.with_route(key, route) if current else Traffic(default=key, routes={key: route})
        )

    return change_traffic(storage, name, change, dry_run=dry_run)


def start_canary(
    storage: Storage,
    name: str,
    digest: str,
    percent: int,
    *,
    domain: str | None = None,
    forced: str | None = None,
    shadow_percent: float | None = None,
    dry_run: bool = False,
) -> Traffic:
    """Let an engine answer a share of the clients of its route, or change the share if it does.

    Args:
        storage: the storage root.
        name: name of the endpoint.
        digest: the engine.
        percent: the share, 0 to 100.
        domain: name of the domain, if the engine is only for one.
        forced: why the engine may answer, if it is worse than its base.
        shadow_percent: share of the sessions that both engines translate; None: 5 in a new
            rollout, and unchanged in a running one.
        dry_run: change nothing, and only return the new traffic.

    Raises:
        InputError: nothing is stable on that route yet, the engine is the stable one, or the share
            is out of range.
        StorageError: the engine is damaged; names the command that makes it again.
    """
    key = _verified_route(storage, digest, domain)
    return _change_candidate(
        storage,
        name,
        key,
        lambda route: route.with_canary(digest, percent, forced, shadow_percent),
        f"engine {digest} cannot be the canary",
        dry_run=dry_run,
    )


def start_shadow(
    storage: Storage,
    name: str,
    digest: str,
    *,
    domain: str | None = None,
    shadow_percent: float | None = None,
    dry_run: bool = False,
) -> Traffic:
    """Let an engine translate along on its route, without its translations being returned.

    Args:
        storage: the storage root.
        name: name of the endpoint.
        digest: the engine.
        domain: name of the domain, if the engine is only for one.
        shadow_percent: share of the sessions that both engines translate; None: 5 in a new
            rollout, and unchanged in a running one.
        dry_run: change nothing, and only return the new traffic.

    Raises:
        InputError: nothing is stable on that route yet, a canary runs, or the engine is the stable
            one.
        StorageError: the engine is damaged; names the command that makes it again.
    """
    key = _verified_route(storage, digest, domain)
    return _change_candidate(
        storage,
        name,
        key,
        lambda route: route.with_shadow(digest, shadow_percent),
        f"engine {digest} cannot be the shadow",
        dry_run=dry_run,
    )


def rollback(
    storage: Storage, name: str, *, route: str | None = None, dry_run: bool = False
) -> Rollback:
    """End the canary or shadow of a route; if none runs, make the previous engine stable again.

    Args:
        storage: the storage root.
        name: name of the endpoint.
        route: key of the route; by default that of requests that name no language.
        dry_run: change nothing, and only return what would happen.

    Raises:
        InputError: nothing was promoted, there is no such route, or no earlier engine.
    """
    # Set by the last call of `change`, whose outcome is the one that was written.
    before: list[Route] = []

    def change(found: Route) -> Route:
        before[:] = [found]
        return found.with_rollout_ended() if found.candidate else found.rolled_back()

    traffic = _change_route(storage, name, route, change, dry_run=dry_run)
    old = before[0]
    ended = "canary" if old.canary else "shadow" if old.shadow else None
    return Rollback(traffic, traffic.checked_key(route), ended, old.candidate or old.stable)


def remove_route(storage: Storage, name: str, key: str, *, dry_run: bool = False) -> Traffic:
    """Stop serving a language pair or domain; its engines stay on the storage root.

    Raises:
        InputError: there is no such route, or no other one.
    """
    return change_traffic(
        storage,
        name,
        lambda current: require_traffic(current, name).without_route(key),
        dry_run=dry_run,
    )


def require_traffic(current: Traffic | None, name: str) -> Traffic:
    """Return the traffic of an endpoint if there is any.

    Raises:
        InputError: nothing was promoted.
    """
    if current is None:
        raise InputError(f"endpoint '{name}' has no promoted engine: run `nmt promote run=…` first")
    return current


def _verified_route(storage: Storage, digest: str, domain: str | None) -> str:
    """Verify an engine, and return the key of the route that it belongs to.

    Raises:
        InputError: the engine is not on the storage root, or the name of the domain is not valid.
        StorageError: the engine is damaged; names the command that makes it again.
    """
    if domain is not None:
        check_domain(domain)
    check_exists(storage, digest)
    # Replicas refuse a damaged engine, so it must not get into the traffic file.
    with explain_damage(storage, digest):
        storage.verify(layout.engine(digest))
    pair = language_pair(storage, digest)
    return route_key(pair.source_language, pair.target_language, domain)


def _change_route(
    storage: Storage,
    name: str,
    key: str | None,
    change: Callable[[Route], Route],
    *,
    dry_run: bool,
) -> Traffic:
    def change_one(current: Traffic | None) -> Traffic:
        traffic = require_traffic(current, name)
        return traffic.with_route(traffic.checked_key(key), change(traffic.route(key)))

    return change_traffic(storage, name, change_one, dry_run=dry_run)


def _change_candidate(
    storage: Storage,
    name: str,
    key: str,
    change: Callable[[Route], Route],
    refusal: str,
    *,
    dry_run: bool,
) -> Traffic:
    """Change the route of a canary or shadow, which needs a stable engine to compare with."""

    def change_one(current: Traffic | None) -> Traffic:
        traffic = require_traffic(current, name)
        if key not in traffic.routes:
            raise InputError(
                f"{refusal}: its route is {key}, and endpoint '{name}' has only "
                f"{', '.join(traffic.routes)}: promote it first without --canary or --shadow, "
                "which adds the route"
            )
        return traffic.with_route(key, change(traffic.routes[key]))

    return change_traffic(storage, name, change_one, dry_run=dry_run)
