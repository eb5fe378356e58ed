"""Traffic as text for people and as plain values for programs: routes, replicas and rollouts."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from nmt.cli.durations import duration
from nmt.cli.table import table
from nmt.traffic.changes import Rollback
from nmt.traffic.reports import PairCounts, ReplicaReport, add_counts
from nmt.traffic.routes import Route, Traffic

_MAX_PREVIOUS = 3
_MIB = 2**20


def traffic_text(
    name: str, traffic: Traffic, reports: Sequence[ReplicaReport], now: datetime
) -> str:
    """Write what an endpoint serves, as tables.

    Args:
        name: name of the endpoint.
        traffic: content of its traffic file.
        reports: of its replicas.
        now: the time.
    """
    lines = [f"endpoint '{name}' serves engine {traffic.route().stable}"]
    lines += [f"only '{traffic.owner}' may change its traffic"] if traffic.owner else []
    lines.append(_route_table(traffic))
    lines += [
        f"engine {digest} is worse than its base, and was promoted because: {reason}"
        for route in traffic.routes.values()
        for digest, reason in route.forced.items()
    ]
    running = [report for report in reports if not report.ended]
    lines.append(_replica_table(running, now) if running else "no replica has reported yet")
    for key, route in traffic.routes.items():
        if route.candidate:
            lines += ["", *_rollout_lines(key, route, reports)]
    return "\n".join(lines)


def traffic_value(
    name: str, traffic: Traffic, reports: Sequence[ReplicaReport], now: datetime
) -> Mapping[str, object]:
    """Build what programs get of an endpoint: the traffic file, its replicas, and the counts."""
    rollouts = traffic.rollouts
    return {
        "name": name,
        **traffic.model_dump(mode="json"),
        "replicas": [
            {**each.model_dump(mode="json"), "silent": each.is_silent(now)} for each in reports
        ],
        "counts": [
            each.model_dump(mode="json")
            for each in add_counts(reports).values()
            if each.rollout in rollouts
        ],
    }


def rollback_text(name: str, done: Rollback, *, dry_run: bool = False) -> str:
    """Write what a rollback has done, or would do."""
    if done.ended:
        verb = "would end" if dry_run else "has ended"
        stays = "would stay" if dry_run else "stays"
        return (
            f"endpoint '{name}' {verb} {done.ended} {done.engine} of {done.route}, and {stays} on "
            f"engine {done.stable}"
        )
    verb = "would be" if dry_run else "is"
    return f"endpoint '{name}' {verb} back on engine {done.stable} for {done.route}"


def removal_text(name: str, key: str, traffic: Traffic, *, dry_run: bool = False) -> str:
    """Write that a route was removed, or would be, and which is the default one now."""
    verb = "would no longer serve" if dry_run else "no longer serves"
    return (
        f"endpoint '{name}' {verb} {key}; requests that name no language are translated as "
        f"{traffic.default}"
    )


def _route_table(traffic: Traffic) -> str:
    rows: list[Sequence[str]] = []
    for key, route in traffic.routes.items():
        name = f"{key} (default)" if key == traffic.default else key
        canary = f"{route.canary} {route.percent} %" if route.canary else "-"
        rows.append((name, route.stable, canary, route.shadow or "-", _previous(route)))
    return table(("ROUTE", "STABLE", "CANARY", "SHADOW", "PREVIOUS"), rows)


def _previous(route: Route) -> str:
    more = len(route.previous) - _MAX_PREVIOUS
    latest = ", ".join(route.previous[:_MAX_PREVIOUS])
    return f"{latest}, and {more} more" if more > 0 else latest or "-"


def _replica_table(reports: Iterable[ReplicaReport], now: datetime) -> str:
    rows = [
        (each.replica, _engines(each), _memory(each), each.since or "-", _seen(each, now),
         _problem(each, now))
        for each in reports
    ]  # fmt: skip
    return table(("REPLICA", "ENGINES", "MEMORY", "SINCE", "SEEN", "PROBLEM"), rows)


def _engines(report: ReplicaReport) -> str:
    """List the engines that a replica has loaded, that of the default route first."""
    first = [report.digest] if report.digest else []
    return ", ".join(dict.fromkeys([*first, *report.engines])) or "-"


def _memory(report: ReplicaReport) -> str:
    total = sum(engine.memory_bytes for engine in report.engines.values())
    return f"{total / _MIB:.0f} MiB" if total else "-"


def _seen(report: ReplicaReport, now: datetime) -> str:
    age = report.age_seconds(now)
    return "-" if age is None else f"{duration(age)} ago"


def _problem(report: ReplicaReport, now: datetime) -> str:
    if report.is_silent(now):
        return f"silent for {duration(report.age_seconds(now) or 0)}: gone, or loading an engine"
    return report.error or "; ".join(dict.fromkeys(_route_problems(report)))


def _route_problems(report: ReplicaReport) -> Iterator[str]:
    # The traffic file already names another engine than the one that answers.
    if report.wanted not in (None, report.digest):
        yield f"still loading {report.wanted}"
    for key, route in report.routes.items():
        if route.error:
            yield f"{key}: {route.error}"
            continue
        for wanted, served in (
            (route.wanted_stable, route.stable),
            (route.wanted_canary, route.canary),
            (route.wanted_shadow, route.shadow),
        ):
            if wanted not in (None, served):
                yield f"still loading {wanted}"


def _rollout_lines(key: str, route: Route, reports: Sequence[ReplicaReport]) -> list[str]:
    """Describe a running rollout, with the counts of all replicas by signal and step."""
    kind = "canary" if route.canary else "shadow"
    answers = f", which answers {route.percent} % of the clients" if route.canary else ""
    lines = [
        f"{kind} {route.candidate} of {key}{answers}; both engines translate "
        f"{route.shadow_percent:g} % of the sessions; rollout {route.rollout}"
    ]
    counts = [each for each in add_counts(reports).values() if each.rollout == route.rollout]
    if not counts:
        return [*lines, "no replica has counted anything of it yet"]
    heads = ("SIGNAL", "STEP", "PAIRS", f"{kind.upper()} ONLY", "STABLE ONLY", "SAME",
             f"{kind.upper()} EVENTS", "STABLE EVENTS")  # fmt: skip
    counts.sort(key=lambda each: (each.signal, each.step))
    return [*lines, table(heads, [_count_row(each) for each in counts])]


def _count_row(counts: PairCounts) -> Sequence[str]:
    numbers = (counts.step, counts.pairs, counts.plus, counts.minus, counts.zero,
               counts.events_canary, counts.events_stable)  # fmt: skip
    return (counts.signal, *(str(number) for number in numbers))
