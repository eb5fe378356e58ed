"""What the traffic file must say of a rollout; pure."""

from nmt.rollout.record import RolloutRecord
from nmt.traffic import Route, Traffic


class Displaced(Exception):
    """A change of the route by somebody else, which ends the rollout."""


def follow(record: RolloutRecord, traffic: Traffic | None) -> Traffic | None:
    """Bring the traffic of an endpoint to what the record of a rollout says.

    Done twice, it changes nothing the second time.

    Returns:
        The new traffic; None if there is no traffic file, and none is needed.

    Raises:
        Displaced: somebody else has changed the route.
    """
    route = traffic.routes.get(record.route) if traffic else None
    if not record.is_active and record.state != "promoted":
        changed = _without(record, route, traffic) if traffic and route else None
    elif route and route.owner not in (None, record.owner):
        raise Displaced(f"it belongs to '{route.owner}' now")
    elif record.is_active:
        changed = _with_canary(record, route)
    else:
        changed = _with_promoted(record, route)
    if changed is None:
        return traffic
    if traffic is None:
        return Traffic(default=record.route, routes={record.route: changed})
    return traffic.with_route(record.route, changed)


def can_undo(record: RolloutRecord, traffic: Traffic | None) -> bool:
    """Tell whether a promoted engine still serves, and the one before it can serve again."""
    route = traffic.routes.get(record.route) if traffic else None
    return (
        route is not None
        and route.stable == record.engine != record.stable
        and route.candidate is None
        and route.previous[:1] == (record.stable,)
    )


def _with_canary(record: RolloutRecord, route: Route | None) -> Route:
    if route is None:
        raise Displaced(f"route {record.route} was removed")
    if route.stable != record.stable:
        raise Displaced(f"engine {route.stable} was made the stable one")
    is_ours = route.rollout == record.token and route.canary == record.engine
    may_begin = record.step == 0 and not record.settled and route.canary is None
    if not is_ours and not may_begin:
        what = f"engine {route.candidate} was made" if route.candidate else "somebody has ended"
        raise Displaced(f"{what} the canary")
    return route.with_rollout(
        record.token,
        record.engine,
        record.percent,
        record.step,
        shadow_percent=record.settings.shadow_percent,
        usual_length=record.usual_length,
        forced=record.forced,
    ).with_owner(record.owner)


def _with_promoted(record: RolloutRecord, route: Route | None) -> Route:
    owner = record.owner if record.keeps_route else None
    if route is None:
        if record.stable:
            raise Displaced(f"route {record.route} was removed")
        return Route(stable=record.engine).promoted(record.engine, record.forced).with_owner(owner)
    is_ours = route.rollout == record.token
    # With all clients at once no canary was ever there.
    if not is_ours and route.candidate is None and route.stable in (record.stable, record.engine):
        is_ours = not record.settled
    if not is_ours:
        if route.stable == record.engine:
            return route
        raise Displaced(f"engine {route.stable} was made the stable one")
    return route.promoted(record.engine, record.forced).with_owner(owner)


def _without(record: RolloutRecord, route: Route, traffic: Traffic) -> Route:
    """Take the engine of a rollout that has ended out of the route."""
    if route.owner not in (None, record.owner):
        return route
    changed = route
    if route.rollout == record.token:
        changed = route.with_rollout_ended()
    elif record.promoted_at and can_undo(record, traffic):
        changed = route.rolled_back()
    return changed if record.keeps_route else changed.with_owner(None)
