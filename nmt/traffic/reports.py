"""The reports of an endpoint's replicas: what each serves, and what it has counted.

A replica writes its report in `serving/<name>/replicas/<replica>.json`. During an upgrade two
releases read and write these files, so a reader ignores fields that it does not know.
"""

from collections.abc import Container, Iterable, Mapping
from datetime import datetime

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from nmt.errors import StorageError
from nmt.runs import layout
from nmt.storage import Storage

REPORT_EVERY_SECONDS = 60.0
"""Time between two reports of a replica whose state does not change; longer if it reads the traffic
file less often."""
_MISSED_IF_SILENT = 3
_MISSED_IF_GONE = 60
"""An hour of reports, with the usual time between two."""


class PairCounts(BaseModel):
    """What one replica has seen of one signal, at one step of a rollout.

    The numbers only grow as long as the replica lives, so those of several replicas can be added.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    rollout: str
    """`Route.rollout`."""
    step: int = Field(ge=0)
    """`Route.step`."""
    route: str
    """Key of the route."""
    stable: str
    """Digest of the stable engine."""
    other: str
    """Digest of the canary or shadow."""
    signal: str
    """Name of the flag that was compared on both outputs, or of the kind of event."""
    plus: int = Field(default=0, ge=0)
    """Pairs in which only the other engine was flagged."""
    zero: int = Field(default=0, ge=0)
    """Pairs in which both engines were flagged, or neither."""
    minus: int = Field(default=0, ge=0)
    """Pairs in which only the stable engine was flagged."""
    events_canary: int = Field(default=0, ge=0)
    events_stable: int = Field(default=0, ge=0)

    @property
    def pairs(self) -> int:
        """Return the number of compared pairs."""
        return self.plus + self.zero + self.minus


class EngineReport(BaseModel):
    """An engine that a replica has loaded."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    memory_bytes: int = Field(default=0, ge=0)
    load_seconds: float = Field(default=0.0, ge=0)
    since: str | None = None
    """When it was loaded, UTC."""


class RouteReport(BaseModel):
    """What a replica serves on one route."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    stable: str | None = None
    """Engine that the replica serves as the stable one."""
    canary: str | None = None
    shadow: str | None = None
    wanted_stable: str | None = None
    """Engine that the traffic file names."""
    wanted_canary: str | None = None
    wanted_shadow: str | None = None
    error: str | None = None
    """Why a served engine is not the wanted one."""


class ReplicaReport(BaseModel):
    """A replica's report about itself."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    replica: str
    """Name of this incarnation: a replica that is started again gets another one."""
    host: str = ""
    digest: str | None = None
    """Stable engine that the replica serves on the default route."""
    wanted: str | None = None
    """Stable engine that the traffic file names for the default route."""
    error: str | None = None
    """Why `digest` is not `wanted`, or what is wrong with the traffic file."""
    since: str | None = None
    """When `digest` began to answer, UTC."""
    seen: AwareDatetime | None = None
    """When the replica wrote this."""
    # In the report itself, so that a replica that reads the file rarely does not seem silent.
    every_seconds: float = Field(default=REPORT_EVERY_SECONDS, gt=0)
    """Maximum time until it writes again."""
    ended: bool = False
    """Whether the replica has stopped, and left only its counts."""
    routes: dict[str, RouteReport] = {}
    """By key."""
    engines: dict[str, EngineReport] = {}
    """By digest."""
    counts: tuple[PairCounts, ...] = ()

    def age_seconds(self, now: datetime) -> float | None:
        """Compute the time since the replica wrote this; None if the report has no time."""
        # Clocks of two machines differ a little, so the report may seem to be from the future.
        return max(0.0, (now - self.seen).total_seconds()) if self.seen else None

    def is_silent(self, now: datetime) -> bool:
        """Tell whether the replica has missed three reports."""
        # It is gone, or it is loading an engine.
        return not self.ended and self.has_missed(_MISSED_IF_SILENT, now)

    def has_missed(self, reports: int, now: datetime) -> bool:
        """Tell whether the replica has missed at least this number of reports."""
        age = self.age_seconds(now)
        return age is not None and age > reports * self.every_seconds

    def has_counts_of(self, rollouts: Container[str]) -> bool:
        """Tell whether the report counts something of one of these rollouts."""
        return any(each.rollout in rollouts for each in self.counts)


def add_counts(reports: Iterable[ReplicaReport]) -> Mapping[tuple[str, int, str], PairCounts]:
    """Add the counts of all replicas.

    Returns:
        Maps rollout, step and signal to the sum, in the order in which they were first met.
    """
    # Of two reports of one incarnation, the newer holds what the older does.
    newest: dict[str, ReplicaReport] = {}
    for report in reports:
        known = newest.get(report.replica)
        if known is None or _written(known) <= _written(report):
            newest[report.replica] = report
    sums: dict[tuple[str, int, str], PairCounts] = {}
    for report in newest.values():
        for counts in report.counts:
            key = (counts.rollout, counts.step, counts.signal)
            sums[key] = _add(sums[key], counts) if key in sums else counts
    return sums


def _written(report: ReplicaReport) -> float:
    return report.seen.timestamp() if report.seen else 0.0


def _add(one: PairCounts, other: PairCounts) -> PairCounts:
    numbers = ("plus", "zero", "minus", "events_canary", "events_stable")
    sums = {name: getattr(one, name) + getattr(other, name) for name in numbers}
    return one.model_copy(update=sums)


def read_reports(storage: Storage, name: str) -> list[ReplicaReport]:
    """Read the reports of an endpoint's replicas, including replicas that are gone.

    A report that cannot be read is returned as one whose `error` says so.
    """
    paths = _report_paths(storage, name)
    reports = {path: _read_report(storage, path) for path in paths}
    # A replica that ends deletes its report, perhaps after the folder was listed.
    return [report for path, report in reports.items() if report.seen or storage.exists(path)]


def sweep_reports(
    storage: Storage, name: str, now: datetime, rollouts: Container[str] = ()
) -> None:
    """Delete the reports of replicas that are gone, as they have missed sixty reports.

    Args:
        storage: the storage root.
        name: name of the endpoint.
        now: the time.
        rollouts: the rollouts that run; reports with counts of these stay.
    """
    # A replica that loads an engine for longer than that writes its report again afterwards.
    for path in _report_paths(storage, name):
        report = _read_report(storage, path)
        # Else a rollout would forget the harm that a replica saw before it ended.
        if report.has_missed(_MISSED_IF_GONE, now) and not report.has_counts_of(rollouts):
            storage.delete(path)


def _report_paths(storage: Storage, name: str) -> list[str]:
    folder = layout.replica_reports(name)
    return [f"{folder}/{file}" for file in storage.list(folder) if file.endswith(".json")]


def _read_report(storage: Storage, path: str) -> ReplicaReport:
    try:
        return ReplicaReport.model_validate(storage.read_json(path))
    except (StorageError, ValidationError):
        # One damaged report must not hide those of the other replicas.
        replica = path.rpartition("/")[2].removesuffix(".json")
        error = f"{storage.locate(path)} is not the report of a replica"
        return ReplicaReport(replica=replica, error=error)
