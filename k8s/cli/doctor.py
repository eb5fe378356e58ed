"""The command `doctor`: checks of a cluster and a release, with advice on what to do."""

import re
from collections.abc import Callable, Iterator
from dataclasses import asdict

from k8s.api.cluster import (
    BATCH_JOB,
    CLAIM,
    CONFIG_MAP,
    DEPLOYMENT,
    EVENT,
    POD,
    RAY_CLUSTER,
    RAY_JOB,
    RAY_SERVICE,
    Cluster,
    Kind,
)
from k8s.cli.output import Output
from k8s.observe.lookup import find_release
from k8s.observe.release_health import RELEASE_CHECKS
from nmt.cli.diagnostics import Finding
from nmt.errors import ClusterError, InputError, NmtError

# What the commands call, and what the Role `nmt-user` of the chart grants.
_NEEDED: tuple[tuple[Kind, str, str], ...] = (
    *((RAY_JOB, verb, "") for verb in ("get", "list", "create", "delete")),
    *((CONFIG_MAP, verb, "") for verb in ("get", "list", "create")),
    *((BATCH_JOB, verb, "") for verb in ("create", "delete")),
    *((kind, verb, "") for kind in (RAY_CLUSTER, RAY_SERVICE) for verb in ("get", "list")),
    (POD, "get", ""), (POD, "list", ""), (POD, "get", "log"), (EVENT, "list", ""),
    (CLAIM, "get", ""),
)  # fmt: skip
_OLDEST_KUBERAY = (1, 6)
_INSTALL = "helm install kuberay-operator kuberay/kuberay-operator --version 1.6.1"


def run_doctor(connect: Callable[[], Cluster], release: str | None, output: Output) -> int:
    """Print one line per finding; return 3 if something that is needed is missing."""
    findings = list(_findings(connect, release))
    output.answer([asdict(finding) for finding in findings], "\n".join(map(str, findings)))
    return 3 if any(finding.state == "bad" for finding in findings) else 0


def _findings(connect: Callable[[], Cluster], release: str | None) -> Iterator[Finding]:
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
        found = find_release(cluster, release)
    except NmtError as error:
        yield Finding("release", "bad", str(error), "install the chart, see docs/kubernetes.md")
        return
    for name, check in RELEASE_CHECKS.items():
        yield from _note_unreadable(name, check(cluster, found))


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
        f"{verb} {kind.resource}{f'/{part}' if part else ''}"
        for kind, verb, part in _NEEDED
        if not cluster.allowed(verb, kind, subresource=part)
    ]
    if missing:
        advice = "ask the administrator to add you to rbac.subjects of the release"
        yield Finding("rights", "bad", f"you may not {', '.join(missing)}", advice)
    else:
        yield Finding("rights", "ok", f"all {len(_NEEDED)} that are needed")
