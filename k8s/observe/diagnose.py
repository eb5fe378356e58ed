"""Diagnosis: the most important problem shown by Pods, events and conditions. Pure."""

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from k8s.api.cluster import JsonObject
from k8s.api.errors import shorten

# The kubelet retries these, and a registry may fail for a moment.
_RETRY_GRACE_SECONDS = 60.0

IMAGE_REASONS = ("ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull")
"""Why a container waits whose image cannot be pulled."""
_PULL_FAILED = re.compile(r'Failed to pull image "([^"]+)": (.*)', re.DOTALL)
_CONFIG_REASONS = ("CreateContainerConfigError", "CreateContainerError", "RunContainerError")


_EVICTIONS = {
    "EmptyDir volume|ephemeral local storage|local ephemeral storage limit": (
        "raise `disk` of these Pods in the release's values"
    ),
    "ephemeral-storage|DiskPressure": (
        "the disk of its node was full: raise `diskRequest` of these Pods, or take larger disks"
    ),
    "memory|MemoryPressure": (
        "the memory of its node was full: raise `memoryRequest` of these Pods"
    ),
}
"""Advice by the words of the kubelet; the first are about limits of the Pod itself."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem that keeps a Pod from running, and its remedy."""

    what: str
    """Object and reason."""
    remedy: str
    about: str = ""
    """Identifies the problem while its text changes."""
    grace_seconds: float = math.inf
    """Time after which the problem is permanent."""
    weight: int = 0
    """Of several problems, the one with the largest weight is reported."""

    def __str__(self) -> str:
        return f"{self.what} -> {self.remedy}"


@dataclass(slots=True)
class ProblemTimer:
    """The latest problem that a waiting loop saw, and how long it has lasted."""

    problem: Problem | None = None
    since: float = 0.0

    def update(self, problem: Problem | None, now: float) -> None:
        """Replace the problem with the result of a new diagnosis."""
        before, self.problem = self.problem, problem
        # Compare `about`, since the text changes: ErrImagePull alternates with ImagePullBackOff.
        if problem is None or before is None or problem.about != before.about:
            self.since = now

    def expired(self, now: float) -> bool:
        """Tell whether the problem has lasted longer than its grace time."""
        return self.problem is not None and now - self.since >= self.problem.grace_seconds


def diagnose(
    pods: Iterable[JsonObject],
    events: Iterable[JsonObject] = (),
    conditions: Iterable[JsonObject] = (),
    claims: Iterable[JsonObject] = (),
) -> Problem | None:
    """Find the problem with the largest weight, or None if there is no known problem.

    Args:
        pods: of the job.
        events: of the job's objects and claims.
        conditions: of its RayCluster.
        claims: volumes that the Pods mount.
    """
    events = list(events)
    found = [problem for pod in pods for problem in _of_pod(pod)]
    found += [problem for claim in claims for problem in _of_claim(claim, events)]
    # Events remain for an hour and may be outdated; the status of a Pod is current.
    if not found:
        found += [problem for condition in conditions for problem in _of_condition(condition)]
        found += [problem for event in events for problem in _of_event(event)]
    return max(found, key=lambda problem: problem.weight, default=None)


def pulled_in_vain(events: Iterable[JsonObject]) -> Problem | None:
    """Find the image that could not be pulled in the events of Pods that are gone."""
    for event in events:
        failed = _PULL_FAILED.search(event.get("message", ""))
        if failed:
            name = event.get("involvedObject", {}).get("name", "")
            return _no_image(f"Pod {name}", failed[1], failed[2])
    return None


def _no_image(pod: str, image: str, text: str) -> Problem:
    return Problem(
        # The runtime and the kubelet put their own messages in front of the registry's.
        f"{pod}: image {image} cannot be pulled: {shorten(': '.join(text.split(': ')[-2:]))}",
        "check its name and tag, the registry, and imagePullSecrets of the release",
    )


def _of_pod(pod: JsonObject) -> Iterator[Problem]:
    status, name = pod.get("status", {}), pod["metadata"]["name"]
    if pod["metadata"].get("deletionTimestamp") or status.get("phase") == "Succeeded":
        return
    if status.get("reason") == "Evicted":
        yield _evicted(name, status.get("message", ""))
    for condition in status.get("conditions", []):
        if condition.get("type") == "PodScheduled" and condition.get("reason") == "Unschedulable":
            yield _unschedulable(name, condition.get("message", ""))
    for state in container_states(pod):
        yield from _of_container(pod, state)


def container_states(pod: JsonObject) -> list[JsonObject]:
    """Return what the kubelet reports of the containers of a Pod, the init containers first."""
    status = pod.get("status", {})
    return [*status.get("initContainerStatuses", []), *status.get("containerStatuses", [])]


def _evicted(name: str, message: str) -> Problem:
    known = (advice for pattern, advice in _EVICTIONS.items() if re.search(pattern, message))
    advice = next(known, "raise its requests in the release's values")
    return Problem(f"Pod {name} was evicted: {shorten(message)}", advice, weight=6)


def _unschedulable(name: str, message: str) -> Problem:
    what = f"Pod {name} Pending: {shorten(message)}"
    missing = re.findall(r"Insufficient ([\w./-]+)", message)
    # A name with a slash belongs to a device plugin, which may be missing on every node.
    special = [resource.rstrip(".,") for resource in missing if "/" in resource]
    if special:
        advice = f"add nodes that offer {special[0]}, or choose a worker group without it"
        return Problem(what, advice, weight=5)
    if "PersistentVolumeClaim" in message or "volume" in message:
        return Problem(what, "look at the claim: `kubectl get pvc`", weight=5)
    if missing:
        advice = "wait for room, add nodes, or lower the requests of the release's values"
        return Problem(what, advice, weight=4)
    advice = "compare nodeSelector, tolerations and affinity of the group with the nodes"
    return Problem(what, advice, weight=4)


def _of_container(pod: JsonObject, state: JsonObject) -> Iterator[Problem]:
    name = pod["metadata"]["name"]
    waiting: JsonObject = state.get("state", {}).get("waiting") or {}
    reason, text = waiting.get("reason", ""), waiting.get("message", "")
    if reason in IMAGE_REASONS:
        # The kubelet does not retry these.
        permanent = reason in ("InvalidImageName", "ErrImageNeverPull")
        yield replace(
            _no_image(f"Pod {name} {reason}", state.get("image", ""), text),
            about=f"image of {name}",
            grace_seconds=0 if permanent else _RETRY_GRACE_SECONDS,
            weight=8,
        )
    elif reason in _CONFIG_REASONS:
        advice = "create the Secret, ConfigMap or volume that it names"
        about = f"container of {name}"
        yield Problem(
            f"Pod {name} {reason}: {shorten(text)}", advice, about, _RETRY_GRACE_SECONDS, weight=7
        )
    else:
        yield from _of_ended(pod, state, reason)


def _of_ended(pod: JsonObject, state: JsonObject, reason: str) -> Iterator[Problem]:
    name = pod["metadata"]["name"]
    # A container that was restarted has its end in lastState.
    now, before = state.get("state", {}), state.get("lastState", {})
    ended: JsonObject = now.get("terminated") or before.get("terminated") or {}
    if ended.get("reason") == "OOMKilled":
        limit = _memory_limit(pod, state["name"])
        yield Problem(
            f"Pod {name} container {state['name']} was OOMKilled at its limit of {limit}",
            "raise `memory` of its group in the release's values, or lower "
            "training.micro_batch_tokens",
            weight=7,
        )
    elif reason == "CrashLoopBackOff":
        code, count = ended.get("exitCode", "?"), state.get("restartCount", 0)
        yield Problem(
            f"Pod {name} container {state['name']} crashes repeatedly (exit code {code}, "
            f"{count} restarts)",
            f"read `kubectl logs {name} -c {state['name']} --previous`",
            weight=6,
        )


def _memory_limit(pod: JsonObject, container: str) -> str:
    containers: list[JsonObject] = pod.get("spec", {}).get("containers", [])
    for candidate in containers:
        if candidate["name"] == container:
            return str(candidate.get("resources", {}).get("limits", {}).get("memory", "its node"))
    return "its node"


def _of_event(event: JsonObject) -> Iterator[Problem]:
    if event.get("type") == "Warning":
        about = event.get("involvedObject", {})
        who = f"{about.get('kind', 'object')} {about.get('name', '')}"
        yield from _refused(who, event.get("message", ""))


def _of_condition(condition: JsonObject) -> Iterator[Problem]:
    if condition.get("type") == "ReplicaFailure" and condition.get("status") == "True":
        yield from _refused("RayCluster", condition.get("message", ""))


def _refused(who: str, message: str) -> Iterator[Problem]:
    """Yield the problem of a Pod that the API server refused to create."""
    # A quota on a resource refuses each Pod that does not set it, however much is free.
    unset = re.search(r"must specify ([\w./,-]+)", message)
    if unset:
        what = unset[1].rstrip(".,")
        limit = "CPU limit" if what == "limits.cpu" else f"value for {what}"
        advice = f"ask for a LimitRange with a default {limit}, or for a quota without {what}"
        yield Problem(f"{who}: {shorten(message)}", advice, weight=9)
    elif "exceeded quota" in message:
        advice = "free resources (`nmt-k8s list`), request less, or ask for a larger quota"
        yield Problem(f"{who}: {shorten(message)}", advice, weight=9)
    elif "violates PodSecurity" in message:
        advice = "install chart and nmt-k8s of the same version, or another namespace"
        # Grace time 0: every retry would be refused in the same way.
        yield Problem(f"{who}: {shorten(message)}", advice, "Pod Security", 0, weight=10)
    elif "is forbidden" in message or "admission webhook" in message:
        yield Problem(f"{who}: {shorten(message)}", "ask the cluster's administrator", weight=8)
    elif "serviceaccount" in message or "service account" in message:
        advice = "upgrade the release: it creates the accounts"
        yield Problem(f"{who}: {shorten(message)}", advice, weight=8)


def _of_claim(claim: JsonObject, events: Iterable[JsonObject]) -> Iterator[Problem]:
    name, phase = claim["metadata"]["name"], claim.get("status", {}).get("phase")
    refusal = provisioning_problem(name, events) if phase == "Pending" else ""
    if phase == "Lost" or refusal:
        kind = claim.get("spec", {}).get("storageClassName") or "the cluster's default"
        why = f": {refusal}" if refusal else ""
        yield Problem(
            f"claim {name} is {phase}: it has no volume of storage class {kind}{why}",
            "see `nmt-k8s doctor` and set storage.claim.storageClass of the release",
            weight=6,
        )


def provisioning_problem(claim: str, events: Iterable[JsonObject]) -> str:
    """Explain why a claim has no volume; return an empty text if nothing has failed."""
    # A claim without a volume is normal at first: most classes wait for the first Pod.
    for event in events:
        about = event.get("involvedObject", {})
        named = (about.get("kind"), about.get("name")) == ("PersistentVolumeClaim", claim)
        if named and event.get("reason") == "ProvisioningFailed":
            return shorten(event.get("message", "")) or "provisioning failed"
    return ""
