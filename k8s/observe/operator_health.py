"""Check of the operator of a release: its Pods, its Lease, and the kind that it works on."""

from collections.abc import Iterator

from k8s.api.cluster import CAMPAIGN, LEASE, POD
from k8s.objects.names import COMPONENT, INSTANCE
from k8s.observe.lookup import Target
from k8s.observe.timestamps import timestamp
from nmt.cli.diagnostics import Finding
from nmt.cli.durations import duration
from nmt.errors import ClusterError, UnreachableError

_SILENT_SECONDS = 60.0
"""A leader renews its Lease every few seconds; clocks may differ by some more."""


def check_operator(target: Target, now: float) -> Iterator[Finding]:
    """Yield whether the operator works; nothing if the release has none."""
    name = target.release.operator
    if not name:
        return
    if not target.cluster.serves(CAMPAIGN):
        text = f"the cluster does not know {CAMPAIGN.resource}"
        advice = "set crds.install=true and upgrade the release, or ask an administrator to"
        yield Finding("operator", "bad", text, f"{advice} install it")
        return
    instance = target.release.labels.get(INSTANCE, target.release.name)
    pods = target.cluster.select(POD, f"{INSTANCE}={instance},{COMPONENT}=operator")
    ready = sum(
        condition.get("type") == "Ready" and condition.get("status") == "True"
        for pod in pods
        for condition in pod.get("status", {}).get("conditions", [])
    )
    text = f"{name}: {ready} of {len(pods)} Pods ready"
    if not ready:
        yield Finding("operator", "bad", text, f"kubectl describe deployment {name}")
        return
    yield _with_lease(target, name, text, now)


def _with_lease(target: Target, name: str, text: str, now: float) -> Finding:
    """Return whether one of the ready Pods works."""
    try:
        lease = target.cluster.get(LEASE, name)
    except UnreachableError:
        raise
    # Few users may read it, and no command needs it.
    except ClusterError:
        return Finding("operator", "ok", f"{text}; you may not read its Lease")
    spec = (lease or {}).get("spec", {})
    holder, renewed = spec.get("holderIdentity"), timestamp(spec.get("renewTime"))
    advice = f"kubectl logs deployment/{name}"
    if not holder:
        return Finding("operator", "bad", f"{text}, and none holds Lease {name}", advice)
    if now - renewed > _SILENT_SECONDS:
        silent = duration(now - renewed)
        return Finding(
            "operator", "bad", f"{text}, and Lease {name} was renewed {silent} ago", advice
        )
    return Finding("operator", "ok", f"{text}, {holder.partition('_')[0]} works")
