"""Check of the policy that binds what the users of a release create."""

from collections.abc import Iterator

from k8s.api.cluster import ADMISSION_POLICY, JsonObject
from k8s.objects.manifests import storage_job
from k8s.objects.release import Release
from k8s.observe.lookup import Target
from nmt.cli.diagnostics import Finding
from nmt.errors import ClusterError, InputError

# As the API server says it, and as `k8s.api.errors` does.
_REFUSALS = ("ValidatingAdmissionPolicy", "a policy of the cluster refuses")


def check_policy(target: Target, now: float) -> Iterator[Finding]:
    """Yield whether the policy refuses a Job that it must refuse; no Job is created."""
    # Few users may read policies, but everybody meets their refusals.
    try:
        target.cluster.create(_theft(target.release), dry_run=True)
    except (ClusterError, InputError) as error:
        yield _refused(str(error))
    else:
        yield _accepted(target, target.release.admission_policy)


def _theft(release: Release) -> JsonObject:
    """Build a Job that would get the rights of another account."""
    job = storage_job(release, f"{release.name[:40]}-policy-check", ["doctor"])
    job["spec"]["template"]["spec"]["serviceAccountName"] = f"{release.name}-autoscaler"
    return job


def _refused(error: str) -> Finding:
    if any(refusal in error for refusal in _REFUSALS):
        return Finding("policy", "ok", "a Job with the rights of another account is refused")
    return Finding("policy", "note", f"cannot be tried: {error}")


def _accepted(target: Target, name: str) -> Finding:
    """Explain why a Job that the policy must refuse would have been created."""
    if not name:
        text = "no policy binds what you create: you reach every Secret of the namespace"
        return Finding("policy", "note", text, "set rbac.admissionPolicy=true")
    unbound = "does not bind you, who may create Pods, or have no right from rbac.subjects"
    try:
        found = target.cluster.get(ADMISSION_POLICY, name)
    except ClusterError:
        return Finding("policy", "note", f"{name} {unbound}, or it is missing", _WHO)
    if found is None:
        return Finding("policy", "bad", f"{name} does not exist", "upgrade the release")
    return Finding("policy", "ok", f"{name} exists; it {unbound}")


_WHO = "call `nmt-k8s doctor` as one of the users that it binds"
