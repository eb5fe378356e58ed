"""The values of the chart `helm/nmt`, as one frozen type that embeds the project's `Config`.

`make schema` writes `helm/nmt/values.schema.json` and `helm/nmt/values.yaml` from it: a key, its
default and its description are here and nowhere else. Keys are camelCase, as usual in charts;
keys below `config` are the project's own.
"""

from typing import Annotated

from pydantic import Field

from helm.values.access import Accounts, Priorities, Rbac
from helm.values.base import (
    DirectAddress,
    GroupName,
    ObjectName,
    OptionalName,
    Seconds,
    Values,
)
from helm.values.network import NetworkPolicies
from helm.values.operator import Crds, Operator
from helm.values.pod_template import PodTemplate
from helm.values.pods import Head, PodSecurity, WorkerGroup
from helm.values.serving import Serving
from helm.values.storage import Image, StorageValues
from k8s.objects.limits import MAX_SECONDS
from nmt.config import Config

RAY_VERSION = "2.60.0"


class Ray(Values):
    """Ray itself."""

    version: str = Field(default=RAY_VERSION, pattern=r"^[0-9]+\.[0-9]+\.[0-9]+$")
    """Version of Ray in the image; KubeRay chooses probes and authentication by it."""
    token: bool = True
    """Require KubeRay's token for the dashboard, for jobs and between Pods."""


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
    keep_seconds: Annotated[int, Field(ge=0, le=MAX_SECONDS)] = 60
    """Time to keep the Ray Pods after a job's end; its submitter Pod is deleted with the job."""
    queue: OptionalName = ""
    """Kueue LocalQueue that admits the jobs; none when empty."""


class Cluster(Values):
    """An interactive RayCluster for `ray job submit`, and for `nmt-k8s submit` with `--to`."""

    enabled: bool = False
    """Run it; an upgrade that changes its Pods restarts it, which ends the jobs on it."""
    head: Head = Head()
    workers: list[GroupName] = ["cpu"]
    """Its worker groups."""
    queue: OptionalName = ""
    """Kueue LocalQueue that admits the cluster, with Kueue's elastic jobs; none when empty."""
    idle_timeout_seconds: Seconds = 120
    """Time after which an idle worker Pod is removed."""


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
    image: Image = Image()
    """Image that runs jobs and serves: target `ray` of docker/Dockerfile."""
    tools_image: Image = Image()
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
    operator: Operator = Operator()
    crds: Crds = Crds()
    service_accounts: Accounts = Accounts()
    rbac: Rbac = Rbac()
    network_policies: NetworkPolicies = NetworkPolicies()
    priorities: Priorities = Priorities()
    disruption_budget: bool = True
    """While nodes are drained, keep all but one of `serving.pods.min` Pods, if there are two, and
    the endpoint's head as long as it keeps no state."""
    monitoring: Monitoring = Monitoring()
    env: dict[str, str] = {}
    """Environment variables of all Pods with the storage, like AWS_ENDPOINT_URL or HTTPS_PROXY."""
    no_proxy: list[DirectAddress] = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"]
    """Hosts, domains and IPv4 ranges that are reached without the proxy that `env` names, beside
    the Pod itself, `.svc` and `.cluster.local`. A proxy that only `envSecretName` has is not seen:
    set `env.NO_PROXY` as well, if only to `localhost`."""
    env_secret_name: OptionalName = ""
    """Existing Secret whose keys become environment variables of the same Pods, like HF_TOKEN."""
    pod_security: PodSecurity = PodSecurity()
    pod_template: PodTemplate = PodTemplate()
    """Changes to the template of every Pod, before those of its own kind: `metadata` and `spec` as
    in a Pod, merged as `kubectl patch` does."""
    pod_labels: dict[str, str] = {}
    """More labels of every Pod."""
    pod_annotations: dict[str, str] = {}
    """More annotations of every Pod."""
