"""What a cluster and a release have and lack, each with what to do."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from k8s.cluster import (
    BATCH_JOB,
    CLAIM,
    CONFIG_MAP,
    DEPLOYMENT,
    EVENT,
    NODE,
    POD,
    QUOTA,
    RAY_CLUSTER,
    RAY_JOB,
    RAY_SERVICE,
    STORAGE_CLASS,
    Cluster,
    Kind,
    Plain,
)
from k8s.diagnose import diagnose
from k8s.find import find_release
from k8s.names import INSTANCE
from k8s.release import Release
from k8s.screen import Screen
from nmt import __version__
from nmt.errors import ClusterError, InputError, NmtError

_NEEDED: tuple[tuple[Kind, str, str], ...] = (
    *((RAY_JOB, verb, "") for verb in ("get", "list", "create", "delete")),
    *((CONFIG_MAP, verb, "") for verb in ("get", "list", "create", "patch", "delete")),
    *((BATCH_JOB, verb, "") for verb in ("create", "delete")),
    *((kind, verb, "") for kind in (RAY_CLUSTER, RAY_SERVICE) for verb in ("get", "list")),
    (POD, "get", ""), (POD, "list", ""), (POD, "get", "log"), (EVENT, "list", ""),
    (CLAIM, "get", ""),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at."""

    name: str
    state: str
    """`ok`, `note` or `bad`."""
    text: str
    remedy: str = ""


def examine(connect: Callable[[], Cluster], release: str | None, screen: Screen) -> int:
    """Write one line per finding; 3 when something that is needed is missing."""
    findings = list(_findings(connect, release))
    lines = [_line(finding) for finding in findings]
    screen.answer([_plain(finding) for finding in findings], "\n".join(lines))
    return 3 if any(finding.state == "bad" for finding in findings) else 0


def _line(finding: Finding) -> str:
    remedy = f"  -> {finding.remedy}" if finding.remedy else ""
    return f"{finding.state:<5}{finding.name:<14}{finding.text}{remedy}"


def _plain(finding: Finding) -> dict[str, str]:
    names = ("name", "state", "text", "remedy")
    return {name: getattr(finding, name) for name in names}


def _findings(connect: Callable[[], Cluster], release: str | None) -> Iterator[Finding]:
    try:
        cluster = connect()
        yield Finding("context", "ok", f"{cluster.where}, namespace {cluster.namespace}")
        yield Finding("api", "ok", f"Kubernetes {cluster.version()}")
    except ClusterError as error:
        yield Finding("api", "bad", str(error), "nothing else can be looked at before this")
        return
    yield from _guarded("kuberay", _kuberay(cluster))
    yield from _guarded("rights", _rights(cluster))
    try:
        found = find_release(cluster, release)
    except NmtError as error:
        yield Finding("release", "bad", str(error), "install the chart, see docs/kubernetes.md")
        return
    for name, look in _OF_RELEASE.items():
        yield from _guarded(name, look(cluster, found))


def _guarded(name: str, findings: Iterator[Finding]) -> Iterator[Finding]:
    """What may not be looked at is no fault of the cluster."""
    try:
        yield from findings
    except (ClusterError, InputError) as error:
        yield Finding(name, "note", f"cannot be looked at: {error}")


def _kuberay(cluster: Cluster) -> Iterator[Finding]:
    if not cluster.serves(RAY_JOB):
        advice = "helm install kuberay-operator kuberay/kuberay-operator --version 1.6.1"
        yield Finding("kuberay", "bad", "not installed", advice)
        return
    try:
        # Its Helm chart and its plain manifests label it differently.
        operators = [
            operator
            for label in ("name", "component")
            for operator in cluster.select(
                DEPLOYMENT, f"app.kubernetes.io/{label}=kuberay-operator", everywhere=True
            )
        ]
    except ClusterError:
        yield Finding("kuberay", "ok", "installed; its version is not yours to see")
        return
    images = {pod["spec"]["template"]["spec"]["containers"][0]["image"] for pod in operators}
    ready = any(pod.get("status", {}).get("readyReplicas") for pod in operators)
    if not operators:
        yield Finding("kuberay", "note", "its types are there, its operator is under another name")
    elif ready:
        yield Finding("kuberay", "ok", f"operator {', '.join(images)}")
    else:
        advice = "kubectl get pods -A -l app.kubernetes.io/name=kuberay-operator"
        yield Finding("kuberay", "bad", f"operator {', '.join(images)} is not ready", advice)


def _rights(cluster: Cluster) -> Iterator[Finding]:
    missing = [
        f"{verb} {kind.resource}{f'/{part}' if part else ''}"
        for kind, verb, part in _NEEDED
        if not cluster.allowed(verb, kind, part=part)
    ]
    if missing:
        advice = "have yourself added to rbac.subjects of the release"
        yield Finding("rights", "bad", f"you may not {', '.join(missing)}", advice)
    else:
        yield Finding("rights", "ok", f"all {len(_NEEDED)} that are needed")


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
            advice = "make it, or set storage.claim.create=true"
            yield Finding("storage", "bad", f"claim {name} does not exist", advice)
        else:
            yield from _claim(cluster, claim)


def _claim(cluster: Cluster, claim: Plain) -> Iterator[Finding]:
    name, spec = claim["metadata"]["name"], claim["spec"]
    modes, phase = spec.get("accessModes", []), claim.get("status", {}).get("phase", "unknown")
    text = f"claim {name} {phase}, {', '.join(modes)}, class {spec.get('storageClassName', '-')}"
    if phase == "Bound":
        shared = "ReadWriteMany" in modes
        advice = "" if shared else "all Pods must run on one node; ReadWriteMany takes several"
        yield Finding("storage", "ok" if shared else "note", text, advice)
        return
    yield Finding("storage", "bad", text, f"set storage.claim.storageClass to {_classes(cluster)}")


def _classes(cluster: Cluster) -> str:
    try:
        names = [entry["metadata"]["name"] for entry in cluster.select(STORAGE_CLASS)]
    except ClusterError:
        return "a class that your administrator names"
    return "one of " + ", ".join(sorted(names)) if names else "a class; this cluster has none"


def _pods(cluster: Cluster, release: Release) -> Iterator[Finding]:
    instance = release.labels.get(INSTANCE, release.name)
    pods = cluster.select(POD, f"{INSTANCE}={instance}")
    problem = diagnose(pods)
    if problem:
        yield Finding("pods", "bad", problem.what, problem.remedy)
    else:
        yield Finding("pods", "ok", f"{len(pods)} of the release, none in trouble")


def _gpus(cluster: Cluster, release: Release) -> Iterator[Finding]:
    wanted = {
        resource
        for group in release.worker_groups.values()
        for resource in _limits(group["template"])
        if "/" in resource
    }
    if not wanted:
        return
    nodes = cluster.select(NODE)
    for resource in sorted(wanted):
        have = [int(node["status"].get("allocatable", {}).get(resource, 0)) for node in nodes]
        there = sum(1 for count in have if count)
        text = f"{resource}: {sum(have)} on {there} of {len(nodes)} nodes"
        advice = "" if there else "install the device plugin, or add nodes that have it"
        yield Finding("devices", "ok" if there else "note", text, advice)


def _limits(template: Plain) -> dict[str, str]:
    return template["spec"]["containers"][0].get("resources", {}).get("limits", {})


def _quota(cluster: Cluster, release: Release) -> Iterator[Finding]:
    for quota in cluster.select(QUOTA):
        status = quota.get("status", {})
        hard, used = status.get("hard", {}), status.get("used", {})
        full = [
            f"{key} {used[key]} of {hard[key]}"
            for key in hard
            if key in used and _amount(used[key]) >= _amount(hard[key])
        ]
        name = quota["metadata"]["name"]
        if full:
            advice = "free resources (`nmt-k8s list`), or have it raised"
            yield Finding("quota", "note", f"{name} is used up: {', '.join(full)}", advice)
        else:
            yield Finding("quota", "ok", f"{name} has room")


_UNITS = {"m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12} | {
    f"{letter}i": 1024.0**power for power, letter in enumerate("KMGT", start=1)
}


def _amount(quantity: str) -> float:
    """A Kubernetes quantity as a number."""
    digits = quantity.rstrip("mkKMGTi")
    return float(digits) * _UNITS.get(quantity[len(digits) :], 1.0)


_OF_RELEASE: dict[str, Callable[[Cluster, Release], Iterator[Finding]]] = {
    "release": _release,
    "storage": _storage,
    "pods": _pods,
    "devices": _gpus,
    "quota": _quota,
}
