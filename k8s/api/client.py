"""The implementation of `Cluster` over HTTP."""

from collections.abc import Iterator
from typing import get_args

from k8s.api.cluster import JsonObject, Kind, Page, WatchType, kind_of
from k8s.api.connection import open_connection
from k8s.api.errors import ConflictError, check_answer, is_about, unknown_kind
from k8s.api.transport import TIMEOUT, Answer, Query, Transport, parse
from nmt.errors import InputError, UnreachableError

# A job may be silent for a long time; after a timeout the reader of the log connects again.
_LOG_TIMEOUT = (TIMEOUT[0], 90.0)
# A watch may be silent until the server ends it.
_WATCH_GRACE_SECONDS = 15.0
_REVIEW = Kind("SelfSubjectAccessReview", "selfsubjectaccessreviews", "authorization.k8s.io")


def connect(context: str | None, namespace: str | None) -> "KubernetesCluster":
    """Connect as `kubectl` would, or with the service account of this Pod.

    Raises:
        ClusterError: there is no kubeconfig, or it has no such context.
    """
    connection = open_connection(context)
    return KubernetesCluster(Transport(connection), namespace or connection.namespace)


class KubernetesCluster:
    """A namespace of a cluster, over HTTP."""

    def __init__(self, transport: Transport, namespace: str) -> None:
        self.namespace = namespace
        self._transport = transport

    @property
    def where(self) -> str:
        """Return the context and the server, for messages."""
        return self._transport.where

    def get(self, kind: Kind, name: str) -> JsonObject | None:
        """Implement `Cluster`."""
        status, found = self._read(self._path(kind, name), "get", kind)
        return None if status == 404 else found

    def select(
        self, kind: Kind, selector: str = "", *, fields: str = "", all_namespaces: bool = False
    ) -> list[JsonObject]:
        """Implement `Cluster`."""
        query = [("labelSelector", selector)] if selector else []
        query += [("fieldSelector", fields)] if fields else []
        path = self._path(kind, all_namespaces=all_namespaces)
        status, found = self._read(path, "list", kind, query)
        if status == 404:
            raise unknown_kind(kind)
        return found["items"]

    def page(
        self, kind: Kind, selector: str = "", *, limit: int = 500, next_page: str = ""
    ) -> Page:
        """Implement `Cluster`."""
        query = [("limit", str(limit))]
        query += [("labelSelector", selector)] if selector else []
        query += [("continue", next_page)] if next_page else []
        status, found = self._read(self._path(kind), "list", kind, query)
        if status == 404:
            raise unknown_kind(kind)
        about = found["metadata"]
        return Page(found["items"], about["resourceVersion"], about.get("continue") or "")

    def watch(
        self, kind: Kind, selector: str = "", *, resource_version: str, seconds: int = 240
    ) -> Iterator[tuple[WatchType, JsonObject]]:
        """Implement `Cluster`."""
        query = [("watch", "true"), ("allowWatchBookmarks", "true")]
        query += [("resourceVersion", resource_version), ("timeoutSeconds", str(seconds))]
        query += [("labelSelector", selector)] if selector else []
        timeout = (TIMEOUT[0], seconds + _WATCH_GRACE_SECONDS)
        status, lines = self._transport.stream(self._path(kind), query, timeout)
        if status == 404:
            raise unknown_kind(kind)
        if status != 200:
            check_answer(self, status, parse("\n".join(lines)), "watch", kind)
        for line in lines:
            event = parse(line)
            if "object" not in event:
                raise UnreachableError(
                    f"{self.where}: a watch of {kind.resource} ends in the middle of a line"
                )
            body = event["object"]
            if event["type"] not in get_args(WatchType):
                # An error after the first line has no status of its own.
                check_answer(self, body.get("code", 500), body, "watch", kind)
            yield event["type"], body

    def create(self, body: JsonObject, *, dry_run: bool = False) -> JsonObject | None:
        """Implement `Cluster`."""
        kind = kind_of(body)
        # Otherwise the server drops fields that it does not know, and the job runs without them.
        query = [("fieldValidation", "Strict"), *([("dryRun", "All")] if dry_run else [])]
        status, answer = self._transport.call("POST", self._path(kind), query, body)
        # A 409 can also mean a conflict with a quota's update, which is an error.
        if status == 409 and answer.get("reason") == "AlreadyExists":
            return None
        self._check_written(status, answer, "create", kind)
        return answer

    def update(self, body: JsonObject) -> JsonObject:
        """Implement `Cluster`."""
        kind, name = kind_of(body), body["metadata"]["name"]
        query = [("fieldValidation", "Strict")]
        status, answer = self._transport.call("PUT", self._path(kind, name), query, body)
        if status == 404 and is_about(answer, kind.plural):
            raise ConflictError(f"{kind.name} {name} was deleted before this change of it")
        self._check_written(status, answer, "update", kind)
        return answer

    def apply(self, body: JsonObject, manager: str, *, force: bool = False) -> JsonObject:
        """Implement `Cluster`."""
        kind = kind_of(body)
        path = self._path(kind, body["metadata"]["name"])
        status, answer = self._apply(path, body, manager, force)
        self._check_written(status, answer, "apply", kind)
        return answer

    def apply_status(
        self, body: JsonObject, manager: str, *, force: bool = False
    ) -> JsonObject | None:
        """Implement `Cluster`."""
        kind = kind_of(body)
        path = self._path(kind, body["metadata"]["name"]) + "/status"
        status, answer = self._apply(path, body, manager, force)
        if status == 404 and is_about(answer, kind.plural):
            return None
        self._check_written(status, answer, "apply the status of", kind)
        return answer

    def _apply(self, path: str, body: JsonObject, manager: str, force: bool) -> Answer:
        query = [("fieldManager", manager), ("fieldValidation", "Strict")]
        query += [("force", "true")] if force else []
        return self._transport.call("PATCH", path, query, body)

    def _check_written(self, status: int, answer: JsonObject, verb: str, kind: Kind) -> None:
        if status == 404 and is_about(answer, "namespaces"):
            raise InputError(f"namespace '{self.namespace}' does not exist: name another with -n")
        if status == 404:
            raise unknown_kind(kind)
        check_answer(self, status, answer, verb, kind)

    def delete(self, kind: Kind, name: str, *, uid: str = "") -> bool:
        """Implement `Cluster`."""
        # A batch Job deleted through the API would otherwise leave its Pods behind.
        query = [("propagationPolicy", "Background")]
        body: JsonObject | None = {"preconditions": {"uid": uid}} if uid else None
        status, answer = self._transport.call("DELETE", self._path(kind, name), query, body)
        if status == 404:
            return False
        check_answer(self, status, answer, "delete", kind)
        return True

    def log(
        self,
        pod: str,
        container: str,
        *,
        since: str = "",
        tail: int | None = None,
        follow: bool = True,
    ) -> Iterator[str]:
        """Implement `Cluster`."""
        query = [("container", container), ("timestamps", "true")]
        query += [("follow", "true")] if follow else []
        query += [("sinceTime", since)] if since else []
        query += [("tailLines", str(tail))] if tail is not None else []
        path = f"/api/v1/namespaces/{self.namespace}/pods/{pod}/log"
        status, lines = self._transport.stream(path, query, _LOG_TIMEOUT)
        if status != 200:
            raise UnreachableError(f"the log of Pod {pod} cannot be read: {' '.join(lines)}")
        yield from lines

    def allowed(self, verb: str, kind: Kind, *, subresource: str = "") -> bool:
        """Implement `Cluster`."""
        attributes = {"verb": verb, "group": kind.group, "resource": kind.plural}
        attributes |= {"namespace": self.namespace} if kind.namespaced else {}
        attributes |= {"subresource": subresource} if subresource else {}
        body = {
            "apiVersion": _REVIEW.api_version,
            "kind": _REVIEW.name,
            "spec": {"resourceAttributes": attributes},
        }
        path = f"/apis/{_REVIEW.api_version}/{_REVIEW.plural}"
        # A review creates nothing, so it may be repeated like a read.
        status, answer = self._transport.repeat(
            lambda: self._transport.call("POST", path, [], body)
        )
        check_answer(self, status, answer, "create", _REVIEW)
        return bool(answer.get("status", {}).get("allowed"))

    def version(self) -> str:
        """Implement `Cluster`."""
        return str(self._read("/version", "get", None)[1].get("gitVersion", "unknown"))

    def serves(self, kind: Kind) -> bool:
        """Implement `Cluster`."""
        status, found = self._read(f"/apis/{kind.api_version}", "get", None)
        known: list[JsonObject] = [] if status == 404 else found.get("resources", [])
        return any(resource["name"] == kind.plural for resource in known)

    def _path(self, kind: Kind, name: str = "", *, all_namespaces: bool = False) -> str:
        root = f"/apis/{kind.api_version}" if kind.group else f"/api/{kind.version}"
        namespace = (
            f"/namespaces/{self.namespace}" if kind.namespaced and not all_namespaces else ""
        )
        return f"{root}{namespace}/{kind.plural}" + (f"/{name}" if name else "")

    def _read(self, path: str, verb: str, kind: Kind | None, query: Query | None = None) -> Answer:
        """Send a GET request and return the status and the answer."""
        status, answer = self._transport.read(path, query or [])
        if status != 404:
            check_answer(self, status, answer, verb, kind)
        return status, answer
