"""Checks of a release on its cluster. Each finding has advice on what to do."""

from collections.abc import Callable, Iterator, Mapping

from k8s.api.cluster import (
    CLAIM,
    EVENT,
    NODE,
    QUOTA,
    STORAGE_CLASS,
    Cluster,
    JsonObject,
)
from k8s.objects.quantity import parse_quantity
from k8s.observe.diagnose import diagnose, provisioning_problem
from k8s.observe.endpoint_health import check_endpoint, check_head_state
from k8s.observe.image_health import check_images
from k8s.observe.lookup import Target, release_pods, unless_forbidden, without_leftovers
from k8s.observe.operator_health import check_operator
from k8s.observe.policy_health import check_policy
from nmt import __version__
from nmt.cli.diagnostics import Finding
from nmt.errors import ClusterError


def _release(target: Target, now: float) -> Iterator[Finding]:
    release = target.release
    same = release.chart_version == __version__
    yield Finding(
        "release",
        "ok" if same else "note",
        f"{release.name}, chart {release.chart_version}, nmt-k8s {__version__}",
        "" if same else "use the same version of both",
    )


def _storage(target: Target, now: float) -> Iterator[Finding]:
    cluster, release = target.cluster, target.release
    volumes = release.storage_pod["spec"].get("volumes", [])
    claims = [volume.get("persistentVolumeClaim") for volume in volumes]
    names = [claim["claimName"] for claim in claims if claim]
    if not names:
        keys = f"Secret {release.storage_secret}" if release.storage_secret else "the account"
        yield Finding("storage", "ok", f"{release.storage}, keys from {keys}")
    for name in names:
        claim = cluster.get(CLAIM, name)
        if claim is None:
            advice = "create it, or set storage.claim.create=true"
            yield Finding("storage", "bad", f"claim {name} does not exist", advice)
        else:
            yield from _claim(cluster, claim)


def _claim(cluster: Cluster, claim: JsonObject) -> Iterator[Finding]:
    name, spec = claim["metadata"]["name"], claim["spec"]
    modes, phase = spec.get("accessModes", []), claim.get("status", {}).get("phase", "unknown")
    text = f"claim {name} {phase}, {', '.join(modes)}, class {spec.get('storageClassName', '-')}"
    if phase == "Bound":
        shared = "ReadWriteMany" in modes
        advice = "" if shared else "all Pods must run on one node; use ReadWriteMany for several"
        yield Finding("storage", "ok" if shared else "note", text, advice)
        return
    # Without events the claim still gets a note: a user may not be allowed to read them.
    warnings = unless_forbidden(lambda: cluster.select(EVENT, fields="type=Warning"))
    problem, advice = provisioning_problem(name, warnings), "set storage.claim.storageClass to "
    if problem or phase == "Lost":
        yield Finding(
            "storage", "bad", f"{text}: {problem}".rstrip(": "), advice + _classes(cluster)
        )
        return
    text += ": it has no volume yet; most classes create one for the first Pod"
    advice = f"submit a job; if it still has no volume, {advice}"
    yield Finding("storage", "note", text, advice + _classes(cluster))


def _classes(cluster: Cluster) -> str:
    try:
        names = [entry["metadata"]["name"] for entry in cluster.select(STORAGE_CLASS)]
    except ClusterError:
        return "a class that your administrator names"
    return "one of " + ", ".join(sorted(names)) if names else "a class; this cluster has none"


def _pods(target: Target, now: float) -> Iterator[Finding]:
    pods = without_leftovers(target, release_pods(target.cluster, target.release))
    problem = diagnose(pods)
    if problem:
        yield Finding("pods", "bad", problem.what, problem.remedy)
    else:
        yield Finding("pods", "ok", f"{len(pods)} of the release, without problems")


def _gpus(target: Target, now: float) -> Iterator[Finding]:
    wanted = {
        resource
        for group in target.release.worker_groups.values()
        for resource in _limits(group["template"])
        if "/" in resource  # as in nvidia.com/gpu: resources of a device plugin have a domain
    }
    if not wanted:
        return
    nodes = target.cluster.select(NODE)
    for resource in sorted(wanted):
        have = [
            parse_quantity(node["status"].get("allocatable", {}).get(resource, "0"))
            for node in nodes
        ]
        there = sum(1 for count in have if count)
        text = f"{resource}: {int(sum(have))} on {there} of {len(nodes)} nodes"
        advice = "" if there else "install the device plugin, or add nodes that have it"
        yield Finding("devices", "ok" if there else "note", text, advice)


def _limits(template: JsonObject) -> dict[str, str]:
    return template["spec"]["containers"][0].get("resources", {}).get("limits", {})


def _quota(target: Target, now: float) -> Iterator[Finding]:
    for quota in target.cluster.select(QUOTA):
        status = quota.get("status", {})
        hard, used = status.get("hard", {}), status.get("used", {})
        # A used-up quota is a note: running jobs are fine, but the next one cannot start.
        full = [
            f"{key} {used[key]} of {hard[key]}"
            for key in hard
            if key in used and parse_quantity(used[key]) >= parse_quantity(hard[key])
        ]
        name = quota["metadata"]["name"]
        if full:
            advice = "free resources (`nmt-k8s list`), or ask for a larger quota"
            yield Finding("quota", "note", f"{name} is used up: {', '.join(full)}", advice)
        else:
            yield Finding("quota", "ok", f"{name} is not used up")


RELEASE_CHECKS: Mapping[str, Callable[[Target, float], Iterator[Finding]]] = {
    "release": _release,
    "storage": _storage,
    "image": check_images,
    "endpoint": check_endpoint,
    "headState": check_head_state,
    "operator": check_operator,
    "policy": check_policy,
    "pods": _pods,
    "devices": _gpus,
    "quota": _quota,
}
"""What each check is about, and the check: it is given the release and the time."""
