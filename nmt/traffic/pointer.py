"""Which engine an endpoint serves: one small file, `serving/<name>/traffic.json`.

Beside it each replica reports what it serves, in `serving/<name>/replicas/<replica>.json`. Releases
of the project meet over these files during an upgrade: a reader ignores fields that it does not
know.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from operator import not_
from pathlib import Path
from typing import Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from nmt.errors import InputError, StorageError
from nmt.runs import layout
from nmt.storage import RecordKind, Storage

REPORT_EVERY_SECONDS = 60.0
"""Time between two reports of a replica that has nothing new to tell; longer where it looks at the
pointer more rarely."""
_MISSED_REPORTS = 3
_MISSED_BY_THE_GONE = 60
_HISTORY = 10


class Traffic(BaseModel):
    """Engines by content digest; replicas follow it within `serving.poll_seconds`.

    Fields of a later release are kept when this one promotes or rolls back. So a field that is
    added names the engine that it is about, and means nothing once another one is stable.
    """

    model_config = ConfigDict(frozen=True, extra="allow")

    stable: str
    """Engine that answers."""
    canary: str | None = None
    """Engine that answers `percent` of the requests."""
    percent: int = Field(default=0, ge=0, le=100)
    shadow: str | None = None
    """Engine that translates along, its answers unused."""
    previous: tuple[str, ...] = ()
    """Earlier stable engines, latest first: where `rolled_back` goes."""
    forced: dict[str, str] = Field(default={}, exclude_if=not_)
    """Engine of these -> why it was promoted although it is worse than its base."""

    def promoted(self, digest: str, forced: str | None = None) -> Self:
        """Make the given engine stable and remember the old one; canary and shadow end.

        Args:
            digest: the engine.
            forced: why it is promoted, where it is worse than its base.
        """
        before = self.previous if digest == self.stable else (self.stable, *self.previous)
        others = {each: why for each, why in self.forced.items() if each != digest}
        reasons = others | ({digest: forced} if forced else {})
        return self._with_stable(digest, before[:_HISTORY], reasons)

    def rolled_back(self) -> Self:
        """Make the previous engine stable again.

        Raises:
            InputError: there is none.
        """
        if not self.previous:
            raise InputError(f"engine {self.stable} is the first one served: nothing to go back to")
        return self._with_stable(self.previous[0], self.previous[1:], self.forced)

    def _with_stable(
        self, digest: str, previous: tuple[str, ...], forced: Mapping[str, str]
    ) -> Self:
        changes = {"canary": None, "percent": 0, "shadow": None}
        kept = {each: why for each, why in forced.items() if each in (digest, *previous)}
        return self.model_copy(
            update={"stable": digest, "previous": previous, "forced": kept, **changes}
        )


_TRAFFIC = RecordKind(Traffic, "a traffic pointer")


class ReplicaReport(BaseModel):
    """What a replica says of itself."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    replica: str
    host: str = ""
    digest: str | None = None
    """Engine that answers here."""
    wanted: str | None = None
    """Engine that the pointer names."""
    error: str | None = None
    """Why `wanted` is not `digest`, or what is wrong with the pointer."""
    since: str | None = None
    """When `digest` began to answer, UTC."""
    seen: AwareDatetime | None = None
    """When the replica wrote this."""
    every_seconds: float = Field(default=REPORT_EVERY_SECONDS, gt=0)
    """Longest time until it writes again."""

    def age_seconds(self, now: datetime) -> float | None:
        """Compute the time since the replica wrote this; None where it does not say when."""
        return max(0.0, (now - self.seen).total_seconds()) if self.seen else None

    def is_silent(self, now: datetime) -> bool:
        """Tell whether the replica has missed three reports: it is gone, or loads an engine."""
        return self.has_missed(_MISSED_REPORTS, now)

    def has_missed(self, reports: int, now: datetime) -> bool:
        """Tell whether the replica has not written so many reports that are due."""
        age = self.age_seconds(now)
        return age is not None and age > reports * self.every_seconds


def read_reports(storage: Storage, name: str) -> list[ReplicaReport]:
    """Read the reports of an endpoint's replicas, those of replicas that are gone among them.

    A report that cannot be read becomes one whose `error` says so.
    """
    return [_read_report(storage, path) for path in _report_paths(storage, name)]


def sweep_reports(storage: Storage, name: str, now: datetime) -> None:
    """Delete the reports of replicas that have missed sixty, an hour's as a rule, and so are gone.

    One that loads an engine for longer than that writes its report again.
    """
    for path in _report_paths(storage, name):
        if _read_report(storage, path).has_missed(_MISSED_BY_THE_GONE, now):
            storage.delete(path)


def _report_paths(storage: Storage, name: str) -> list[str]:
    folder = layout.replica_reports(name)
    return [f"{folder}/{file}" for file in storage.list(folder) if file.endswith(".json")]


def _read_report(storage: Storage, path: str) -> ReplicaReport:
    try:
        return ReplicaReport.model_validate(storage.read_json(path))
    except (StorageError, ValidationError):
        replica = path.rpartition("/")[2].removesuffix(".json")
        error = f"{storage.locate(path)} is not the report of a replica"
        return ReplicaReport(replica=replica, error=error)


def fetch_engine(storage: Storage, digest: str) -> Path:
    """Fetch an engine as a local folder, verified.

    Raises:
        StorageError: it is missing or damaged; names the command that makes it again.
    """
    with _advising(storage, digest):
        return storage.fetch(layout.engine(digest))


@contextmanager
def _advising(storage: Storage, digest: str) -> Iterator[None]:
    """Add to an error what mends a damaged engine, of the run that it came from."""
    try:
        yield
    except StorageError as error:
        run = "of the run that it came from"
        with suppress(StorageError, KeyError):
            run = f"run={storage.manifest(layout.engine(digest))['meta']['run']}"
        raise StorageError(f"{error}: give `nmt export` {run}, which makes it again") from error


def read_traffic(storage: Storage, name: str) -> Traffic | None:
    """Read the pointer; return None before the first promotion.

    Raises:
        StorageError: the file is not a traffic pointer.
    """
    remedy = (
        "delete this one file, and `nmt promote` writes it again; replicas keep what they serve"
    )
    return _TRAFFIC.find(storage, layout.traffic(name), remedy)


def write_traffic(storage: Storage, name: str, traffic: Traffic, *, dry_run: bool = False) -> None:
    """Replace the pointer; refused when the stable engine is not on the storage root.

    Args:
        storage: the storage root.
        name: of the endpoint.
        traffic: the new pointer.
        dry_run: check it, and write nothing.

    Raises:
        InputError: no such engine.
    """
    if not storage.is_committed(layout.engine(traffic.stable)):
        raise InputError(
            f"engine {traffic.stable} is not in {storage.locate(layout.ENGINES)}: "
            "export a run first"
        )
    if not dry_run:
        storage.write_json(layout.traffic(name), traffic.model_dump(mode="json"))


def promote(
    storage: Storage, name: str, digest: str, forced: str | None = None, *, dry_run: bool = False
) -> Traffic:
    """Make an engine the stable one of an endpoint; a dry run only returns the new pointer.

    `forced` says why, where the engine is worse than its base.
    """
    current = read_traffic(storage, name) or Traffic(stable=digest)
    traffic = current.promoted(digest, forced)
    if storage.is_committed(layout.engine(digest)):
        with _advising(storage, digest):
            storage.verify(layout.engine(digest))
    write_traffic(storage, name, traffic, dry_run=dry_run)
    return traffic


def rollback(storage: Storage, name: str, *, dry_run: bool = False) -> Traffic:
    """Make the engine before the stable one stable again; a dry run only returns the new pointer.

    Raises:
        InputError: nothing was promoted, or there is no earlier engine.
    """
    current = read_traffic(storage, name)
    if current is None:
        raise InputError(f"endpoint '{name}' has no promoted engine: run `nmt promote run=…` first")
    traffic = current.rolled_back()
    write_traffic(storage, name, traffic, dry_run=dry_run)
    return traffic
