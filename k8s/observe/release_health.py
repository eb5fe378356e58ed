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
from k8s.objects.release import Release
from k8s.observe.diagnose import diagnose, provisioning_problem
from k8s.observe.lookup import Target, release_pods, unless_forbidden, without_leftovers
from nmt import __version__
from nmt.cli.diagnostics import Finding
from nmt.errors import ClusterError


def _release(cluster: Cluster, release: Release) -> Iterator[Finding]:
    same = release.chart_version == __version__
    yield Finding(
        "release",
        "ok" if same else "note",
        f"{release.name}, chart {release.chart_version}, nmt-k8s {__version__}",
        "" if same else "use the same version of both",
    )


def _storage(cluster: Cluster, release: Release) -> Iterator[Finding]:
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


def _images(cluster: Cluster, release: Release) -> Iterator[Finding]:
    # Only a Pod that has pulled an image proves that it can be pulled.
    pods = release_pods(cluster, release)
    pulled = {image for pod in pods for image in _pulled(pod)}
    tried = {entry.get("image") for pod in pods for entry in _containers(pod)}
    images = release.images
    for name, image, first in (
        ("image", images.ray, "the first job"),
        ("toolsImage", images.tools, "`nmt-k8s traffic`"),
    ):
        if image in pulled:
            yield Finding(name, "ok", f"{image} was pulled")
        elif image in tried:
            yield Finding(name, "note", f"{image} not pulled yet", "see `pods` below")
        else:
            yield Finding(name, "note", f"{image} not used yet", f"{first} will pull it")


def _pulled(pod: JsonObject) -> set[str]:
    """Return the images of a Pod that were pulled."""
    status = pod.get("status", {})
    states = [*status.get("initContainerStatuses", []), *status.get("containerStatuses", [])]
    # The kubelet sets imageID only when the image is on the node.
    there = {state.get("name") for state in states if state.get("imageID")}
    return {entry.get("image", "") for entry in _containers(pod) if entry["name"] in there}


def _containers(pod: JsonObject) -> list[JsonObject]:
    spec = pod.get("spec", {})
    return [*spec.get("initContainers", []), *spec.get("containers", [])]


def _pods(cluster: Cluster, release: Release) -> Iterator[Finding]:
    pods = without_leftovers(Target(cluster, release), release_pods(cluster, release))
    problem = diagnose(pods)
    if problem:
        yield Finding("pods", "bad", problem.what, problem.remedy)
    else:
        yield Finding("pods", "ok", f"{len(pods)} of the release, without problems")


def _gpus(cluster: Cluster, release: Release) -> Iterator[Finding]:
    wanted = {
        resource
        for group in release.worker_groups.values()
        for resource in _limits(group["template"])
        if "/" in resource  # as in nvidia.com/gpu: resources of a device plugin have a domain
    }
    if not wanted:
        return
    nodes = cluster.select(NODE)
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


def _quota(cluster: Cluster, release: Release) -> Iterator[Finding]:
    for quota in cluster.select(QUOTA):
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


RELEASE_CHECKS: Mapping[str, Callable[[Cluster, Release], Iterator[Finding]]] = {
    "release": _release,
    "storage": _storage,
    "image": _images,
    "pods": _pods,
    "devices": _gpus,
    "quota": _quota,
}
