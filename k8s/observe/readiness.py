"""Whether the endpoint of a release takes requests, and why it does not."""

from collections.abc import Sequence

from k8s.api.cluster import EVENT, Cluster, JsonObject
from k8s.api.errors import shorten
from k8s.objects.names import COMPONENT
from k8s.observe.lookup import unless_forbidden

_NODE_TYPE = "ray.io/node-type"
# The readiness probe of the chart prints the answer of `/ready`.
_NO_ENGINE = "no_engine"


def serving_pods(pods: Sequence[JsonObject]) -> list[JsonObject]:
    """Select the Pods that answer requests and do not end, from the Pods of a release."""
    return [
        pod
        for pod in pods
        if pod["metadata"]["labels"].get(COMPONENT) == "serving"
        and pod["metadata"]["labels"].get(_NODE_TYPE) == "worker"
        and "deletionTimestamp" not in pod["metadata"]
    ]


def endpoint_readiness(cluster: Cluster, service: JsonObject, pods: Sequence[JsonObject]) -> str:
    """Describe whether an endpoint takes requests.

    Args:
        cluster: has the events of the Pods.
        service: the RayService.
        pods: those that `serving_pods` selects.
    """
    conditions: list[JsonObject] = service.get("status", {}).get("conditions", [])
    ready = next((each for each in conditions if each.get("type") == "Ready"), JsonObject())
    if ready.get("status") != "True":
        reason = ready.get("message") or ready.get("reason") or "KubeRay has not seen it yet"
        return f"not ready: {reason}"
    # KubeRay takes the RayService for ready as soon as its Pods run: see the chart's RayService.
    count = sum(_is_ready(pod) for pod in pods)
    if count:
        return f"ready ({count} of {len(pods)} Pods)"
    return f"not ready: {_why(cluster, pods)}"


def _is_ready(pod: JsonObject) -> bool:
    conditions: list[JsonObject] = pod.get("status", {}).get("conditions", [])
    return any(
        condition.get("type") == "Ready" and condition.get("status") == "True"
        for condition in conditions
    )


def _why(cluster: Cluster, pods: Sequence[JsonObject]) -> str:
    """Find what the readiness probe of a Pod printed last."""
    names = {pod["metadata"]["name"] for pod in pods}
    events = [
        event
        for event in unless_forbidden(lambda: cluster.select(EVENT, fields="reason=Unhealthy"))
        if event.get("involvedObject", {}).get("name") in names
        and event.get("message", "").startswith("Readiness")
    ]
    if not events:
        return "none of its Pods is ready"
    message: str = max(events, key=lambda event: event.get("lastTimestamp") or "")["message"]
    if _NO_ENGINE in message:
        return "no engine has been promoted, or none can be loaded: see `nmt-k8s traffic`"
    return shorten(message)
