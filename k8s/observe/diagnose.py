"""From Pods, events and conditions to the one problem worth telling. Pure."""

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from k8s.api.cluster import JsonObject

_RARELY_HEALS = 60.0

_IMAGE = ("ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull")
_CONFIG = ("CreateContainerConfigError", "CreateContainerError", "RunContainerError")


@dataclass(frozen=True, slots=True)
class Problem:
    """What keeps a Pod from running, and what to do."""

    what: str
    """Object and reason."""
    remedy: str
    about: str = ""
    """Stays the same while the words of the same problem change."""
    grace_seconds: float = math.inf
    """Once it has lasted so long it will not heal by itself."""
    weight: int = 0
    """Of several problems the heaviest is told."""

    def __str__(self) -> str:
        return f"{self.what} -> {self.remedy}"


@dataclass(slots=True)
class ProblemTimer:
    """The problem that a wait has seen last, and since when it is the same one."""

    problem: Problem | None = None
    since: float = 0.0

    def see(self, problem: Problem | None, now: float) -> None:
        """Take in a fresh look."""
        before, self.problem = self.problem, problem
        if problem is None or before is None or problem.about != before.about:
            self.since = now

    def expired(self, now: float) -> bool:
        """Whether it has lasted so long that it will not heal by itself."""
        return self.problem is not None and now - self.since >= self.problem.grace_seconds


def diagnose(
    pods: Iterable[JsonObject],
    events: Iterable[JsonObject] = (),
    conditions: Iterable[JsonObject] = (),
    claims: Iterable[JsonObject] = (),
) -> Problem | None:
    """The heaviest problem, or None when all is well or merely takes its time.

    Args:
        pods: of the job.
        events: of the job's objects and claims.
        conditions: of its RayCluster.
        claims: volumes that the Pods mount.
    """
    events = list(events)
    found = [problem for pod in pods for problem in _of_pod(pod)]
    found += [problem for claim in claims for problem in _of_claim(claim, events)]
    if not found:  # events stay for an hour, so a Pod's own words are newer
        found += [problem for condition in conditions for problem in _of_condition(condition)]
        found += [problem for event in events for problem in _of_event(event)]
    return max(found, key=lambda problem: problem.weight, default=None)


def _of_pod(pod: JsonObject) -> Iterator[Problem]:
    status, name = pod.get("status", {}), pod["metadata"]["name"]
    if pod["metadata"].get("deletionTimestamp") or status.get("phase") == "Succeeded":
        return
    if status.get("reason") == "Evicted":
        text = _short(status.get("message", ""))
        yield Problem(f"Pod {name} was evicted: {text}", "give it more memory or disk", weight=6)
    for condition in status.get("conditions", []):
        if condition.get("type") == "PodScheduled" and condition.get("reason") == "Unschedulable":
            yield _unschedulable(name, condition.get("message", ""))
    for state in (*status.get("initContainerStatuses", []), *status.get("containerStatuses", [])):
        yield from _of_container(pod, state)


def _unschedulable(name: str, message: str) -> Problem:
    what = f"Pod {name} Pending: {_short(message)}"
    missing = re.findall(r"Insufficient ([\w./-]+)", message)
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
    waiting = state.get("state", {}).get("waiting") or {}
    reason, text = waiting.get("reason", ""), waiting.get("message", "")
    if reason in _IMAGE:
        at_once = reason in ("InvalidImageName", "ErrImageNeverPull")
        yield Problem(
            f"Pod {name} {reason}: image {state.get('image', '')} cannot be pulled: "
            f"{_last_words(text)}",
            "check its name and tag, the registry, and imagePullSecrets of the release",
            about=f"image of {name}",
            grace_seconds=0 if at_once else _RARELY_HEALS,
            weight=8,
        )
    elif reason in _CONFIG:
        advice = "make the Secret, ConfigMap or volume that it names"
        about = f"container of {name}"
        yield Problem(
            f"Pod {name} {reason}: {_short(text)}", advice, about, _RARELY_HEALS, weight=7
        )
    else:
        yield from _of_ended(pod, state, reason)


def _of_ended(pod: JsonObject, state: JsonObject, reason: str) -> Iterator[Problem]:
    name = pod["metadata"]["name"]
    ended = _ended(state)
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
            f"Pod {name} container {state['name']} crashes again and again (exit code {code}, "
            f"{count} restarts)",
            f"read `kubectl logs {name} -c {state['name']} --previous`",
            weight=6,
        )


def _ended(state: JsonObject) -> JsonObject:
    now, before = state.get("state", {}), state.get("lastState", {})
    return now.get("terminated") or before.get("terminated") or {}


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
    """A Pod that was never made: the API server has refused it."""
    unset = re.search(r"must specify ([\w./,-]+)", message)
    if unset:
        what = unset[1].rstrip(".,")
        limit = "CPU limit" if what == "limits.cpu" else f"value for {what}"
        advice = f"have a LimitRange with a default {limit} made, or {what} taken out of the quota"
        yield Problem(f"{who}: {_short(message)}", advice, weight=9)
    elif "exceeded quota" in message:
        advice = "free resources (`nmt-k8s list`), ask for less, or have the quota raised"
        yield Problem(f"{who}: {_short(message)}", advice, weight=9)
    elif "violates PodSecurity" in message:
        advice = "install chart and nmt-k8s of the same version, or another namespace"
        yield Problem(f"{who}: {_short(message)}", advice, "Pod Security", 0, weight=10)
    elif "is forbidden" in message or "admission webhook" in message:
        yield Problem(f"{who}: {_short(message)}", "ask whoever administers the cluster", weight=8)
    elif "serviceaccount" in message or "service account" in message:
        yield Problem(f"{who}: {_short(message)}", "upgrade the release: it makes them", weight=8)


def _of_claim(claim: JsonObject, events: Iterable[JsonObject]) -> Iterator[Problem]:
    name, phase = claim["metadata"]["name"], claim.get("status", {}).get("phase")
    refusal = provisioning_problem(name, events) if phase == "Pending" else ""
    if phase == "Lost" or refusal:
        kind = claim.get("spec", {}).get("storageClassName") or "the cluster's default"
        why = f": {refusal}" if refusal else ""
        yield Problem(
            f"claim {name} is {phase}: no volume of storage class {kind} for it{why}",
            "see `nmt-k8s doctor` and set storage.claim.storageClass of the release",
            weight=6,
        )


def provisioning_problem(claim: str, events: Iterable[JsonObject]) -> str:
    """Why a claim has got no volume; empty when nothing has failed.

    A claim without a volume is no fault by itself: most classes wait for the first Pod.
    """
    for event in events:
        about = event.get("involvedObject", {})
        named = (about.get("kind"), about.get("name")) == ("PersistentVolumeClaim", claim)
        if named and event.get("reason") == "ProvisioningFailed":
            return _short(event.get("message", "")) or "provisioning failed"
    return ""


def _last_words(text: str) -> str:
    """The registry's own words, which the layers above it wrap in theirs."""
    return _short(": ".join(text.split(": ")[-2:]))


def _short(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= 300 else f"{flat[:300]}…"
