"""Pods: their size, their nodes, and the user that they run as."""

from pydantic import Field

from helm.values.base import Count, OptionalQuantity, Positive, Quantity, Values
from helm.values.kubernetes import Affinity, SeLinuxOptions, Toleration
from helm.values.pod_template import PodTemplate


class PodSecurity(Values):
    """The user of every Pod; null leaves a key out, as OpenShift needs, which chooses it itself."""

    run_as_user: Positive | None = 1000
    """User id; 0 is root, which no Pod may be."""
    run_as_group: Count | None = 1000
    """Group id."""
    fs_group: Count | None = 1000
    """Group that owns the files of volumes."""
    se_linux_options: SeLinuxOptions = SeLinuxOptions()
    """SELinux labels as in a Pod, like `level`."""


class Placement(Values):
    """The nodes on which Pods run, and what their template has beside the chart's."""

    node_selector: dict[str, str] = {}
    """Labels a node must have."""
    tolerations: list[Toleration] = []
    """Taints that are tolerated."""
    affinity: Affinity = Affinity()
    """Affinity as in a Pod."""
    pod_template: PodTemplate = PodTemplate()
    """Changes to the template of these Pods: `metadata` and `spec` as in a Pod, merged as `kubectl
    patch` does."""


class Head(Placement):
    """The head Pod of a Ray cluster; it never runs training or engines itself."""

    cpu_request: Quantity = "1"
    """CPU request."""
    memory: Quantity = "4Gi"
    """Memory limit."""
    memory_request: OptionalQuantity = ""
    """Memory request; the limit when empty."""
    disk: Quantity = "10Gi"
    """Limit of the local disk, for logs and what Ray keeps in /tmp."""
    disk_request: OptionalQuantity = ""
    """Request of local disk; the limit when empty."""


class RayPods(Placement):
    """The size of worker Pods, and the resources that Ray counts in them."""

    cpus: Positive = 4
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
    disk: Quantity = "20Gi"
    """Limit of the local disk, for what Ray spills and for copies of models; with a bucket also for
    what is downloaded from the hub."""
    disk_request: OptionalQuantity = ""
    """Request of local disk; the limit when empty."""


class WorkerGroup(RayPods):
    """Worker Pods of one kind."""

    min: Count = 0
    """Minimum number of Pods in the interactive cluster."""
    max: Positive = 4
    """Maximum number of Pods, in the interactive cluster and in a job."""
    extra_resources: dict[str, str] = {}
    """More resources of a Pod, like `rdma/hca: "1"` for a fast network."""
    env: dict[str, str] = {}
    """Environment variables of the Pods, like NCCL settings."""
