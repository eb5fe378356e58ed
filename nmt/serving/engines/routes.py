"""The routes that a replica answers, and the loaded engines that answer them."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from nmt.engines.engine import SearchEngine
from nmt.serving.types import ServedRoute
from nmt.traffic import Arm, Route, parse_route_key


@dataclass(eq=False, slots=True)
class HeldEngine:
    """A loaded engine, and who uses it."""

    engine: SearchEngine
    memory_bytes: int
    load_seconds: float
    since: float
    """When it was loaded, in seconds since 1970."""
    on_idle: Callable[[], None]
    """Called when nobody uses the engine any more and it is not wanted."""
    is_wanted: bool = True
    is_in_the_way: bool = False
    """Whether an engine that is wanted waits for its memory."""
    users: int = 0
    last_used: float = field(default_factory=time.monotonic)

    @property
    def digest(self) -> str:
        """Return the engine's digest."""
        return self.engine.digest

    def acquire(self) -> None:
        """Keep the engine loaded until `release`."""
        self.users += 1

    def release(self) -> None:
        """Give up what one `acquire` has asked for."""
        self.users -= 1
        self.last_used = time.monotonic()
        if not self.users and not self.is_wanted:
            self.on_idle()


@dataclass(frozen=True, slots=True)
class ActiveRoute:
    """A route that is answered, with its engines."""

    served: ServedRoute
    route: Route
    """As the traffic file has it."""
    stable: HeldEngine
    since: float
    """When this stable engine began to answer, in seconds since 1970."""
    canary: HeldEngine | None = None
    shadow: HeldEngine | None = None

    @property
    def other(self) -> HeldEngine | None:
        """Return the engine that is compared with the stable one."""
        return self.canary or self.shadow

    def engine_of(self, arm: Arm) -> HeldEngine:
        """Return the engine that answers an arm: the stable one while the canary is missing."""
        return self.canary if arm == "canary" and self.canary else self.stable


def activate(
    key: str,
    route: Route,
    held: Mapping[str, HeldEngine],
    old: ActiveRoute | None,
    now: float,
) -> ActiveRoute | None:
    """Choose the engines of a route; return None if none of them is loaded.

    Args:
        key: of the route in the traffic file.
        route: what the file wants.
        held: the loaded engines, by digest.
        old: how the route is answered so far, if it is.
        now: seconds since 1970.
    """

    def usable(digest: str | None) -> HeldEngine | None:
        engine = held.get(digest) if digest else None
        return engine if engine and translates(engine, key) else None

    stable = usable(route.stable) or (old.stable if old else None)
    # A replica that starts while the stable engine is broken takes the last one that works.
    stable = stable or next(filter(None, map(usable, route.previous)), None)
    if stable is None:
        return None
    since = old.since if old and old.stable is stable else now
    # Counts are about the wanted engines, so that no other pair is compared.
    is_wanted = stable.digest == route.stable
    canary = usable(route.canary) if is_wanted else None
    shadow = usable(route.shadow) if is_wanted else None
    served = _served_route(key, stable, canary, route.percent)
    return ActiveRoute(served, route, stable, since, canary, shadow)


def translates(held: HeldEngine, key: str) -> bool:
    """Tell whether an engine has the languages of a route."""
    name, card = parse_route_key(key), held.engine.card
    languages = (card.source_language, card.target_language)
    return languages == (name.source_language, name.target_language)


def _served_route(
    key: str, stable: HeldEngine, canary: HeldEngine | None, percent: int
) -> ServedRoute:
    name, card = parse_route_key(key), stable.engine.card
    return ServedRoute(
        key=key,
        source_language=name.source_language,
        target_language=name.target_language,
        domain=name.domain,
        engine=stable.digest,
        base=card.base,
        license=card.license,
        canary=canary.digest if canary else None,
        percent=percent if canary else 0,
    )
