"""Whether the endpoint of a release takes requests, and why it does not. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from k8s.api.cluster import JsonObject
from k8s.objects.names import COMPONENT
from k8s.observe.pending_cluster import PendingCluster, find_pending_cluster

_NODE_TYPE = "ray.io/node-type"
_NO_ENGINE = "not ready: no engine has been promoted, or none can be loaded: see `nmt-k8s traffic`"


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether an endpoint takes requests."""

    is_ready: bool
    lacks_engine: bool
    """Its Pods run and have no engine, as before the first promotion."""
    text: str
    pending: PendingCluster | None
    """The Ray cluster that is to serve next."""

    @property
    def is_stuck(self) -> bool:
        """Tell whether a start or an upgrade does not end by itself."""
        return self.pending is not None and self.pending.is_stuck

    @property
    def upgrade(self) -> PendingCluster | None:
        """Return the Ray cluster that is to take the place of the one that serves."""
        return self.pending if self.pending and self.pending.replaces else None


def serving_pods(pods: Sequence[JsonObject], node_type: str = "worker") -> list[JsonObject]:
    """Select the endpoint's Pods of one kind that do not end, from the Pods of a release."""
    return [
        pod
        for pod in pods
        if pod["metadata"].get("labels", {}).get(COMPONENT) == "serving"
        and pod["metadata"]["labels"].get(_NODE_TYPE) == node_type
        and "deletionTimestamp" not in pod["metadata"]
    ]


def read_readiness(service: JsonObject, pods: Sequence[JsonObject], now: float) -> Readiness:
    """Read whether an endpoint takes requests.

    Args:
        service: the RayService.
        pods: of the release.
        now: seconds since 1970.
    """
    status, workers = service.get("status", {}), serving_pods(pods)
    pending = find_pending_cluster(service, pods, now)
    condition = _ready_condition(status)
    if condition.get("status") != "True":
        reason = condition.get("message") or condition.get("reason")
        text = f"not ready: {reason or 'KubeRay has not seen it yet'}"
        if pending and not pending.replaces:
            text = f"not ready: {pending}"
        return Readiness(False, False, text, pending)
    # KubeRay takes the RayService for ready as soon as its Pods run: see the chart's RayService.
    count = sum(_ready_condition(pod.get("status", {})).get("status") == "True" for pod in workers)
    if count:
        return Readiness(True, False, f"ready ({count} of {len(workers)} Pods)", pending)
    if workers and _is_running(status):
        # Replicas run, so an engine is all that a Pod can lack. What its probe prints is among its
        # events at first only: the kubelet drops most events that repeat every second.
        return Readiness(False, True, _NO_ENGINE, pending)
    return Readiness(False, False, "not ready: none of its Pods is ready", pending)


def applications_of(status: JsonObject) -> Mapping[str, JsonObject]:
    """Return what KubeRay reports of the Serve applications of a cluster, by their name."""
    # KubeRay writes null, not an empty object, while there is nothing to report.
    active: JsonObject = status.get("activeServiceStatus") or {}
    applications: dict[str, JsonObject] = active.get("applicationStatuses") or {}
    return applications


def _is_running(status: JsonObject) -> bool:
    applications = applications_of(status).values()
    return any(application.get("status") == "RUNNING" for application in applications)


def _ready_condition(status: JsonObject) -> JsonObject:
    conditions: list[JsonObject] = status.get("conditions", [])
    return next((each for each in conditions if each.get("type") == "Ready"), JsonObject())
