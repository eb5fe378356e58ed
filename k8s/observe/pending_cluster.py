"""The Ray cluster that is to serve next: at the first start, or in an upgrade. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from k8s.api.cluster import JsonObject
from k8s.api.errors import shorten
from k8s.objects.names import LABEL_RAY_CLUSTER
from k8s.observe.diagnose import Problem, diagnose
from k8s.observe.timestamps import timestamp
from nmt.cli.durations import duration

# New nodes, and the pull of an image of several GB, take minutes.
_USUAL_SECONDS = 900.0
_FAILED = ("DEPLOY_FAILED", "UNHEALTHY")


@dataclass(frozen=True, slots=True)
class PendingCluster:
    """A Ray cluster of a RayService that does not serve yet."""

    name: str
    """Name of the RayCluster."""
    replaces: str
    """Name of the one that serves meanwhile; empty at the first start."""
    seconds: float
    """Time since it was begun."""
    problem: Problem | None
    """What keeps it from serving, if that is known."""

    @property
    def is_stuck(self) -> bool:
        """Tell whether it will not serve unless somebody does something, as far as can be told."""
        grace = self.problem.grace_seconds if self.problem else _USUAL_SECONDS
        return self.seconds >= min(grace, _USUAL_SECONDS)

    @property
    def remedy(self) -> str:
        """Return what to do about it, or an empty text while it only takes its time."""
        advice = self.problem.remedy if self.problem else ""
        if not self.is_stuck:
            return advice
        selected = f"{LABEL_RAY_CLUSTER}={self.name}"
        advice = advice or f"look at its Pods: `kubectl describe pods -l {selected}`"
        return advice + ("; `helm rollback` takes the change back" if self.replaces else "")

    def __str__(self) -> str:
        lasts = duration(self.seconds)
        why = self.problem.what if self.problem else f"{self.name} is not ready"
        if self.replaces:
            state = "stuck" if self.is_stuck else "in progress"
            return f"{state} for {lasts}, {self.replaces} stays: {why}"
        state = "not started after" if self.is_stuck else "starting for"
        return f"{state} {lasts}: {why}"


def find_pending_cluster(
    service: JsonObject, pods: Sequence[JsonObject], now: float
) -> PendingCluster | None:
    """Find the Ray cluster that is to serve next; None if there is none.

    Args:
        service: the RayService.
        pods: of the release.
        now: seconds since 1970.
    """
    status = service.get("status", {})
    pending: JsonObject = status.get("pendingServiceStatus") or {}
    name = pending.get("rayClusterName", "")
    if not name:
        return None
    active: JsonObject = status.get("activeServiceStatus") or {}
    replaces = active.get("rayClusterName", "")
    own = [pod for pod in pods if pod["metadata"].get("labels", {}).get(LABEL_RAY_CLUSTER) == name]
    # A change during an upgrade gets a cluster of its own, and the condition stays as it was.
    made = min((timestamp(pod["metadata"]["creationTimestamp"]) for pod in own), default=0.0)
    begun = max(timestamp(_begun(service, is_upgrade=bool(replaces))), made)
    return PendingCluster(name, replaces, max(0.0, now - begun), _problem(pending, own))


def _begun(service: JsonObject, *, is_upgrade: bool) -> str:
    conditions: list[JsonObject] = service.get("status", {}).get("conditions", [])
    for condition in conditions if is_upgrade else []:
        if condition.get("type") == "UpgradeInProgress" and condition.get("status") == "True":
            return condition.get("lastTransitionTime", "")
    return service["metadata"].get("creationTimestamp", "")


def _problem(pending: JsonObject, pods: Sequence[JsonObject]) -> Problem | None:
    cluster: JsonObject = pending.get("rayClusterStatus") or {}
    found = diagnose(pods, conditions=cluster.get("conditions") or [])
    return found or next(_of_applications(pending.get("applicationStatuses") or {}), None)


def _of_applications(applications: Mapping[str, JsonObject]) -> Iterator[Problem]:
    for name, about in applications.items():
        if about.get("status") in _FAILED:
            why = shorten(about.get("message") or "no reason is given")
            yield Problem(
                f"application {name} {about['status']}: {why}",
                "correct `config.serving` or the image of the release, and upgrade it again",
                grace_seconds=60.0,
            )
