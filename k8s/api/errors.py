"""Refusals of the Kubernetes API, as errors that say what the user can do. Pure."""

from typing import cast

from k8s.api.cluster import Cluster, JsonObject, Kind
from nmt.errors import ClusterError, InputError, UnreachableError

TRANSIENT = (429, 500, 502, 503, 504)
"""HTTP status codes after which the same request may succeed a little later."""
_POLICY = "denied request: "  # as the server says it of a ValidatingAdmissionPolicy


class ConflictError(ClusterError):
    """A change of an object that somebody else has changed, or that belongs to somebody else."""


class GoneError(ClusterError):
    """A list or watch that continues a version which the server no longer has."""


def check_answer(
    cluster: Cluster, status: int, answer: JsonObject, verb: str, kind: Kind | None
) -> None:
    """Refuse an answer that reports an error.

    Args:
        cluster: the cluster that answered.
        status: HTTP status code.
        answer: the body, usually a `Status` of the API.
        verb: what was asked for, like `create`.
        kind: the kind that was asked for; None for the API itself.

    Raises:
        InputError: the request is invalid.
        ConflictError: the object has changed, or a field belongs to another manager.
        GoneError: the version that is continued is too old.
        UnreachableError: the server is busy.
        ClusterError: the cluster refuses it for another reason.
    """
    if status < 400:
        return
    text = str(answer.get("message", "")) or f"HTTP {status}"
    reason = answer.get("reason", "")
    resource = kind.resource if kind else "the API"
    if status == 401:
        raise ClusterError(
            f"{cluster.where} does not know you (HTTP 401): sign in again, then try `kubectl get "
            f"pods -n {cluster.namespace}`"
        )
    if status in (403, 422) and _POLICY in text:
        # Its message says what to do, and may be long; before it stand the names of its objects.
        said = " ".join(text.rpartition(_POLICY)[2].split())
        raise ClusterError(f"a policy of the cluster refuses to {verb} {resource}: {said}")
    if status == 403:
        raise _forbidden(text, verb, resource, cluster.namespace)
    if status == 410:
        raise GoneError(f"{cluster.where} cannot {verb} {resource}: {shorten(text)}")
    # A changed uid, in a request that names it, counts as an invalid value.
    another = "metadata.uid" in _invalid_fields(answer)
    if another or (status == 409 and reason != "AlreadyExists"):
        raise ConflictError(f"the cluster refuses to {verb} {resource}: {shorten(text)}")
    # Server-side apply answers 500, without a reason, if it does not know a field; a retry would
    # not help.
    if status in (400, 409, 422) or "field not declared" in text:
        raise InputError(f"the cluster refuses to {verb} {resource}: {shorten(text)}")
    if status in TRANSIENT:
        raise UnreachableError(f"{cluster.where} cannot {verb} {resource} now: {shorten(text)}")
    raise ClusterError(f"{cluster.where} cannot {verb} {resource}: {shorten(text)}")


def is_about(answer: JsonObject, plural: str) -> bool:
    """Tell whether an error of the API is about an object of a kind, such as a missing one."""
    details = cast(JsonObject, answer.get("details") or {})
    return details.get("kind") == plural


def _invalid_fields(answer: JsonObject) -> list[str]:
    details = cast(JsonObject, answer.get("details") or {})
    causes = cast(list[JsonObject], details.get("causes") or [])
    return [cause.get("field", "") for cause in causes]


def _forbidden(text: str, verb: str, resource: str, namespace: str) -> ClusterError:
    # Admission answers 403 as well, but more rights would not help there.
    if "exceeded quota" in text or "violates PodSecurity" in text or "admission webhook" in text:
        return ClusterError(f"the cluster refuses to {verb} {resource}: {shorten(text)}")
    return ClusterError(
        f"you may not {verb} {resource} in namespace '{namespace}': ask its administrator to add "
        "you to `rbac.subjects` of the release, or to grant you this right"
    )


def unknown_kind(kind: Kind) -> ClusterError:
    """Build the error for a kind that the cluster does not serve."""
    if kind.group == "ray.io":
        return ClusterError(
            "KubeRay is not installed on this cluster: install its operator first, for example "
            "`helm install kuberay-operator kuberay/kuberay-operator`"
        )
    # The API answers 404 in both cases, so the message names both.
    return ClusterError(
        f"the cluster does not know {kind.resource}, or the namespace does not exist"
    )


def shorten(error: object) -> str:
    """Cut a long message of the API or the network, and put it on one line."""
    text = " ".join(str(error).split())
    return text if len(text) <= 400 else f"{text[:400]}…"
