"""The `Cluster` protocol, and the kinds of Kubernetes objects that these scripts use."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, Protocol, cast

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
LEASE = Kind("Lease", "leases", "coordination.k8s.io")
# The domain `.internal` is reserved for private use, so nobody else can own this group.
CAMPAIGN = Kind("TranslationCampaign", "translationcampaigns", "nmt.internal", "v1alpha1")

_KINDS = {
    kind.name: kind
    for kind in (
        CONFIG_MAP,
        POD,
        EVENT,
        CLAIM,
        BATCH_JOB,
        RAY_JOB,
        RAY_CLUSTER,
        RAY_SERVICE,
        LEASE,
        CAMPAIGN,
    )
}

WatchType = Literal["ADDED", "MODIFIED", "DELETED", "BOOKMARK"]
"""What has happened to an object; a bookmark only has the version that the watch has reached."""


def kind_of(body: JsonObject) -> Kind:
    """Return the kind of an object that these scripts create."""
    return _KINDS[body["kind"]]


def version_of(body: JsonObject) -> str:
    """Return the resource version of an object or of a list."""
    return cast(str, body["metadata"]["resourceVersion"])


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a list of objects."""

    items: list[JsonObject]
    resource_version: str
    """Version of the whole list: a watch from it misses nothing, and all pages have the same."""
    next_page: str
    """What to ask for the next page with; empty after the last one."""


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

    def page(
        self, kind: Kind, selector: str = "", *, limit: int = 500, next_page: str = ""
    ) -> Page:
        """List a part of the objects of this namespace, with the version of the list.

        Args:
            kind: the kind.
            selector: labels.
            limit: maximum number of objects.
            next_page: of the page before; empty for the first one.

        Raises:
            GoneError: the list that `next_page` continues is too old: begin again.
        """
        ...

    def watch(
        self, kind: Kind, selector: str = "", *, resource_version: str, seconds: int = 240
    ) -> Iterator[tuple[WatchType, JsonObject]]:
        """Yield the changes of objects of this namespace as they happen.

        An object may come twice, and of a deleted object the last state comes.

        Args:
            kind: the kind.
            selector: labels. An object that no longer has them comes as `DELETED`.
            resource_version: yield what is newer than this version.
            seconds: end after this time, without an error.

        Raises:
            GoneError: the server no longer knows what has changed since that version: list again.
        """
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

    def update(self, body: JsonObject) -> JsonObject:
        """Replace an object, and return what the server has stored.

        Args:
            body: the whole object, with the resource version that it was read with.

        Raises:
            ConflictError: somebody has changed or deleted it since.
        """
        ...

    def apply(self, body: JsonObject, manager: str, *, force: bool = False) -> JsonObject:
        """Create an object, or change those of its fields that `body` has, and return it.

        Fields that the manager gave in an earlier call and no longer gives are removed; those of
        other managers stay. The same call again changes nothing, not even the version.

        Args:
            body: the fields that the manager owns. With a resource version or a uid, the object is
                changed only if it still has them.
            manager: name of the field manager.
            force: take fields that belong to others.

        Raises:
            ConflictError: a field belongs to another manager and has another value, or the object
                is no longer the one that `body` names.
            InputError: the object is invalid or has an unknown field.
        """
        ...

    def apply_status(
        self, body: JsonObject, manager: str, *, force: bool = False
    ) -> JsonObject | None:
        """Change the status of an object in the same way; return None if it does not exist.

        Raises:
            ConflictError: as of `apply`.
            InputError: the status is invalid or has an unknown field.
        """
        ...

    def delete(self, kind: Kind, name: str, *, uid: str = "") -> bool:
        """Delete an object and everything it owns; return False if it did not exist.

        Args:
            kind: the kind.
            name: the name.
            uid: delete only the object with this uid, not another one of the same name.

        Raises:
            ConflictError: the object has another uid.
        """
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
