"""What these scripts need of a Kubernetes cluster, and the kinds of objects they look at."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

JsonObject = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of the API."""

    name: str
    plural: str
    group: str = ""
    version: str = "v1"
    namespaced: bool = True

    @property
    def api_version(self) -> str:
        """As objects write it."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def resource(self) -> str:
        """As `kubectl` and roles call it."""
        return f"{self.plural}.{self.group}" if self.group else self.plural


CONFIG_MAP = Kind("ConfigMap", "configmaps")
POD = Kind("Pod", "pods")
EVENT = Kind("Event", "events")
CLAIM = Kind("PersistentVolumeClaim", "persistentvolumeclaims")
QUOTA = Kind("ResourceQuota", "resourcequotas")
NODE = Kind("Node", "nodes", namespaced=False)
STORAGE_CLASS = Kind("StorageClass", "storageclasses", "storage.k8s.io", namespaced=False)
BATCH_JOB = Kind("Job", "jobs", "batch")
DEPLOYMENT = Kind("Deployment", "deployments", "apps")
RAY_JOB = Kind("RayJob", "rayjobs", "ray.io")
RAY_CLUSTER = Kind("RayCluster", "rayclusters", "ray.io")
RAY_SERVICE = Kind("RayService", "rayservices", "ray.io")

_KINDS = {
    kind.name: kind
    for kind in (CONFIG_MAP, POD, BATCH_JOB, RAY_JOB, RAY_CLUSTER, RAY_SERVICE, CLAIM, EVENT)
}


def kind_of(body: JsonObject) -> Kind:
    """Kind of an object that these scripts make."""
    return _KINDS[body["kind"]]


class Cluster(Protocol):
    """A namespace of a cluster; objects are plain dicts.

    Every method raises `UnreachableError` when the cluster does not answer and `ClusterError`
    when it refuses.
    """

    namespace: str

    @property
    def where(self) -> str:
        """Context and server, for messages."""
        ...

    def get(self, kind: Kind, name: str) -> JsonObject | None:
        """An object, or None when there is none of that name."""
        ...

    def select(
        self, kind: Kind, selector: str = "", *, fields: str = "", all_namespaces: bool = False
    ) -> list[JsonObject]:
        """Objects by label and by field, of this namespace or of all."""
        ...

    def create(self, body: JsonObject) -> JsonObject | None:
        """The object as it was made; None when one of that name was there before.

        Raises:
            InputError: the cluster finds the object invalid.
        """
        ...

    def patch(self, kind: Kind, name: str, body: JsonObject) -> JsonObject | None:
        """Merge into an object; None when it is gone."""
        ...

    def delete(self, kind: Kind, name: str) -> bool:
        """Remove an object and what it owns; False when it was gone before."""
        ...

    def log(
        self,
        pod: str,
        container: str,
        *,
        since: str = "",
        tail: int | None = None,
        follow: bool = True,
    ) -> Iterator[str]:
        """Lines of a container, each with its time in front.

        Args:
            pod: name of the Pod.
            container: name of the container.
            since: time of RFC 3339, in whole seconds: nothing older.
            tail: only so many of the last lines.
            follow: go on with lines as they come, until the container ends.
        """
        ...

    def allowed(self, verb: str, kind: Kind, *, part: str = "") -> bool:
        """Whether this user may do it; `part` is a subresource like `log`."""
        ...

    def version(self) -> str:
        """Version of the API server."""
        ...

    def serves(self, kind: Kind) -> bool:
        """Whether the cluster knows the kind."""
        ...
