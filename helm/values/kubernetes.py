"""Parts of the Kubernetes API that values hold.

Inside a custom resource or a ConfigMap, the API server checks the types of such parts at most, and
a wrong word is found only when the first Pod is made. So the schema of the values knows their
fields and words.
"""

from typing import Annotated, Literal

from pydantic import Field

from helm.values.base import Cidr, ObjectName, Values
from k8s.api.cluster import JsonObject


def without_null(schema: JsonObject) -> None:
    """Leave the null out of the schema of a part that may be absent."""
    schema.update(schema.pop("anyOf")[0])


class Fragment(Values):
    """A part of an object of the Kubernetes API, written as there."""


class LabelRequirement(Fragment):
    """A condition on a label."""

    key: str
    operator: Literal["In", "NotIn", "Exists", "DoesNotExist"]
    values: list[str] = []


class LabelSelector(Fragment):
    """Conditions on the labels of an object."""

    match_labels: dict[str, str] = {}
    match_expressions: list[LabelRequirement] = []


class NodeRequirement(Fragment):
    """A condition on a label or a field of a node."""

    key: str
    operator: Literal["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"]
    values: list[str] = []


class NodeTerm(Fragment):
    """Conditions on a node."""

    match_expressions: list[NodeRequirement] = []
    match_fields: list[NodeRequirement] = []


class NodeTerms(Fragment):
    """Nodes of which one has to match."""

    node_selector_terms: Annotated[list[NodeTerm], Field(min_length=1)]


Weight = Annotated[int, Field(ge=1, le=100)]


class PreferredNodes(Fragment):
    """Nodes that are preferred."""

    weight: Weight
    preference: NodeTerm


class NodeAffinity(Fragment):
    """Nodes on which Pods must or should run."""

    required_during_scheduling_ignored_during_execution: NodeTerms | None = Field(
        default=None, json_schema_extra=without_null
    )
    preferred_during_scheduling_ignored_during_execution: list[PreferredNodes] = []


class PodTerm(Fragment):
    """Pods beside which other Pods run."""

    topology_key: Annotated[str, Field(min_length=1)]
    label_selector: LabelSelector = LabelSelector()
    namespace_selector: LabelSelector = LabelSelector()
    namespaces: list[str] = []
    match_label_keys: list[str] = []
    mismatch_label_keys: list[str] = []


class PreferredPods(Fragment):
    """Pods that are preferred as neighbours."""

    weight: Weight
    pod_affinity_term: PodTerm


class PodAffinity(Fragment):
    """Pods beside which Pods must or should run."""

    required_during_scheduling_ignored_during_execution: list[PodTerm] = []
    preferred_during_scheduling_ignored_during_execution: list[PreferredPods] = []


class Affinity(Fragment):
    """The nodes and the neighbours of Pods."""

    node_affinity: NodeAffinity = NodeAffinity()
    pod_affinity: PodAffinity = PodAffinity()
    pod_anti_affinity: PodAffinity = PodAffinity()


class Toleration(Fragment):
    """A taint that is tolerated."""

    key: str = ""
    operator: Literal["Exists", "Equal"] = "Equal"
    value: str = ""
    effect: Literal["", "NoSchedule", "PreferNoSchedule", "NoExecute"] = ""
    toleration_seconds: int = 0


class SeLinuxOptions(Fragment):
    """SELinux labels."""

    level: str = ""
    role: str = ""
    type: str = ""
    user: str = ""


class IpBlock(Fragment):
    """A range of addresses."""

    cidr: Cidr
    excepted: list[Cidr] = Field(default=[], alias="except")


class Peer(Fragment):
    """Whom a NetworkPolicy names."""

    pod_selector: LabelSelector = LabelSelector()
    namespace_selector: LabelSelector = LabelSelector()
    ip_block: IpBlock | None = Field(default=None, json_schema_extra=without_null)


class Subject(Fragment):
    """Whom a RoleBinding names."""

    kind: Literal["User", "Group", "ServiceAccount"]
    name: Annotated[str, Field(min_length=1)]
    api_group: Literal["", "rbac.authorization.k8s.io"] = ""
    namespace: str = ""


class ParentRef(Fragment):
    """A Gateway that an HTTPRoute names."""

    name: ObjectName
    namespace: str = ""
    section_name: str = ""
    port: Annotated[int, Field(ge=1, le=65535)] = 80
    group: str = ""
    kind: str = ""


Peers = Annotated[list[Peer], Field(min_length=1)]
"""As in a NetworkPolicy, where an empty list of peers or ports means all of them."""
