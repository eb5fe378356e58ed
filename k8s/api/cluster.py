"""The `Cluster` protocol, and the kinds of Kubernetes objects that these scripts use."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

JsonObject = dict[str, Any]
"""An object of the Kubernetes API, or a part of one, as JSON has it."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of object in the Kubernetes API."""

    name: str
    plural: str
    group: str = ""
    version: str = "v1"
    namespaced: bool = True

    @property
    def api_version(self) -> str:
        """Return the group and version, as in `apiVersion` of an object."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def resource(self) -> str:
        """Return the name that `kubectl` and roles use, like `rayjobs.ray.io`."""
        return f"{self.plural}.{self.group}" if self.group else self.plural


CONFIG_MAP = Kind("ConfigMap", "configmaps")
POD = Kind("Pod", "pods")
EVENT = Kind("Event", "events")
CLAIM = Kind("PersistentVolumeClaim", "persistentvolumeclaims")
QUOTA = Kind("ResourceQuota", "resourcequotas")
NODE = Kind("Node", "nodes", namespaced=False)
STORAGE_CLASS = Kind("StorageClass", "storageclasses", "storage.k8s.io", namespaced=False)
ADMISSION_POLICY = Kind(
    "ValidatingAdmissionPolicy",
    "validatingadmissionpolicies",
    "admissionregistration.k8s.io",
    namespaced=False,
)
BATCH_JOB = Kind("Job", "jobs", "batch")
DEPLOYMENT = Kind("Deployment", "deployments", "apps")
RAY_JOB = Kind("RayJob", "rayjobs", "ray.io")
RAY_CLUSTER = Kind("RayCluster", "rayclusters", "ray.io")
RAY_SERVICE = Kind("RayService", "rayservices", "ray.io")
CAMPAIGN = Kind("TranslationCampaign", "translationcampaigns", "nmt.internal", "v1alpha1")

_KINDS = {
    kind.name: kind
    for kind in (
        CONFIG_MAP,
        POD,
        BATCH_JOB,
        RAY_JOB,
        RAY_CLUSTER,
        RAY_SERVICE,
        CLAIM,
        EVENT,
        CAMPAIGN,
    )
}


def kind_of(body: JsonObject) -> Kind:
    """Return the kind of an object that these scripts create."""
    return _KINDS[body["kind"]]


class Cluster(Protocol):
    """A namespace of a cluster.

    Every method raises `UnreachableError` when the cluster does not answer and `ClusterError`
    when it refuses.
    """

    namespace: str

    @property
    def where(self) -> str:
        """Return the context and the server, for messages."""
        ...

    def get(self, kind: Kind, name: str) -> JsonObject | None:
        """Return an object, or None if there is none of that name."""
        ...

    def select(
        self, kind: Kind, selector: str = "", *, fields: str = "", all_namespaces: bool = False
    ) -> list[JsonObject]:
        """List objects by label and by field, in this namespace or in all."""
        ...

    def create(self, body: JsonObject, *, dry_run: bool = False) -> JsonObject | None:
        """Create an object and return it, or None if the name is already taken.

        Args:
            body: the object.
            dry_run: let the server check the object and keep nothing.

        Raises:
            InputError: the cluster finds the object invalid.
        """
        ...

    def delete(self, kind: Kind, name: str) -> bool:
        """Delete an object and everything it owns; return False if it did not exist."""
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
        """Yield the log lines of a container, each with its timestamp in front.

        Args:
            pod: name of the Pod.
            container: name of the container.
            since: leave out lines before this time (RFC 3339, whole seconds).
            tail: number of last lines to start with.
            follow: wait for new lines until the container ends.
        """
        ...

    def allowed(self, verb: str, kind: Kind, *, subresource: str = "") -> bool:
        """Tell whether this user may do `verb` on a kind, or on its subresource, like `log`."""
        ...

    def version(self) -> str:
        """Return the version of the API server."""
        ...

    def serves(self, kind: Kind) -> bool:
        """Tell whether the cluster serves a kind."""
        ...
