"""The engine that an endpoint serves: one small file, `serving/<name>/traffic.json`.

Each replica reports what it serves in `serving/<name>/replicas/<replica>.json`. During an upgrade
two releases read and write these files, so a reader ignores fields that it does not know.
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
"""Time between two reports of a replica whose state does not change; longer if it reads the pointer
less often."""
_MISSED_IF_SILENT = 3
_MISSED_IF_GONE = 60
"""An hour of reports, with the usual time between two."""
_MAX_PREVIOUS = 10


class Traffic(BaseModel):
    """The engines of an endpoint, by content digest."""

    # Fields of a later release are kept when this one promotes or rolls back. So each field that a
    # release adds must name the engine that it is about: it is ignored once another is stable.
    model_config = ConfigDict(frozen=True, extra="allow")

    stable: str
    """Engine that answers."""
    # Nothing serves a canary or a shadow yet; the fields reserve their names.
    canary: str | None = None
    """Engine that answers `percent` of the requests."""
    percent: int = Field(default=0, ge=0, le=100)
    shadow: str | None = None
    """Engine that translates the same requests, without its answers being used."""
    previous: tuple[str, ...] = ()
    """Earlier stable engines, latest first; `rolled_back` returns to the first."""
    forced: dict[str, str] = Field(default={}, exclude_if=not_)
    """Maps such an engine to the reason why it was promoted although it is worse than its base."""

    def promoted(self, digest: str, forced: str | None = None) -> Self:
        """Make the given engine stable and remember the old one; canary and shadow end.

        Args:
            digest: the engine.
            forced: why it is promoted, if it is worse than its base.
        """
        # Promoting the stable engine again must not make it its own predecessor, to which a
        # rollback would return.
        before = self.previous if digest == self.stable else (self.stable, *self.previous)
        others = {each: why for each, why in self.forced.items() if each != digest}
        reasons = others | ({digest: forced} if forced else {})
        return self._with_stable(digest, before[:_MAX_PREVIOUS], reasons)

    def rolled_back(self) -> Self:
        """Make the previous engine stable again.

        Raises:
            InputError: there is no previous engine.
        """
        if not self.previous:
            raise InputError(
                f"engine {self.stable} is the first one served: there is nothing to roll back to"
            )
        return self._with_stable(self.previous[0], self.previous[1:], self.forced)

    def _with_stable(
        self, digest: str, previous: tuple[str, ...], forced: Mapping[str, str]
    ) -> Self:
        changes = {"canary": None, "percent": 0, "shadow": None}
        # A reason is kept as long as a rollback can make its engine stable again.
        kept = {each: why for each, why in forced.items() if each in (digest, *previous)}
        return self.model_copy(
            update={"stable": digest, "previous": previous, "forced": kept, **changes}
        )


_TRAFFIC = RecordKind(Traffic, "a traffic pointer")


class ReplicaReport(BaseModel):
    """A replica's report about itself."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    replica: str
    host: str = ""
    digest: str | None = None
    """Engine that the replica serves."""
    wanted: str | None = None
    """Engine that the pointer names."""
    error: str | None = None
    """Why `digest` is not `wanted`, or what is wrong with the pointer."""
    since: str | None = None
    """When `digest` began to answer, UTC."""
    seen: AwareDatetime | None = None
    """When the replica wrote this."""
    # In the report itself, so that a replica that reads the pointer rarely does not seem silent.
    every_seconds: float = Field(default=REPORT_EVERY_SECONDS, gt=0)
    """Maximum time until it writes again."""

    def age_seconds(self, now: datetime) -> float | None:
        """Compute the time since the replica wrote this; None if the report has no time."""
        # Clocks of two machines differ a little, so the report may seem to be from the future.
        return max(0.0, (now - self.seen).total_seconds()) if self.seen else None

    def is_silent(self, now: datetime) -> bool:
        """Tell whether the replica has missed three reports."""
        # It is gone, or it is loading an engine.
        return self.has_missed(_MISSED_IF_SILENT, now)

    def has_missed(self, reports: int, now: datetime) -> bool:
        """Tell whether the replica has missed at least this number of reports."""
        age = self.age_seconds(now)
        return age is not None and age > reports * self.every_seconds


def read_reports(storage: Storage, name: str) -> list[ReplicaReport]:
    """Read the reports of an endpoint's replicas, including replicas that are gone.

    A report that cannot be read is returned as one whose `error` says so.
    """
    return [_read_report(storage, path) for path in _report_paths(storage, name)]


def sweep_reports(storage: Storage, name: str, now: datetime) -> None:
    """Delete the reports of replicas that are gone, as they have missed sixty reports."""
    # A replica that loads an engine for longer than that writes its report again afterwards.
    for path in _report_paths(storage, name):
        if _read_report(storage, path).has_missed(_MISSED_IF_GONE, now):
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


def fetch_engine(storage: Storage, digest: str) -> Path:
    """Fetch an engine as a local folder, and verify it.

    Raises:
        StorageError: it is missing or damaged; names the command that makes it again.
    """
    with _explain_damage(storage, digest):
        return storage.fetch(layout.engine(digest))


@contextmanager
def _explain_damage(storage: Storage, digest: str) -> Iterator[None]:
    """Add to an error how the engine is made again."""
    try:
        yield
    except StorageError as error:
        run = "of the run that it came from"
        # The manifest, which names the run, may be what is damaged.
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
    """Replace the pointer.

    Args:
        storage: the storage root.
        name: name of the endpoint.
        traffic: the new pointer.
        dry_run: only check the pointer.

    Raises:
        InputError: the stable engine is not on the storage root.
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

    Args:
        storage: the storage root.
        name: name of the endpoint.
        digest: the engine.
        forced: why the engine is promoted, if it is worse than its base.
        dry_run: change nothing.

    Raises:
        InputError: the engine is not on the storage root.
        StorageError: the engine is damaged; names the command that makes it again.
    """
    current = read_traffic(storage, name) or Traffic(stable=digest)
    traffic = current.promoted(digest, forced)
    # Replicas refuse a damaged engine, so it must not become the stable one. A missing one is
    # refused when the pointer is written.
    if storage.is_committed(layout.engine(digest)):
        with _explain_damage(storage, digest):
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
