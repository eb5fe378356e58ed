"""Which engines a replica holds, by what its routes need and by the memory that it may use."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from nmt.traffic import Traffic


@dataclass(frozen=True, slots=True)
class Plan:
    """The engines that a replica should hold."""

    keep: tuple[str, ...]
    """Digests, the most important first, which is the order of loading."""
    unfit: Mapping[str, int]
    """Maps an engine that does not fit to the memory that would be enough for it."""


@dataclass(frozen=True, slots=True)
class Holdings:
    """What a replica knows of its engines."""

    answering: Mapping[str, str]
    """Maps the key of a route to the stable engine that answers."""
    last_used: Mapping[str, float]
    """Maps each loaded engine to the time of its last request."""
    failed: Collection[str]
    """Engines that cannot be loaded."""
    bytes_of: Mapping[str, int]
    """Memory of each engine, measured or estimated; those that are missing count as nothing."""


def make_plan(traffic: Traffic, holdings: Holdings, max_bytes: int) -> Plan:
    """Choose the engines to hold within the memory."""
    blocked = set(holdings.failed)
    while True:
        order = list(dict.fromkeys(_order(traffic, holdings, blocked)))
        plan = _fit(order, holdings, max_bytes)
        # A route whose engine does not fit may have an earlier one that does.
        if plan.unfit.keys() <= blocked:
            return plan
        blocked |= plan.unfit.keys()


def _order(traffic: Traffic, holdings: Holdings, blocked: Collection[str]) -> Iterator[str]:
    """Yield engines from the most to the least important one; some come twice."""
    keys = [traffic.default, *(key for key in traffic.routes if key != traffic.default)]
    routes = {key: traffic.routes[key] for key in keys}
    # An engine that answers is never given up before another one can take its place.
    yield from (holdings.answering[key] for key in keys if key in holdings.answering)
    for key, route in routes.items():
        yield route.stable
        if key not in holdings.answering and route.stable in blocked:
            # What the other replicas still serve.
            yield from [each for each in route.previous if each not in blocked][:1]
    yield from (route.canary for route in routes.values() if route.canary)
    yield from (route.shadow for route in routes.values() if route.shadow)
    # Engines of a quick rollback stay if they are loaded already, and go first.
    previous = {route.previous[0] for route in routes.values() if route.previous}
    used = holdings.last_used
    yield from sorted(previous & used.keys(), key=lambda digest: -used[digest])


def _fit(order: Sequence[str], holdings: Holdings, max_bytes: int) -> Plan:
    """Take the engines that fit, in order; those that answer are always taken."""
    answering = set(holdings.answering.values())
    keep: list[str] = []
    unfit: dict[str, int] = {}
    used = 0
    for digest in order:
        size = holdings.bytes_of.get(digest, 0)
        if used + size <= max_bytes or digest in answering:
            keep.append(digest)
            used += size
        else:
            unfit[digest] = used + size
    return Plan(tuple(keep), unfit)
