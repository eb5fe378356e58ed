"""The engine that an endpoint serves, the reports of its replicas, and the promotion of a run."""

from nmt.traffic.pointer import (
    REPORT_EVERY_SECONDS,
    ReplicaReport,
    Traffic,
    fetch_engine,
    promote,
    read_reports,
    read_traffic,
    rollback,
    sweep_reports,
    write_traffic,
)

__all__ = [
    "REPORT_EVERY_SECONDS",
    "ReplicaReport",
    "Traffic",
    "fetch_engine",
    "promote",
    "read_reports",
    "read_traffic",
    "rollback",
    "sweep_reports",
    "write_traffic",
]
