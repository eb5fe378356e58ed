"""The engines that an endpoint serves, the reports of its replicas, and the promotion of a run."""

from nmt.traffic.changes import (
    Rollback,
    promote,
    remove_route,
    rollback,
    start_canary,
    start_shadow,
)
from nmt.traffic.engines import explain_damage, fetch_engine, open_engine
from nmt.traffic.file import change_traffic, read_traffic, stable_engine
from nmt.traffic.reports import (
    REPORT_EVERY_SECONDS,
    EngineReport,
    PairCounts,
    ReplicaReport,
    RouteReport,
    add_counts,
    read_reports,
    sweep_reports,
)
from nmt.traffic.route_keys import RouteName, parse_route_key, route_key
from nmt.traffic.routes import Route, Traffic, UsualLength
from nmt.traffic.routing import Arm, choose_arm, is_sampled, slot_of

__all__ = [
    "REPORT_EVERY_SECONDS",
    "Arm",
    "EngineReport",
    "PairCounts",
    "ReplicaReport",
    "Rollback",
    "Route",
    "RouteName",
    "RouteReport",
    "Traffic",
    "UsualLength",
    "add_counts",
    "change_traffic",
    "choose_arm",
    "explain_damage",
    "fetch_engine",
    "is_sampled",
    "open_engine",
    "parse_route_key",
    "promote",
    "read_reports",
    "read_traffic",
    "remove_route",
    "rollback",
    "route_key",
    "slot_of",
    "stable_engine",
    "start_canary",
    "start_shadow",
    "sweep_reports",
]
