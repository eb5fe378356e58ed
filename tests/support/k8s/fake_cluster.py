"""A cluster in memory: objects by kind and name, and a KubeRay that follows a script."""

from collections.abc import Callable, Iterator
from copy import deepcopy
from itertools import count

from k8s.api.cluster import EVENT, POD, RAY_JOB, JsonObject, Kind, kind_of
from nmt.errors import ClusterError

Act = Callable[["FakeCluster"], None]


class FakeTime:
    """A clock that sleeping moves forward, and that runs scheduled functions on the way."""

    def __init__(self) -> None:
        self.seconds = 1_000_000.0
        self.due: list[tuple[float, Callable[[], None]]] = []

    def now(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds
        while self.due and self.due[0][0] <= self.seconds:
            self.due.pop(0)[1]()
        if self.seconds > 1_100_000:
            raise AssertionError("nothing ends this wait")

    def after(self, seconds: float, action: Callable[[], None]) -> None:
        self.due.append((self.seconds + seconds, action))
        self.due.sort(key=lambda entry: entry[0])


class FakeCluster:
    """See `k8s.api.cluster.Cluster`."""

    def __init__(self, namespace: str = "team", context: str = "test") -> None:
        self.namespace = namespace
        self.where = f"context '{context}', https://cluster.example:6443"
        self.objects: dict[tuple[str, str], JsonObject] = {}
        self.logs: dict[str, list[str]] = {}
        self.denied: set[tuple[str, str]] = set()
        self.fails: list[Exception] = []
        self.on_create: dict[str, Act] = {}
        self.admit: Callable[[JsonObject], None] | None = None
        self.unknown: set[str] = set()
        self.selected: list[tuple[Kind, str]] = []
        self._numbers = count(1)

    def add(self, kind: Kind, name: str, **fields: object) -> JsonObject:
        """Add an object as if it had always existed."""
        body: JsonObject = {"kind": kind.name, "metadata": {"name": name}, **deepcopy(fields)}
        metadata = body["metadata"]
        metadata.setdefault("name", name)
        metadata.setdefault("creationTimestamp", "2026-01-01T00:00:00Z")
        metadata.setdefault("uid", f"uid-{next(self._numbers)}")
        metadata.setdefault("resourceVersion", str(next(self._numbers)))
        self.objects[kind.name, name] = body
        return body

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
        self.add(EVENT, f"{name}.{next(self._numbers)}", involvedObject=about, **fields)

    def set_status(self, name: str, **status: object) -> None:
        """Set the status that KubeRay reports for a RayJob from now on."""
        self.objects[RAY_JOB.name, name].setdefault("status", {}).update(status)

    def get(self, kind: Kind, name: str) -> JsonObject | None:
        self._answer()
        self._check("get", kind)
        return deepcopy(self.objects.get((kind.name, name)))

    def select(
        self, kind: Kind, selector: str = "", *, fields: str = "", all_namespaces: bool = False
    ) -> list[JsonObject]:
        self._answer()
        self.selected.append((kind, fields))
        self._check("list", kind)
        labels = dict(part.split("=") for part in selector.split(",") if part)
        values = dict(part.split("=") for part in fields.split(",") if part)
        return [
            deepcopy(body)
            for (name, _), body in self.objects.items()
            if name == kind.name
            and labels.items() <= body["metadata"].get("labels", {}).items()
            and all(body.get(key) == value for key, value in values.items())
        ]

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
        fields = {key: value for key, value in body.items() if key != "kind"}
        made = self.add(kind, name, **fields)
        if kind.name in self.on_create:
            self.on_create[kind.name](self)
        return deepcopy(made)

    def delete(self, kind: Kind, name: str) -> bool:
        self._answer()
        self._check("delete", kind)
        return self.objects.pop((kind.name, name), None) is not None

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

    def _check(self, verb: str, kind: Kind) -> None:
        if (verb, kind.plural) in self.denied:
            raise ClusterError(f"you may not {verb} {kind.resource}")

    def _answer(self) -> None:
        if self.fails:
            raise self.fails.pop(0)
