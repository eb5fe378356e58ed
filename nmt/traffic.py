"""Which engine an endpoint serves: one small file, `serving/<name>/traffic.json`."""

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from nmt.errors import InputError, StorageError
from nmt.storage import Storage

_HISTORY = 10


class Traffic(BaseModel):
    """Engines by content digest; replicas follow it within `serving.poll_seconds`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    stable: str
    """Engine that answers."""
    canary: str | None = None
    """Engine that answers `percent` of the requests."""
    percent: int = Field(default=0, ge=0, le=100)
    shadow: str | None = None
    """Engine that translates along, its answers unused."""
    previous: tuple[str, ...] = ()
    """Earlier stable engines, latest first: where `rolled_back` goes."""

    def promoted(self, digest: str) -> Self:
        """The given engine stable, the old one remembered; canary and shadow end."""
        before = self.previous if digest == self.stable else (self.stable, *self.previous)
        return type(self)(stable=digest, previous=before[:_HISTORY])

    def rolled_back(self) -> Self:
        """The engine before this one stable again.

        Raises:
            InputError: there is none.
        """
        if not self.previous:
            raise InputError(f"engine {self.stable} is the first one served: nothing to go back to")
        return type(self)(stable=self.previous[0], previous=self.previous[1:])


def traffic_path(name: str) -> str:
    """Where the pointer of the endpoint with this name lies on the storage root."""
    return f"serving/{name}/traffic.json"


def replicas_path(name: str) -> str:
    """Folder in which each replica of the endpoint reports what it serves."""
    return f"serving/{name}/replicas"


def engine_path(digest: str) -> str:
    """Where an engine lies on the storage root."""
    return f"engines/{digest}"


def read_traffic(storage: Storage, name: str) -> Traffic | None:
    """The pointer, or None before the first promotion.

    Raises:
        StorageError: the file is not a traffic pointer.
    """
    raw = storage.find_json(traffic_path(name))
    if raw is None:
        return None
    try:
        return Traffic.model_validate(raw)
    except ValidationError as error:
        place = storage.locate(traffic_path(name))
        raise StorageError(f"{place}: no traffic pointer: {error}") from None


def write_traffic(storage: Storage, name: str, traffic: Traffic) -> None:
    """Replace the pointer; refused when the stable engine is not on the storage root.

    Raises:
        InputError: no such engine.
    """
    if not storage.is_committed(engine_path(traffic.stable)):
        raise InputError(
            f"engine {traffic.stable} is not in {storage.locate('engines')}: export a run first"
        )
    storage.write_json(traffic_path(name), traffic.model_dump(mode="json"))


def promote(storage: Storage, name: str, digest: str) -> Traffic:
    """Make an engine the stable one of an endpoint."""
    current = read_traffic(storage, name)
    traffic = current.promoted(digest) if current else Traffic(stable=digest)
    write_traffic(storage, name, traffic)
    return traffic


def rollback(storage: Storage, name: str) -> Traffic:
    """Make the engine before the stable one stable again.

    Raises:
        InputError: nothing was promoted, or there is no earlier engine.
    """
    current = read_traffic(storage, name)
    if current is None:
        raise InputError(f"endpoint '{name}' has no promoted engine: run `nmt promote run=…` first")
    traffic = current.rolled_back()
    write_traffic(storage, name, traffic)
    return traffic
