"""Kubernetes objects in memory: versions, a history for watches, and garbage collection."""

from dataclasses import dataclass
from typing import Any

from k8s.api.cluster import JsonObject, Kind, WatchType
from k8s.api.errors import ConflictError, GoneError

HAS_STATUS = frozenset({"TranslationCampaign", "RayJob", "RayCluster", "RayService"})
"""Kinds whose status is a subresource: other writes leave it as it is."""


@dataclass(frozen=True, slots=True)
class Change:
    """What has happened to an object, as a watch tells it."""

    version: int
    kind: str
    type: WatchType
    body: JsonObject
    before: JsonObject | None


def clone(value: Any) -> Any:
    """Copy a value of JSON; `deepcopy` takes ten times as long."""
    if type(value) is dict:
        return {key: clone(item) for key, item in value.items()}
    if type(value) is list:
        return [clone(item) for item in value]
    return value


def has_labels(body: JsonObject, selector: str) -> bool:
    """Tell whether an object has the labels `key=value,key` of a selector."""
    labels = body["metadata"].get("labels") or {}
    for part in selector.split(",") if selector else ():
        key, equals, value = part.partition("=")
        if key not in labels or (equals and labels[key] != value):
            return False
    return True


class ObjectStore:
    """The objects of a namespace. A stored object is replaced as a whole, never changed."""

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str], JsonObject] = {}
        self.history: list[Change] = []
        self.version = 0
        self.forgotten = 0
        """Changes up to this version are no longer in the history."""
        self.time = "2026-01-01T00:00:00Z"
        """When objects are created from now on."""

    def next_number(self) -> int:
        """Return the next version; uids take their number from here too."""
        self.version += 1
        return self.version

    def new_uid(self, kind: str, name: str) -> str:
        """Return a uid that no other object has or had."""
        return f"uid-{self.next_number()}"

    def insert(self, kind: Kind, body: JsonObject) -> JsonObject:
        """Store a new object, with the metadata that a server adds."""
        metadata = body["metadata"]
        metadata.setdefault("creationTimestamp", self.time)
        metadata.setdefault("uid", self.new_uid(kind.name, metadata["name"]))
        metadata.setdefault("generation", 1)
        version = self.next_number()
        metadata.setdefault("resourceVersion", str(version))
        self.objects[kind.name, metadata["name"]] = body
        self.history.append(Change(version, kind.name, "ADDED", body, None))
        return body

    def replace(self, kind: Kind, body: JsonObject) -> JsonObject:
        """Store another state of an object, if it differs; the version rises only then.

        The generation rises if anything differs except metadata and status.
        """
        key = (kind.name, body["metadata"]["name"])
        before = self.objects[key]
        if body == before:
            return before
        if _spec(body) != _spec(before):
            body["metadata"]["generation"] = before["metadata"].get("generation", 1) + 1
        version = self.next_number()
        body["metadata"]["resourceVersion"] = str(version)
        self.objects[key] = body
        self.history.append(Change(version, kind.name, "MODIFIED", body, before))
        return body

    def mark_deleted(self, kind: Kind, name: str) -> None:
        """Delete an object, or only mark it while it has finalizers."""
        body = self.objects[kind.name, name]
        if not body["metadata"].get("finalizers"):
            self.remove(kind.name, name)
        elif "deletionTimestamp" not in body["metadata"]:
            marked = clone(body)
            marked["metadata"]["deletionTimestamp"] = self.time
            self.replace(kind, marked)

    def remove(self, kind: str, name: str) -> None:
        """Take an object away."""
        before = self.objects.pop((kind, name))
        version = self.next_number()
        last = clone(before)
        last["metadata"]["resourceVersion"] = str(version)
        self.history.append(Change(version, kind, "DELETED", last, before))

    def collect_garbage(self) -> int:
        """Delete the objects whose owners are all gone, and theirs; return how many."""
        uids = {body["metadata"].get("uid") for body in self.objects.values()}
        orphans = [
            key
            for key, body in self.objects.items()
            if (owners := body["metadata"].get("ownerReferences"))
            and not any(owner["uid"] in uids for owner in owners)
        ]
        for kind, name in orphans:
            self.remove(kind, name)
        return len(orphans) + (self.collect_garbage() if orphans else 0)

    def compact(self) -> None:
        """Forget the history, as a server does after some minutes."""
        self.history.clear()
        self.forgotten = self.version

    def changes(
        self, kind: Kind, selector: str, resource_version: str
    ) -> list[tuple[WatchType, JsonObject]]:
        """Return what a watch of a kind tells since a version.

        Raises:
            GoneError: the history no longer begins there.
        """
        since = int(resource_version)
        if since < self.forgotten:
            raise GoneError(f"too old resource version: {since} ({self.forgotten})")
        told = [
            _tell(change, selector)
            for change in self.history
            if change.version > since and change.kind == kind.name
        ]
        return [(type, clone(body)) for type, body in told if type]

    def at(self, kind: Kind, name: str, version: int) -> JsonObject | None:
        """Return an object as it was at a version that the history still has, for stale reads."""
        later = [
            change
            for change in self.history
            if change.version > version
            and change.kind == kind.name
            and change.body["metadata"]["name"] == name
        ]
        found = later[0].before if later else self.objects.get((kind.name, name))
        return clone(found)


def check_versions(given: JsonObject, stored: JsonObject | None) -> None:
    """Refuse a write that names another version, or another object of the same name.

    Raises:
        ConflictError: it does.
    """
    for key in ("uid", "resourceVersion"):
        want = given["metadata"].get(key)
        has = stored["metadata"].get(key) if stored else None
        if want and want != has and (stored or key == "uid"):
            raise ConflictError(f"{key} is {has}, not {want}: the object has been modified")


def _tell(change: Change, selector: str) -> tuple[WatchType | None, JsonObject]:
    # For a watch, an object begins and ends with its labels.
    now = change.type != "DELETED" and has_labels(change.body, selector)
    before = change.before is not None and has_labels(change.before, selector)
    if now:
        return ("MODIFIED" if before else "ADDED"), change.body
    if not before or change.before is None:
        return None, change.body
    # The last state with the labels, under the version of the change.
    metadata = change.before["metadata"] | {"resourceVersion": str(change.version)}
    return "DELETED", change.before | {"metadata": metadata}


def _spec(body: JsonObject) -> JsonObject:
    return {key: value for key, value in body.items() if key not in ("metadata", "status")}
