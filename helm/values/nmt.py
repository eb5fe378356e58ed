"""The values of the chart `helm/nmt`, as one frozen type that embeds the project's `Config`.

`make schema` writes `helm/nmt/values.schema.json` and `helm/nmt/values.yaml` from it: a key, its
default and its description live here and nowhere else. Keys are camelCase, as charts have them;
those below `config` are the project's own.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from nmt import __version__
from nmt.config import Config

RAY_VERSION = "2.60.0"

_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"

Quantity = Annotated[str, Field(pattern=r"^[0-9]+(\.[0-9]+)?(m|k|Ki|M|Mi|G|Gi|T|Ti)?$")]
"""A Kubernetes quantity: `500m`, `2Gi`."""
OptionalQuantity = Annotated[str, Field(pattern=r"^([0-9]+(\.[0-9]+)?(m|k|Ki|M|Mi|G|Gi|T|Ti)?)?$")]
ObjectName = Annotated[str, Field(pattern=rf"^{_SUBDOMAIN}$", max_length=253)]
OptionalName = Annotated[str, Field(pattern=rf"^({_SUBDOMAIN})?$", max_length=253)]
GroupName = Annotated[str, Field(pattern=r"^[a-z]([-a-z0-9]{0,18}[a-z0-9])?$")]
Seconds = Annotated[int, Field(gt=0)]
Count = Annotated[int, Field(ge=0)]
Plain = dict[str, Any]
"""A fragment of the Kubernetes API, passed through as it is."""
Ports = Annotated[list[Annotated[int, Field(ge=1, le=65535)]], Field(min_length=1)]
Peers = Annotated[list[Plain], Field(min_length=1)]
"""As in a NetworkPolicy, where an empty list of peers or ports means all of them."""


class Values(BaseModel):
    """A part of the values; unknown keys are refused."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        use_attribute_docstrings=True,
        alias_generator=to_camel,
        populate_by_name=True,
        validate_default=True,
    )


class Image(Values):
    """A container image."""

    repository: str = Field(min_length=1)
    """Name without tag."""
    tag: str = ""
    """Tag; the chart's appVersion when empty."""
    digest: str = Field(default="", pattern=r"^(sha256:[0-9a-f]{64})?$")
    """`sha256:…`; wins over the tag."""
    pull_policy: Literal["IfNotPresent", "Always", "Never"] = "IfNotPresent"
    """When the node pulls it."""


class Claim(Values):
    """A volume that every Pod mounts."""

    create: bool = True
    """Make the claim; false takes an existing one."""
    name: OptionalName = ""
    """Name of the claim; `<release>-storage` when empty."""
    size: Quantity = "100Gi"
    """Size of a claim that is made."""
    storage_class: str = ""
    """Storage class of a claim that is made; the cluster's default when empty."""
    access_mode: Literal["ReadWriteMany", "ReadWriteOnce"] = "ReadWriteMany"
    """`ReadWriteOnce` fits one node alone."""
    keep: bool = True
    """Keep the claim, and so all models, when the release is uninstalled."""


class ObjectStore(Values):
    """A bucket."""

    url: str = Field(default="", pattern=r"^((s3|gs)://.+)?$")
    """`s3://bucket/prefix` or `gs://bucket/prefix`, without keys: those stand in a Secret."""
    secret_name: OptionalName = ""
    """Existing Secret whose keys become the environment, like AWS_ACCESS_KEY_ID."""


class StorageValues(Values):
    """Where runs, engines, traffic files and logs lie."""

    type: Literal["claim", "object"] = "claim"
    """`claim`: a volume; `object`: a bucket."""
    claim: Claim = Claim()
    object: ObjectStore = ObjectStore()
    mount_path: str = Field(default="/storage", pattern=r"^(/[-a-zA-Z0-9_]+)+$")
    """Where Pods mount the claim; a relative `config.storage` lies below it."""


class Ray(Values):
    """Ray itself."""

    version: str = Field(default=RAY_VERSION, pattern=r"^[0-9]+\.[0-9]+\.[0-9]+$")
    """Version in the image; KubeRay chooses probes and authentication by it."""
    token: bool = True
    """Require KubeRay's token for the dashboard, for jobs and between Pods."""


class Placement(Values):
    """On which nodes Pods run."""

    node_selector: dict[str, str] = {}
    """Labels a node must have."""
    tolerations: list[Plain] = []
    """Taints that are tolerated."""
    affinity: Plain = {}
    """Affinity as in a Pod."""


class Head(Placement):
    """The head Pod of a Ray cluster; it never runs training or engines itself."""

    cpu_request: Quantity = "1"
    """CPU that is reserved."""
    memory: Quantity = "4Gi"
    """Memory limit."""
    memory_request: OptionalQuantity = ""
    """Memory that is reserved; the limit when empty."""


class RayPods(Placement):
    """Pods that work: their size, and what Ray counts in them."""

    cpus: Annotated[int, Field(gt=0)] = 4
    """CPUs that Ray counts in a Pod."""
    cpu_request: OptionalQuantity = ""
    """CPU that is reserved; `cpus` when empty."""
    gpus: Count = 0
    """GPUs of a Pod."""
    gpu_resource: str = Field(default="nvidia.com/gpu", min_length=1)
    """Name of the GPU resource on the nodes."""
    memory: Quantity = "16Gi"
    """Memory limit, shared memory included."""
    memory_request: OptionalQuantity = ""
    """Memory that is reserved; the limit when empty."""


class WorkerGroup(RayPods):
    """Worker Pods of one kind."""

    min: Count = 0
    """Least Pods in the interactive cluster."""
    max: Annotated[int, Field(gt=0)] = 4
    """Most Pods, in the interactive cluster and in a job."""
    extra_resources: dict[str, str] = {}
    """Further resources of a Pod, like `rdma/hca: "1"` for a fast network."""
    env: dict[str, str] = {}
    """Environment of the Pods, like NCCL settings."""


class Jobs(Values):
    """What `nmt-k8s submit` starts."""

    workers: GroupName = "cpu"
    """Worker group that runs a job unless `--workers` names another."""
    head: Head = Head()
    retries: Annotated[int, Field(ge=0, le=6)] = 3
    """Times a job goes on after its head Pod or its process was lost."""
    deadline_seconds: Seconds = 259_200
    """Longest time of a job, waiting for its Pods included; waiting in `queue` has no limit."""
    pending_seconds: Seconds = 1_800
    """Longest time until a job's Pods run, once `queue` has let it in."""
    keep_seconds: Count = 60
    """Time the Ray Pods stay after a job's end; the submitter's stays until the job is deleted."""
    queue: OptionalName = ""
    """Kueue LocalQueue that admits the jobs; none when empty."""


class Cluster(Values):
    """A RayCluster for `ray job submit` and `nmt-k8s submit --to`."""

    enabled: bool = False
    """Run it; an upgrade that changes its Pods starts it anew, and ends the jobs on it."""
    head: Head = Head()
    workers: list[GroupName] = ["cpu"]
    """Worker groups that it scales."""
    idle_timeout_seconds: Seconds = 120
    """Time after which an idle worker Pod goes."""


class ServingPods(RayPods):
    """Pods of the translators."""

    memory: Quantity = "8Gi"
    """Memory limit, shared memory included."""
    min: Annotated[int, Field(gt=0)] = 1
    """Least Pods."""
    max: Annotated[int, Field(gt=0)] = 4
    """Most Pods."""


class Serving(Values):
    """The translation endpoint, a RayService; its settings are `config.serving`."""

    enabled: bool = True
    """Run it."""
    head: Head = Head(memory="2Gi")
    pods: ServingPods = ServingPods()
    idle_timeout_seconds: Seconds = 300
    """Time after which an idle Pod goes."""
    drain_seconds: Annotated[int, Field(ge=0, le=300)] = 15
    """Time a Pod that goes still answers while clients learn of it."""
    service_type: Literal["ClusterIP", "NodePort", "LoadBalancer"] = "ClusterIP"
    """Type of the Service in front."""
    service_annotations: dict[str, str] = {}
    """Annotations of that Service."""


class Accounts(Values):
    """Service accounts."""

    create: bool = True
    """Make them; false takes those of an administrator, named alike."""
    annotations: dict[str, str] = {}
    """Annotations of all of them, like a cloud role for the bucket."""


class Rbac(Values):
    """Rights."""

    create: bool = True
    """Make the Role of those who run jobs, and bind it."""
    subjects: list[Plain] = []
    """Users and groups that may run `nmt-k8s`, as in a RoleBinding."""


class Dns(Values):
    """Where Pods look names up."""

    peers: Peers = [
        {"namespaceSelector": {}, "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}}}
    ]
    """Its servers; a cache on every node is an ipBlock, like 169.254.20.10/32."""
    ports: Ports = [53]
    """Their ports, UDP and TCP: those of the Pods, like 5353 on OpenShift."""


class NetworkPolicies(Values):
    """Who may talk to whom; everything else is refused."""

    enabled: bool = True
    """Make them."""
    clients: list[Plain] = [{"namespaceSelector": {}}]
    """Peers that may call the endpoint; all Pods of the cluster by default."""
    kuberay_namespace_selector: Plain = {}
    """Namespaces where KubeRay runs; all when empty."""
    kuberay_pod_selector: Plain = {
        "matchLabels": {"app.kubernetes.io/component": "kuberay-operator"}
    }
    """KubeRay's Pods."""
    dns: Dns = Dns()
    api_server_cidr: str = "0.0.0.0/0"
    """Where the API server answers; heads that autoscale reach all of it, `outside` or not."""
    api_server_ports: Ports = [443, 6443]
    """Its ports."""
    outside: bool = True
    """Let jobs reach `outsidePorts` anywhere, like the hub; with a bucket every Pod may."""
    outside_ports: Ports = [443]
    """Those ports; add those of a proxy, of a bucket's own server or of a cloud's metadata."""
    monitoring: Peers = [{"namespaceSelector": {}}]
    """Peers that may read metrics, once `monitoring.podMonitors` is on."""


class Priorities(Values):
    """Serving before training before searching; an installed release cannot change the values.

    Pods without a class, like KubeRay's, have 0: whatever is above evicts them from a full node.
    """

    create: bool = True
    """Make the three PriorityClasses; they belong to the whole cluster."""
    serve: int = 0
    """Value of the endpoint; above 0 it evicts other Pods of the cluster, KubeRay among them."""
    train: int = -5
    """Value of training and all other jobs."""
    tune: int = -10
    """Value of searches; the cluster autoscaler makes no nodes for what is below -10."""


class Monitoring(Values):
    """For the Prometheus operator and Grafana."""

    pod_monitors: bool = False
    """Make PodMonitors."""
    alerts: bool = False
    """Make a PrometheusRule."""
    dashboard: bool = False
    """Make a ConfigMap with a Grafana dashboard."""
    labels: dict[str, str] = {}
    """Labels that Prometheus selects monitors and rules by."""


class ChartValues(Values):
    """Everything that can be set in a release."""

    name_override: OptionalName = ""
    """Name of the objects instead of the release's."""
    image: Image = Image(repository="nmt-ray")
    """Runs jobs and serves: target `ray` of docker/Dockerfile."""
    tools_image: Image = Image(repository="nmt-tools")
    """Reads and writes the storage root for `nmt-k8s`: target `tools`."""
    image_pull_secrets: list[ObjectName] = []
    """Names of Secrets for a private registry."""
    config: Config = Config()
    """The project's settings, as in configs/*.yaml; jobs start from them."""
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
    """Keep all but one of `serving.pods.min` Pods when nodes are drained; none is kept of one."""
    monitoring: Monitoring = Monitoring()
    env: dict[str, str] = {}
    """Environment of every Pod that uses the storage, like AWS_ENDPOINT_URL or HTTPS_PROXY."""
    env_secret_name: OptionalName = ""
    """Existing Secret whose keys become the environment of the same Pods, like HF_TOKEN."""
    pod_labels: dict[str, str] = {}
    """Further labels of every Pod."""
    pod_annotations: dict[str, str] = {}
    """Further annotations of every Pod."""


CHART_VERSION = __version__
