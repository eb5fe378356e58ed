"""Which engine an endpoint serves, what its replicas report, and how a run's engine gets there."""

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
