"""The values of the chart `helm/nmt`, as one frozen type that embeds the project's `Config`.

`make schema` writes `helm/nmt/values.schema.json` and `helm/nmt/values.yaml` from it: a key, its
default and its description are here and nowhere else. Keys are camelCase, as usual in charts;
keys below `config` are the project's own.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from k8s.api.cluster import JsonObject
from nmt.config import Config

RAY_VERSION = "2.60.0"

_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"

Quantity = Annotated[str, Field(pattern=r"^[0-9]+(\.[0-9]+)?(m|k|Ki|M|Mi|G|Gi|T|Ti)?$")]
"""A Kubernetes quantity: `500m`, `2Gi`."""
OptionalQuantity = Annotated[str, Field(pattern=r"^([0-9]+(\.[0-9]+)?(m|k|Ki|M|Mi|G|Gi|T|Ti)?)?$")]
ObjectName = Annotated[str, Field(pattern=rf"^{_SUBDOMAIN}$", max_length=253)]
OptionalName = Annotated[str, Field(pattern=rf"^({_SUBDOMAIN})?$", max_length=253)]
# Short, because it becomes part of the names of Pods, which have at most 63 characters.
GroupName = Annotated[str, Field(pattern=r"^[a-z]([-a-z0-9]{0,18}[a-z0-9])?$")]
Seconds = Annotated[int, Field(gt=0)]
Count = Annotated[int, Field(ge=0)]
Ports = Annotated[list[Annotated[int, Field(ge=1, le=65535)]], Field(min_length=1)]
Peers = Annotated[list[JsonObject], Field(min_length=1)]
"""As in a NetworkPolicy, where an empty list of peers or ports means all of them."""


class Values(BaseModel):
    """A part of the values; unknown keys are refused."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        use_attribute_docstrings=True,
        alias_generator=to_camel,
        populate_by_name=True,
        validate_default=True,  # a wrong default is then found by every test, not by a release
    )


class Image(Values):
    """A container image."""

    repository: str = Field(min_length=1)
    """Name without tag."""
    tag: str = ""
    """Tag; the chart's appVersion when empty."""
    digest: str = Field(default="", pattern=r"^(sha256:[0-9a-f]{64})?$")
    """`sha256:…`; used instead of the tag."""
    pull_policy: Literal["IfNotPresent", "Always", "Never"] = "IfNotPresent"
    """When the node pulls it."""


class Claim(Values):
    """The volume that every Pod mounts."""

    create: bool = True
    """Create the claim; false uses an existing one."""
    name: OptionalName = ""
    """Name of the claim; `<release>-storage` when empty."""
    size: Quantity = "100Gi"
    """Size of a claim that is created."""
    storage_class: str = ""
    """Storage class of a claim that is created; the cluster's default when empty."""
    access_mode: Literal["ReadWriteMany", "ReadWriteOnce"] = "ReadWriteMany"
    """`ReadWriteOnce` works only on a single node."""
    keep: bool = True
    """Keep the claim, and with it all models, when the release is uninstalled."""


class ObjectStore(Values):
    """A bucket."""

    url: str = Field(default="", pattern=r"^((s3|gs)://.+)?$")
    """`s3://bucket/prefix` or `gs://bucket/prefix`, without keys: put those into a Secret."""
    secret_name: OptionalName = ""
    """Existing Secret whose keys become environment variables, like AWS_ACCESS_KEY_ID."""


class StorageValues(Values):
    """Where runs, engines, traffic files and logs are stored."""

    type: Literal["claim", "object"] = "claim"
    """`claim`: a volume; `object`: a bucket."""
    claim: Claim = Claim()
    object: ObjectStore = ObjectStore()
    mount_path: str = Field(default="/storage", pattern=r"^(/[-a-zA-Z0-9_]+)+$")
    """Where Pods mount the claim; a relative `config.storage` is a folder in it."""


class Ray(Values):
    """Ray itself."""

    version: str = Field(default=RAY_VERSION, pattern=r"^[0-9]+\.[0-9]+\.[0-9]+$")
    """Version of Ray in the image; KubeRay chooses probes and authentication by it."""
    token: bool = True
    """Require KubeRay's token for the dashboard, for jobs and between Pods."""


class Placement(Values):
    """The nodes on which Pods run."""

    node_selector: dict[str, str] = {}
    """Labels a node must have."""
    tolerations: list[JsonObject] = []
    """Taints that are tolerated."""
    affinity: JsonObject = {}
    """Affinity as in a Pod."""


class Head(Placement):
    """The head Pod of a Ray cluster; it never runs training or engines itself."""

    cpu_request: Quantity = "1"
    """CPU request."""
    memory: Quantity = "4Gi"
    """Memory limit."""
    memory_request: OptionalQuantity = ""
    """Memory request; the limit when empty."""


class RayPods(Placement):
    """The size of worker Pods, and the resources that Ray counts in them."""

    cpus: Annotated[int, Field(gt=0)] = 4
    """CPUs that Ray counts in a Pod."""
    cpu_request: OptionalQuantity = ""
    """CPU request; `cpus` when empty."""
    gpus: Count = 0
    """GPUs of a Pod."""
    gpu_resource: str = Field(default="nvidia.com/gpu", min_length=1)
    """Name of the GPU resource on the nodes."""
    memory: Quantity = "16Gi"
    """Memory limit, shared memory included."""
    memory_request: OptionalQuantity = ""
    """Memory request; the limit when empty."""


class WorkerGroup(RayPods):
    """Worker Pods of one kind."""

    min: Count = 0
    """Minimum number of Pods in the interactive cluster."""
    max: Annotated[int, Field(gt=0)] = 4
    """Maximum number of Pods, in the interactive cluster and in a job."""
    extra_resources: dict[str, str] = {}
    """More resources of a Pod, like `rdma/hca: "1"` for a fast network."""
    env: dict[str, str] = {}
    """Environment variables of the Pods, like NCCL settings."""


class Jobs(Values):
    """Jobs that `nmt-k8s submit` starts."""

    workers: GroupName = "cpu"
    """Worker group that runs a job, unless `--workers` names another one."""
    head: Head = Head()
    retries: Annotated[int, Field(ge=0, le=6)] = 3
    """How often a job resumes after its head Pod or its process was lost."""
    deadline_seconds: Seconds = 259_200
    """Time limit of a job, including the wait for its Pods; the wait in `queue` has no limit."""
    pending_seconds: Seconds = 1_800
    """Time limit until a job's Pods run, counted from its admission by `queue`."""
    keep_seconds: Count = 60
    """Time to keep the Ray Pods after a job's end; its submitter Pod is deleted with the job."""
    queue: OptionalName = ""
    """Kueue LocalQueue that admits the jobs; none when empty."""


class Cluster(Values):
    """An interactive RayCluster for `ray job submit` and `nmt-k8s submit --to`."""

    enabled: bool = False
    """Run it; an upgrade that changes its Pods restarts it, which ends the jobs on it."""
    head: Head = Head()
    workers: list[GroupName] = ["cpu"]
    """Its worker groups."""
    idle_timeout_seconds: Seconds = 120
    """Time after which an idle worker Pod is removed."""


class ServingPods(RayPods):
    """Pods that translate: each runs a proxy and one or more replicas."""

    memory: Quantity = "8Gi"
    """Memory limit, shared memory included."""
    min: Annotated[int, Field(gt=0)] = 1
    """Minimum number of Pods."""
    max: Annotated[int, Field(gt=0)] = 4
    """Maximum number of Pods."""


class Serving(Values):
    """The translation endpoint, a RayService; its settings are `config.serving`."""

    enabled: bool = True
    """Run it."""
    head: Head = Head(memory="2Gi")
    pods: ServingPods = ServingPods()
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


class Accounts(Values):
    """Service accounts."""

    create: bool = True
    """Create them; false uses accounts of the same names that an administrator created."""
    annotations: dict[str, str] = {}
    """Annotations of all accounts, like a cloud role for the bucket."""
    serving_annotations: dict[str, str] = {}
    """Annotations of the endpoint's account instead of these, like a role that may do less."""


class Rbac(Values):
    """Permissions."""

    create: bool = True
    """Create the Role for running jobs, and its binding."""
    subjects: list[JsonObject] = []
    """Users and groups that may run `nmt-k8s`, as in a RoleBinding."""


class Dns(Values):
    """DNS servers that Pods may ask."""

    peers: Peers = [
        {"namespaceSelector": {}, "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}}}
    ]
    """Peers that are DNS servers; a cache on every node is an ipBlock, like 169.254.20.10/32."""
    ports: Ports = [53]
    """Ports of the server Pods, UDP and TCP, like 5353 on OpenShift."""


class NetworkPolicies(Values):
    """Allowed network traffic; everything else is blocked."""

    enabled: bool = True
    """Create the NetworkPolicies."""
    clients: list[JsonObject] = [{"namespaceSelector": {}}]
    """Peers that may call the endpoint; all Pods of the cluster by default."""
    kuberay_namespace_selector: JsonObject = {}
    """Namespaces in which KubeRay runs; all when empty."""
    kuberay_pod_selector: JsonObject = {
        "matchLabels": {"app.kubernetes.io/component": "kuberay-operator"}
    }
    """KubeRay's Pods."""
    dns: Dns = Dns()
    api_server_cidr: str = "0.0.0.0/0"
    """Addresses of the API server; autoscaling heads may always reach all of them."""
    api_server_ports: Ports = [443, 6443]
    """Ports of the API server."""
    outside: bool = True
    """Let jobs reach `outsidePorts` anywhere, like the hub; with a bucket, every Pod may."""
    outside_ports: Ports = [443]
    """Ports for `outside`; add those of a proxy, a bucket server or a cloud's metadata server."""
    monitoring: Peers = [{"namespaceSelector": {}}]
    """Peers that may read metrics when `monitoring.podMonitors` is true."""


class Priorities(Values):
    """Priorities: serving before training before searching; fixed once a release is installed.

    Pods without a class, like KubeRay's, have priority 0: Pods above it evict them from full nodes.
    """

    create: bool = True
    """Create the three PriorityClasses, which are cluster-wide objects."""
    serve: int = 0
    """Priority of the endpoint; above 0 it evicts other Pods of the cluster, KubeRay's included."""
    train: int = -5
    """Priority of training and all other jobs."""
    tune: int = -10
    """Priority of searches; the cluster autoscaler adds no nodes for Pods below -10."""


class Monitoring(Values):
    """Objects for the Prometheus operator and Grafana."""

    pod_monitors: bool = False
    """Create PodMonitors."""
    alerts: bool = False
    """Create a PrometheusRule."""
    dashboard: bool = False
    """Create a ConfigMap with a Grafana dashboard."""
    key_secret: OptionalName = ""
    """Existing Secret whose entry `key` is an API key with scope admin, with which Prometheus reads
    the endpoint's own metrics."""
    labels: dict[str, str] = {}
    """Labels by which Prometheus selects monitors and rules."""


class ChartValues(Values):
    """All values of a release."""

    name_override: OptionalName = ""
    """Prefix of all object names, instead of the release's name."""
    image: Image = Image(repository="nmt-ray")
    """Image that runs jobs and serves: target `ray` of docker/Dockerfile."""
    tools_image: Image = Image(repository="nmt-tools")
    """Image that reads and writes the storage root for `nmt-k8s`: target `tools`."""
    image_pull_secrets: list[ObjectName] = []
    """Names of Secrets for a private registry."""
    config: Config = Config()
    """Settings as in configs/*.yaml, which every job of the release starts from. The endpoint
    requires API keys unless `serving.require_keys` is false."""
    storage: StorageValues = StorageValues()
    ray: Ray = Ray()
    workers: dict[GroupName, WorkerGroup] = {"cpu": WorkerGroup()}
    """Worker groups by name."""
    jobs: Jobs = Jobs()
    cluster: Cluster = Cluster()
    serving: Serving = Serving()
    service_accounts: Accounts = Accounts()
    rbac: Rbac = Rbac()
    network_policies: NetworkPolicies = NetworkPolicies()
    priorities: Priorities = Priorities()
    disruption_budget: bool = True
    """While nodes are drained, keep all but one of `serving.pods.min` Pods; needs at least two."""
    monitoring: Monitoring = Monitoring()
    env: dict[str, str] = {}
    """Environment variables of all Pods with the storage, like AWS_ENDPOINT_URL or HTTPS_PROXY."""
    env_secret_name: OptionalName = ""
    """Existing Secret whose keys become environment variables of the same Pods, like HF_TOKEN."""
    pod_labels: dict[str, str] = {}
    """More labels of every Pod."""
    pod_annotations: dict[str, str] = {}
    """More annotations of every Pod."""
