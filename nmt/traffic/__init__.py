"""Which engine an endpoint serves, what its replicas report, and how a run's engine gets there."""

from nmt.traffic.pointer import (
    REPORT_EVERY_SECONDS,
    ReplicaReport,
    Traffic,
    engine_path,
    fetch_engine,
    promote,
    read_reports,
    read_traffic,
    replicas_path,
    rollback,
    sweep_reports,
    traffic_path,
    write_traffic,
)

__all__ = [
    "REPORT_EVERY_SECONDS",
    "ReplicaReport",
    "Traffic",
    "engine_path",
    "fetch_engine",
    "promote",
    "read_reports",
    "read_traffic",
    "replicas_path",
    "rollback",
    "sweep_reports",
    "traffic_path",
    "write_traffic",
]
