"""The command `doctor`: checks of a cluster and a release, with advice on what to do."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict

from k8s.api.cluster import DEPLOYMENT, RAY_CLUSTER, RAY_JOB, RAY_SERVICE, Cluster
from k8s.cli.output import Clock, Output
from k8s.objects.rights import NEEDED_RIGHTS
from k8s.observe.lookup import Target, find_release
from k8s.observe.release_health import RELEASE_CHECKS
from nmt.cli.diagnostics import Finding
from nmt.errors import ClusterError, InputError, NmtError

_OLDEST_KUBERAY = (1, 6)
_INSTALL = "helm install kuberay-operator kuberay/kuberay-operator --version 1.6.1"


Check = Callable[[Target], Iterator[Finding]]


def run_doctor(
    connect: Callable[[], Cluster],
    release: str | None,
    output: Output,
    clock: Clock,
    probe: Check | None,
) -> int:
    """Print one line per finding; return 3 if something that is needed is missing.

    Args:
        connect: connects to the cluster.
        release: name of the release; None for the only one.
        output: where the findings go.
        clock: time.
        probe: looks at the storage; None to leave that out.
    """
    return answer_findings(_findings(connect, release, clock, probe), output)


def answer_findings(findings: Iterable[Finding], output: Output) -> int:
    """Print findings; return 3 if something that is needed is missing."""
    found = list(findings)
    output.answer([asdict(finding) for finding in found], "\n".join(map(str, found)))
    return 3 if any(finding.state == "bad" for finding in found) else 0


def _findings(
    connect: Callable[[], Cluster], release: str | None, clock: Clock, probe: Check | None
) -> Iterator[Finding]:
    try:
        cluster = connect()
        yield Finding("context", "ok", f"{cluster.where}, namespace {cluster.namespace}")
        yield Finding("api", "ok", f"Kubernetes {cluster.version()}")
    except ClusterError as error:
        yield Finding("api", "bad", str(error), "nothing else can be checked without it")
        return
    yield from _note_unreadable("kuberay", _kuberay(cluster))
    yield from _note_unreadable("rights", _rights(cluster))
    try:
        target = Target(cluster, find_release(cluster, release))
    except NmtError as error:
        yield Finding("release", "bad", str(error), "install the chart, see docs/kubernetes.md")
        return
    # First, because its Pod shows whether the image of the tools can be pulled.
    probed = list(_note_unreadable("disk", probe(target))) if probe else []
    for name, check in RELEASE_CHECKS.items():
        yield from _note_unreadable(name, check(target, clock.now()))
        yield from probed if name == "storage" else []


def _note_unreadable(name: str, findings: Iterator[Finding]) -> Iterator[Finding]:
    """Yield findings, and a note in place of those that this user may not read."""
    # A missing right says nothing about the cluster's health, so it must not end the command.
    try:
        yield from findings
    except (ClusterError, InputError) as error:
        yield Finding(name, "note", f"cannot be read: {error}")


def _kuberay(cluster: Cluster) -> Iterator[Finding]:
    kinds = (RAY_JOB, RAY_CLUSTER, RAY_SERVICE)
    missing = [kind.resource for kind in kinds if not cluster.serves(kind)]
    if len(missing) == len(kinds):
        yield Finding("kuberay", "bad", "not installed", _INSTALL)
    elif missing:
        advice = "install the CRDs of KubeRay 1.6.1: Helm leaves them out of an upgrade"
        yield Finding("kuberay", "bad", f"{', '.join(missing)} are missing", advice)
    else:
        yield from _operator(cluster)


def _operator(cluster: Cluster) -> Iterator[Finding]:
    try:
        # KubeRay's Helm chart and its plain manifests label the operator differently.
        operators = [
            operator
            for label in ("name", "component")
            for operator in cluster.select(
                DEPLOYMENT, f"app.kubernetes.io/{label}=kuberay-operator", all_namespaces=True
            )
        ]
    # Few users may list Deployments of other namespaces, and no command needs it.
    except ClusterError:
        yield Finding("kuberay", "ok", "installed; you may not read its version")
        return
    if not operators:
        yield Finding("kuberay", "note", "its types are installed; its operator was not found")
        return
    images = sorted(
        {each["spec"]["template"]["spec"]["containers"][0]["image"] for each in operators}
    )
    old = [image for image in images if _is_old(image)]
    if not any(operator.get("status", {}).get("readyReplicas") for operator in operators):
        advice = "kubectl get pods -A -l app.kubernetes.io/name=kuberay-operator"
        yield Finding("kuberay", "bad", f"operator {', '.join(images)} is not ready", advice)
    elif old:
        text = f"operator {', '.join(old)} is older than 1.6, the oldest version tested"
        yield Finding("kuberay", "note", text, "upgrade it, its CRDs first")
    else:
        yield Finding("kuberay", "ok", f"operator {', '.join(images)}")


def _is_old(image: str) -> bool:
    # A tag that is not a version, like `nightly`, may be of any age: give no warning.
    version = re.search(r":v?(\d+)\.(\d+)[^/]*$", image)
    return version is not None and (int(version[1]), int(version[2])) < _OLDEST_KUBERAY


def _rights(cluster: Cluster) -> Iterator[Finding]:
    missing = [
        str(right)
        for right in NEEDED_RIGHTS
        if not cluster.allowed(right.verb, right.kind, subresource=right.part)
    ]
    if missing:
        advice = "ask the administrator to add you to rbac.subjects of the release"
        yield Finding("rights", "bad", f"you may not {', '.join(missing)}", advice)
    else:
        yield Finding("rights", "ok", f"all {len(NEEDED_RIGHTS)} that are needed")
