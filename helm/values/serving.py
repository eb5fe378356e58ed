"""The translation endpoint."""

from typing import Annotated, Literal

from pydantic import Field

from helm.values.base import OptionalName, Positive, Quantity, Seconds, Values
from helm.values.kubernetes import ParentRef
from helm.values.pods import Head, RayPods


class ServingPods(RayPods):
    """Pods that translate: each runs a proxy and one or more replicas."""

    memory: Quantity = "8Gi"
    """Memory limit, shared memory included."""
    min: Positive = 1
    """Minimum number of Pods."""
    max: Positive = 4
    """Maximum number of Pods."""
    spread_over: list[str] = ["kubernetes.io/hostname", "topology.kubernetes.io/zone"]
    """Labels of nodes over whose values the Pods are spread as evenly as the nodes allow."""


class HeadClaim(Values):
    """A small volume for the state of the endpoint's head, instead of a folder of the storage."""

    create: bool = False
    """Create the claim."""
    name: OptionalName = ""
    """Existing claim; `<release>-head` when empty and `create` is true."""
    size: Quantity = "1Gi"
    """Size of a claim that is created."""
    storage_class: str = ""
    """Storage class of a claim that is created; the cluster's default when empty."""
    access_mode: Literal["ReadWriteMany", "ReadWriteOnce"] = "ReadWriteOnce"
    """`ReadWriteOnce` suits a volume that follows the head from node to node."""


class HeadRedis(Values):
    """A Redis that keeps the state of the endpoint's head."""

    address: str = ""
    """Address like `redis.team.svc:6379`."""
    secret_name: OptionalName = ""
    """Existing Secret with the entry `password`, and perhaps `username`."""


class Ingress(Values):
    """An Ingress in front of the endpoint."""

    enabled: bool = False
    """Create it."""
    class_name: OptionalName = ""
    """IngressClass; the cluster's default when empty."""
    annotations: dict[str, str] = {}
    """Annotations, like cert-manager.io/cluster-issuer."""
    hosts: list[str] = []
    """Host names of the endpoint; at least one."""
    path: str = Field(default="/", pattern=r"^/")
    """Path prefix; the endpoint answers at /, so the controller has to remove another one."""
    tls_secret: OptionalName = ""
    """Secret with the certificate of the hosts; without it the endpoint is reached in the clear."""


class HttpRoute(Values):
    """An HTTPRoute of the Gateway API in front of the endpoint."""

    enabled: bool = False
    """Create it."""
    annotations: dict[str, str] = {}
    """Annotations."""
    parent_refs: list[ParentRef] = []
    """Gateways as in an HTTPRoute; at least one. TLS ends at the Gateway."""
    hostnames: list[str] = []
    """Host names of the endpoint; all of the Gateway's when empty."""
    timeouts: bool = True
    """Give a request the time that the endpoint takes at most; false for a Gateway without this."""


class Serving(Values):
    """The translation endpoint, a RayService; its settings are `config.serving`."""

    enabled: bool = True
    """Run it."""
    head: Head = Head(memory="2Gi")
    head_state: Literal["auto", "none", "embedded", "redis"] = "auto"
    """Where the head keeps its state, so that the endpoint works on while the head is replaced:
    `embedded`, a small database on the storage's claim or on `headClaim`; `redis`; `none`. `auto`
    takes `embedded` where there is a claim."""
    head_claim: HeadClaim = HeadClaim()
    head_redis: HeadRedis = HeadRedis()
    pods: ServingPods = ServingPods()
    queue: OptionalName = ""
    """Kueue LocalQueue that admits the endpoint's Ray cluster, with Kueue's elastic jobs; none when
    empty."""
    idle_timeout_seconds: Seconds = 300
    """Time after which an idle Pod is removed."""
    drain_seconds: Annotated[int, Field(ge=0, le=300)] = 15
    """Time for which a terminating Pod takes requests as before, while clients learn that it ends;
    after it, the Pod finishes what it has accepted."""
    haproxy: bool = True
    """Use HAProxy as the proxy of each Pod; false takes Serve's own, which is many times slower."""
    storage_secret_name: OptionalName = ""
    """Existing Secret with keys of the bucket for these Pods alone, which need less than jobs do;
    `storage.object.secretName` when empty."""
    test_key_secret: OptionalName = ""
    """Existing Secret whose entry `key` is an API key, with which `helm test` translates."""
    service_type: Literal["ClusterIP", "NodePort", "LoadBalancer"] = "ClusterIP"
    """Type of the Service in front of the Pods."""
    service_annotations: dict[str, str] = {}
    """Annotations of that Service."""
    ingress: Ingress = Ingress()
    http_route: HttpRoute = HttpRoute()
