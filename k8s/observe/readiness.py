"""Whether the endpoint of a release takes requests, and why it does not."""

from collections.abc import Mapping, Sequence

from k8s.api.cluster import JsonObject
from k8s.objects.names import COMPONENT

_NODE_TYPE = "ray.io/node-type"


def serving_pods(pods: Sequence[JsonObject]) -> list[JsonObject]:
    """Select the Pods that answer requests and do not end, from the Pods of a release."""
    return [
        pod
        for pod in pods
        if pod["metadata"]["labels"].get(COMPONENT) == "serving"
        and pod["metadata"]["labels"].get(_NODE_TYPE) == "worker"
        and "deletionTimestamp" not in pod["metadata"]
    ]


def endpoint_readiness(service: JsonObject, pods: Sequence[JsonObject]) -> str:
    """Describe whether an endpoint takes requests.

    Args:
        service: the RayService.
        pods: those that `serving_pods` selects.
    """
    status = service.get("status", {})
    condition = _ready_condition(status)
    if condition.get("status") != "True":
        reason = condition.get("message") or condition.get("reason")
        return f"not ready: {reason or 'KubeRay has not seen it yet'}"
    # KubeRay takes the RayService for ready as soon as its Pods run: see the chart's RayService.
    count = sum(_ready_condition(pod.get("status", {})).get("status") == "True" for pod in pods)
    if count:
        return f"ready ({count} of {len(pods)} Pods)"
    if pods and _is_running(status):
        # Replicas run, so an engine is all that a Pod can lack. What its probe prints is among its
        # events at first only: the kubelet drops most events that repeat every second.
        return (
            "not ready: no engine has been promoted, or none can be loaded: see `nmt-k8s traffic`"
        )
    return "not ready: none of its Pods is ready"


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
