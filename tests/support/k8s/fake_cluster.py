"""A cluster in memory, and a KubeRay that follows a script.

It has what a controller can stumble over: versions and conflicts, owners of fields, a status apart
from the spec, watches that lose their history, and garbage collection.
"""

from collections.abc import Callable, Iterator
from copy import deepcopy
from random import Random

from k8s.api.cluster import EVENT, POD, RAY_JOB, JsonObject, Kind, Page, WatchType, kind_of
from k8s.api.errors import ConflictError, GoneError
from nmt.errors import ClusterError
from tests.support.k8s.field_owners import (
    Owners,
    apply_fields,
    changed_by_update,
    fields_of,
)
from tests.support.k8s.object_store import (
    HAS_STATUS,
    ObjectStore,
    check_versions,
    clone,
    has_labels,
)

Act = Callable[["FakeCluster"], None]


class FakeCluster:
    """See `k8s.api.cluster.Cluster`."""

    def __init__(self, namespace: str = "team", context: str = "test") -> None:
        self.namespace = namespace
        self.where = f"context '{context}', https://cluster.example:6443"
        self.store = ObjectStore()
        self.logs: dict[str, list[str]] = {}
        self.denied: set[tuple[str, str]] = set()
        self.fails: list[Exception] = []
        self.on_create: dict[str, Act] = {}
        self.admit: Callable[[JsonObject], None] | None = None
        self.unknown: set[str] = set()
        self.selected: list[tuple[Kind, str]] = []
        self.lazy = False
        """Leave what a deleted object owned until `collect_garbage`, as a busy cluster does."""
        self.disorder: Random | None = None
        """Let watches repeat changes, and swap changes of different objects."""
        self.owners: dict[str, Owners] = {}
        self._lists: dict[str, tuple[str, list[JsonObject]]] = {}

    @property
    def objects(self) -> dict[tuple[str, str], JsonObject]:
        """The objects as they are stored, by kind and name."""
        return self.store.objects

    def add(self, kind: Kind, name: str, **fields: object) -> JsonObject:
        """Add an object as if it had always existed."""
        body: JsonObject = {"kind": kind.name, "metadata": {"name": name}, **deepcopy(fields)}
        body["metadata"].setdefault("name", name)
        return self.store.insert(kind, body)

    def pod(self, name: str, labels: dict[str, str], **status: object) -> JsonObject:
        """Add a Pod."""
        container = {"name": "main", "resources": {"limits": {"memory": "2Gi"}}}
        metadata = {"name": name, "labels": labels}
        return self.add(
            POD, name, metadata=metadata, spec={"containers": [container]}, status=status
        )

    def warn(self, kind: Kind, name: str, message: str, reason: str = "Failed") -> None:
        """Add a warning about an object."""
        self.event(kind, name, message, reason, "Warning")

    def event(self, kind: Kind, name: str, message: str, reason: str, type: str) -> None:
        """Add an event about an object."""
        about = {"kind": kind.name, "name": name}
        fields = {"type": type, "reason": reason, "message": message}
        self.add(EVENT, f"{name}.{self.store.next_number()}", involvedObject=about, **fields)

    def set_status(self, name: str, kind: Kind = RAY_JOB, /, **status: object) -> None:
        """Set the status that KubeRay reports for a RayJob from now on."""
        body = clone(self.objects[kind.name, name])
        body.setdefault("status", {}).update(status)
        self.store.replace(kind, body)

    def finalize(self, kind: Kind, name: str) -> None:
        """Take the finalizers of an object away, which ends its deletion."""
        body = clone(self.objects[kind.name, name])
        body["metadata"].pop("finalizers", None)
        if "deletionTimestamp" in body["metadata"]:
            self.store.remove(kind.name, name)
        else:
            self.store.replace(kind, body)

    def collect_garbage(self) -> int:
        """Delete what only deleted objects own, and return how many objects that were."""
        return self.store.collect_garbage()

    def get(self, kind: Kind, name: str) -> JsonObject | None:
        self._answer()
        self._check("get", kind)
        return clone(self.objects.get((kind.name, name)))

    def select(
        self, kind: Kind, selector: str = "", *, fields: str = "", all_namespaces: bool = False
    ) -> list[JsonObject]:
        self._answer()
        self.selected.append((kind, fields))
        self._check("list", kind)
        values = dict(part.split("=") for part in fields.split(",") if part)
        return [
            clone(body)
            for (name, _), body in self.objects.items()
            if name == kind.name
            and has_labels(body, selector)
            and all(body.get(key) == value for key, value in values.items())
        ]

    def page(
        self, kind: Kind, selector: str = "", *, limit: int = 500, next_page: str = ""
    ) -> Page:
        self._answer()
        self._check("list", kind)
        if not next_page:
            found = [
                clone(body)
                for (name, _), body in self.objects.items()
                if name == kind.name and has_labels(body, selector)
            ]
            version = str(self.store.version)
        elif next_page in self._lists and int(self._lists[next_page][0]) >= self.store.forgotten:
            version, found = self._lists.pop(next_page)
        else:
            raise GoneError("the provided continue parameter is too old")
        rest = found[limit:]
        token = f"{version}-{len(rest)}" if rest else ""
        if rest:
            self._lists[token] = (version, rest)
        return Page(found[:limit], version, token)

    def watch(
        self, kind: Kind, selector: str = "", *, resource_version: str, seconds: int = 240
    ) -> Iterator[tuple[WatchType, JsonObject]]:
        self._answer()
        self._check("watch", kind)
        told = self.store.changes(kind, selector, resource_version)
        version = str(self.store.version)
        yield from self._disordered(told) if self.disorder else told
        yield "BOOKMARK", {"kind": kind.name, "metadata": {"resourceVersion": version}}

    def create(self, body: JsonObject, *, dry_run: bool = False) -> JsonObject | None:
        self._answer()
        kind, name = kind_of(body), body["metadata"]["name"]
        self._check("create", kind)
        if self.admit:
            self.admit(body)
        if dry_run:
            return deepcopy(body)
        if (kind.name, name) in self.objects:
            return None
        made = self._insert(kind, body, "client")
        return clone(made)

    def update(self, body: JsonObject) -> JsonObject:
        self._answer()
        kind, name = kind_of(body), body["metadata"]["name"]
        self._check("update", kind)
        before = self.objects.get((kind.name, name))
        if before is None:
            raise ConflictError(f"{kind.name} {name} was deleted before this change of it")
        check_versions(body, before)
        after = clone(body)
        if kind.name in HAS_STATUS:
            after.pop("status", None)
            after |= {"status": clone(before["status"])} if "status" in before else {}
        after["metadata"] = before["metadata"] | after["metadata"]
        uid = before["metadata"]["uid"]
        self.owners[uid] = changed_by_update(before, after, self.owners.get(uid, {}))
        return clone(self._store(kind, after))

    def apply(self, body: JsonObject, manager: str, *, force: bool = False) -> JsonObject:
        self._answer()
        kind, name = kind_of(body), body["metadata"]["name"]
        self._check("patch", kind)
        before = self.objects.get((kind.name, name))
        check_versions(body, before)
        if self.admit:
            self.admit(body)
        given = {key: value for key, value in body.items() if key != "status"}
        if kind.name not in HAS_STATUS:
            given = body
        if before is None:
            return clone(self._insert(kind, given, manager))
        return clone(self._merge(kind, before, given, manager, force))

    def apply_status(
        self, body: JsonObject, manager: str, *, force: bool = False
    ) -> JsonObject | None:
        self._answer()
        kind, name = kind_of(body), body["metadata"]["name"]
        self._check("patch", kind)
        before = self.objects.get((kind.name, name))
        if before is None:
            return None
        check_versions(body, before)
        given = {"metadata": {"name": name}, "status": body.get("status", {})}
        # The managers of a subresource own its fields apart from those of the object.
        return clone(self._merge(kind, before, given, f"{manager}/status", force))

    def delete(self, kind: Kind, name: str, *, uid: str = "") -> bool:
        self._answer()
        self._check("delete", kind)
        body = self.objects.get((kind.name, name))
        if body is None:
            return False
        if uid and body["metadata"]["uid"] != uid:
            raise ConflictError(f"the uid of {name} is {body['metadata']['uid']}, not {uid}")
        self.store.mark_deleted(kind, name)
        if not self.lazy:
            self.collect_garbage()
        return True

    def log(
        self,
        pod: str,
        container: str,
        *,
        since: str = "",
        tail: int | None = None,
        follow: bool = True,
    ) -> Iterator[str]:
        lines = self.logs.get(pod, [])
        yield from lines if tail is None else lines[len(lines) - tail :]

    def allowed(self, verb: str, kind: Kind, *, subresource: str = "") -> bool:
        return (verb, kind.plural) not in self.denied

    def version(self) -> str:
        self._answer()
        return "v1.34.4"

    def serves(self, kind: Kind) -> bool:
        return kind.name not in self.unknown

    def names(self, kind: Kind) -> list[str]:
        """Return the names of the objects of a kind."""
        return [name for found, name in self.objects if found == kind.name]

    def _insert(self, kind: Kind, body: JsonObject, manager: str) -> JsonObject:
        fields = clone(body)
        for key in ("resourceVersion", "generation"):
            fields["metadata"].pop(key, None)
        if kind.name in HAS_STATUS:
            fields.pop("status", None)
        made = self.store.insert(kind, fields)
        self.owners[made["metadata"]["uid"]] = {manager: frozenset(fields_of(body))}
        if kind.name in self.on_create:
            self.on_create[kind.name](self)
        return made

    def _merge(
        self, kind: Kind, before: JsonObject, body: JsonObject, manager: str, force: bool
    ) -> JsonObject:
        uid = before["metadata"]["uid"]
        after, owners = apply_fields(before, body, self.owners.get(uid, {}), manager, force)
        self.owners[uid] = owners
        return self._store(kind, after)

    def _store(self, kind: Kind, body: JsonObject) -> JsonObject:
        stored = self.store.replace(kind, body)
        # The last finalizer that goes ends a deletion.
        metadata = stored["metadata"]
        if "deletionTimestamp" in metadata and not metadata.get("finalizers"):
            self.store.remove(kind.name, metadata["name"])
        return stored

    def _disordered(
        self, changes: list[tuple[WatchType, JsonObject]]
    ) -> Iterator[tuple[WatchType, JsonObject]]:
        assert self.disorder
        for index in range(len(changes) - 1):
            pair = changes[index : index + 2]
            if pair[0][1]["metadata"]["name"] != pair[1][1]["metadata"]["name"]:
                self.disorder.shuffle(pair)
                changes[index : index + 2] = pair
        for change in changes:
            yield from [change] * self.disorder.choice((1, 1, 2))

    def _check(self, verb: str, kind: Kind) -> None:
        if (verb, kind.plural) in self.denied:
            raise ClusterError(f"you may not {verb} {kind.resource}")

    def _answer(self) -> None:
        if self.fails:
            raise self.fails.pop(0)
