"""What an installer may change in the templates of Pods, under Pod Security "restricted"."""

from typing import Annotated, Literal

from pydantic import Field

from helm.values.base import ObjectName, Positive
from helm.values.kubernetes import (
    Affinity,
    Fragment,
    LabelSelector,
    SeLinuxOptions,
    Toleration,
    without_null,
)
from k8s.api.cluster import JsonObject

PartName = Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", max_length=63)]
UserId = Positive


class Volume(Fragment):
    """A volume of a kind that Pod Security "restricted" allows."""

    name: PartName
    config_map: JsonObject = {}
    csi: JsonObject = {}
    downward_api: JsonObject = Field(default={}, alias="downwardAPI")
    empty_dir: JsonObject = {}
    ephemeral: JsonObject = {}
    image: JsonObject = {}
    persistent_volume_claim: JsonObject = {}
    projected: JsonObject = {}
    secret: JsonObject = {}


class VolumeMount(Fragment):
    """A volume in a container."""

    name: PartName
    mount_path: Annotated[str, Field(pattern=r"^/[^:]*$")]
    read_only: bool = False
    recursive_read_only: Literal["Disabled", "Enabled", "IfPossible"] = "Disabled"
    sub_path: str = ""
    sub_path_expr: str = ""


class VolumeDevice(Fragment):
    """A block device in a container."""

    name: PartName
    device_path: str


class Variable(Fragment):
    """An environment variable."""

    name: Annotated[str, Field(min_length=1)]
    value: str = ""
    value_from: JsonObject = {}


class ContainerPort(Fragment):
    """A port of a container, without one of the node."""

    container_port: Annotated[int, Field(ge=1, le=65535)]
    name: str = ""
    protocol: Literal["TCP", "UDP", "SCTP"] = "TCP"


class Capabilities(Fragment):
    """Linux capabilities."""

    drop: list[str] = ["ALL"]
    add: list[Literal["NET_BIND_SERVICE"]] = []


class SeccompProfile(Fragment):
    """A filter of system calls."""

    type: Literal["RuntimeDefault", "Localhost"]
    localhost_profile: str = ""


class ContainerSecurity(Fragment):
    """What "restricted" lets a container have; the chart fills in what is missing."""

    allow_privilege_escalation: Literal[False] = False
    capabilities: Capabilities = Capabilities()
    privileged: Literal[False] = False
    read_only_root_filesystem: bool = True
    run_as_group: UserId = 1000
    run_as_non_root: Literal[True] = True
    run_as_user: UserId = 1000
    se_linux_options: SeLinuxOptions = SeLinuxOptions()
    seccomp_profile: SeccompProfile = SeccompProfile(type="RuntimeDefault")


class Container(Fragment):
    """A container that is added, or what `main`, the Pod's own one, has beside the chart's."""

    name: PartName
    image: str = ""
    image_pull_policy: Literal["IfNotPresent", "Always", "Never"] = "IfNotPresent"
    command: list[str] = []
    args: list[str] = []
    working_dir: str = ""
    env: list[Variable] = []
    env_from: list[JsonObject] = []
    ports: list[ContainerPort] = []
    resources: JsonObject = {}
    volume_mounts: list[VolumeMount] = []
    volume_devices: list[VolumeDevice] = []
    lifecycle: JsonObject = {}
    liveness_probe: JsonObject = {}
    readiness_probe: JsonObject = {}
    startup_probe: JsonObject = {}
    security_context: ContainerSecurity = ContainerSecurity()
    termination_message_path: str = ""
    termination_message_policy: Literal["File", "FallbackToLogsOnError"] = "File"


class InitContainer(Container):
    """A container that runs before the Pod's own, or beside it with `restartPolicy: Always`."""

    restart_policy: Literal["Always"] = "Always"


class HostAlias(Fragment):
    """Names for an address, in /etc/hosts."""

    ip: Annotated[str, Field(pattern=r"^[0-9a-fA-F:.]+$")]
    hostnames: Annotated[list[str], Field(min_length=1)]


class DnsOption(Fragment):
    """An option of /etc/resolv.conf."""

    name: str
    value: str = ""


class DnsConfig(Fragment):
    """More of /etc/resolv.conf."""

    nameservers: list[str] = []
    searches: list[str] = []
    options: list[DnsOption] = []


class Spread(Fragment):
    """Over what Pods are spread."""

    topology_key: Annotated[str, Field(min_length=1)]
    max_skew: Positive
    when_unsatisfiable: Literal["DoNotSchedule", "ScheduleAnyway"]
    label_selector: LabelSelector = LabelSelector()
    match_label_keys: list[str] = []
    min_domains: Positive = 1
    node_affinity_policy: Literal["Honor", "Ignore"] = "Honor"
    node_taints_policy: Literal["Honor", "Ignore"] = "Ignore"


class PullSecret(Fragment):
    """A Secret for a registry."""

    name: ObjectName


class PodGroups(Fragment):
    """Groups of a Pod; its user is `podSecurity`."""

    fs_group_change_policy: Literal["OnRootMismatch", "Always"] = "OnRootMismatch"
    supplemental_groups: list[UserId] = []
    supplemental_groups_policy: Literal["Merge", "Strict"] = "Merge"


class PodSpec(Fragment):
    """What can be changed in the `spec` of a Pod."""

    affinity: Affinity = Affinity()
    containers: list[Container] = []
    dns_config: DnsConfig | None = Field(default=None, json_schema_extra=without_null)
    dns_policy: Literal["ClusterFirst", "Default", "None"] = "ClusterFirst"
    host_aliases: list[HostAlias] = []
    host_users: bool = True
    image_pull_secrets: list[PullSecret] = []
    init_containers: list[InitContainer] = []
    node_selector: dict[str, str] = {}
    preemption_policy: Literal["Never", "PreemptLowerPriority"] = "PreemptLowerPriority"
    readiness_gates: list[JsonObject] = []
    resource_claims: list[JsonObject] = []
    runtime_class_name: ObjectName | None = Field(default=None, json_schema_extra=without_null)
    scheduler_name: str = ""
    security_context: PodGroups = PodGroups()
    set_hostname_as_fqdn: bool = Field(default=False, alias="setHostnameAsFQDN")
    share_process_namespace: bool = False
    tolerations: list[Toleration] = []
    topology_spread_constraints: list[Spread] = []
    volumes: list[Volume] = []


class PodMetadata(Fragment):
    """What can be changed in the `metadata` of a Pod."""

    annotations: dict[str, str] = {}
    labels: dict[str, str] = {}


class PodTemplate(Fragment):
    """Changes to the template of a Pod."""

    metadata: PodMetadata = PodMetadata()
    spec: PodSpec = PodSpec()


REFUSED: dict[str, dict[str, str]] = {
    "PodSpec": {
        "automountServiceAccountToken": "set by the chart: only an autoscaling head has a token",
        "serviceAccountName": "set by the chart: see serviceAccounts",
        "serviceAccount": "set by the chart: see serviceAccounts",
        "hostNetwork": "refused by Pod Security restricted",
        "hostPID": "refused by Pod Security restricted",
        "hostIPC": "refused by Pod Security restricted",
        "restartPolicy": "set by KubeRay and the chart",
        "terminationGracePeriodSeconds": "computed by the chart: see serving.drainSeconds",
        "activeDeadlineSeconds": "refused: a job's limit is jobs.deadlineSeconds",
        "priorityClassName": "set by the chart: see priorities.existing",
        "priority": "set by the chart: see priorities",
        "nodeName": "refused: it goes past the scheduler; set nodeSelector",
        "enableServiceLinks": "set by the chart: names of Services would become variables",
    },
    "PodGroups": dict.fromkeys(
        ("runAsUser", "runAsGroup", "runAsNonRoot", "fsGroup", "seLinuxOptions", "seccompProfile"),
        "set by the chart: see podSecurity",
    ),
    "Volume": {
        "hostPath": "refused by Pod Security restricted",
        "nfs": "refused by Pod Security restricted: take a PersistentVolumeClaim",
    },
    "ContainerPort": {"hostPort": "refused by Pod Security restricted"},
    "Container": {
        "restartPolicy": "refused: a container that restarts by itself is one of initContainers",
    },
}
"""Keys that users may look for, and why a Pod of this chart cannot have them."""
