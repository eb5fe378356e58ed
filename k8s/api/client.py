"""The implementation of `Cluster` on the official client; only this module imports `kubernetes`."""

import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import urllib3
from kubernetes.client.api_client import ApiClient
from kubernetes.client.configuration import Configuration
from kubernetes.client.exceptions import ApiException

# The client has no annotations: here and in `_send` its values get their types.
from kubernetes.config import (
    load_incluster_config,  # pyright: ignore[reportUnknownVariableType]
    load_kube_config,  # pyright: ignore[reportUnknownVariableType]
)
from kubernetes.config.config_exception import ConfigException
from kubernetes.config.kube_config import (
    list_kube_config_contexts,  # pyright: ignore[reportUnknownVariableType]
)

from k8s.api.cluster import JsonObject, Kind, kind_of
from k8s.api.errors import TRANSIENT, check_answer, shorten, unknown_kind
from nmt.errors import ClusterError, InputError, UnreachableError

_TIMEOUT = (10.0, 30.0)  # seconds to connect, and between two reads
# A job may be silent for a long time; after a timeout the reader of the log connects again.
_LOG_TIMEOUT = (10.0, 90.0)
_PAUSES = (0.5, 1.5, 4.0)
_REVIEW = Kind("SelfSubjectAccessReview", "selfsubjectaccessreviews", "authorization.k8s.io")
# The kubelet mounts this file in each Pod that has a token.
_POD_NAMESPACE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")


def connect(context: str | None, namespace: str | None) -> "KubernetesCluster":
    """Connect as `kubectl` would, or with the service account of this Pod.

    Raises:
        ClusterError: there is no kubeconfig, or it has no such context.
    """
    configuration = Configuration()
    # urllib3 would also retry requests that create objects; `_retry` repeats only reads.
    configuration.retries = False
    if context is None and not _kubeconfig_exists() and _POD_NAMESPACE.exists():
        load_incluster_config(client_configuration=configuration)
        own = _POD_NAMESPACE.read_text(encoding="utf-8").strip()
        return KubernetesCluster(ApiClient(configuration), namespace or own, "this Pod's account")
    try:
        chosen = _chosen_context(context)
        load_kube_config(context=context, client_configuration=configuration)
    except (ConfigException, TypeError, OSError, ValueError) as error:
        raise ClusterError(_no_kubeconfig(error)) from None
    own = chosen["context"].get("namespace") or "default"
    source = f"context '{chosen['name']}'"
    return KubernetesCluster(ApiClient(configuration), namespace or own, source)


def _chosen_context(name: str | None) -> JsonObject:
    contexts, current = cast(tuple[list[JsonObject], JsonObject], list_kube_config_contexts())
    if name is None:
        return current
    for context in contexts:
        if context["name"] == name:
            return context
    names = ", ".join(sorted(context["name"] for context in contexts))
    raise InputError(f"--context {name}: the kubeconfig has {names}")


def _kubeconfig_exists() -> bool:
    # Like PATH, the variable may hold several files.
    paths = os.environ.get("KUBECONFIG") or str(Path("~/.kube/config").expanduser())
    return any(Path(path).exists() for path in paths.split(os.pathsep) if path)


def _no_kubeconfig(error: Exception) -> str:
    return (
        f"no usable kubeconfig ({str(error).splitlines()[0] if str(error) else error!r}): set "
        "KUBECONFIG to the file that your cluster's administrator or provider gave you, and try "
        "`kubectl get pods`"
    )


class KubernetesCluster:
    """A namespace of a cluster, over HTTP."""

    def __init__(self, api: ApiClient, namespace: str, source: str) -> None:
        self.namespace = namespace
        self._api = api
        configuration = cast(Configuration, api.configuration)  # pyright: ignore[reportUnknownMemberType]
        self._where = f"{source}, {configuration.host}"

    @property
    def where(self) -> str:
        """Return the context and the server, for messages."""
        return self._where

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

    def create(self, body: JsonObject, *, dry_run: bool = False) -> JsonObject | None:
        """Implement `Cluster`."""
        kind = kind_of(body)
        # Otherwise the server drops fields that it does not know, and the job runs without them.
        query = [("fieldValidation", "Strict"), *([("dryRun", "All")] if dry_run else [])]
        status, answer = self._call("POST", self._path(kind), query, body)
        # A 409 can also mean a conflict with a quota's update, which is an error.
        if status == 409 and answer.get("reason") == "AlreadyExists":
            return None
        if status == 404 and "namespaces" in str(answer.get("message")):
            raise InputError(f"namespace '{self.namespace}' does not exist: name another with -n")
        if status == 404:
            raise unknown_kind(kind)
        check_answer(self, status, answer, "create", kind)
        return answer

    def delete(self, kind: Kind, name: str) -> bool:
        """Implement `Cluster`."""
        # A batch Job deleted through the API would otherwise leave its Pods behind.
        query = [("propagationPolicy", "Background")]
        status, answer = self._call("DELETE", self._path(kind, name), query)
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
        response = self._send("GET", path, query, timeout=_LOG_TIMEOUT)
        if response.status != 200:
            raise UnreachableError(f"the log of Pod {pod} cannot be read: {_text(response)}")
        yield from self._lines(response)

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
        status, answer = _retry(lambda: self._call("POST", path, [], body))
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

    def _read(
        self, path: str, verb: str, kind: Kind | None, query: list[tuple[str, str]] | None = None
    ) -> tuple[int, JsonObject]:
        """Send a GET request and return the status and the answer."""
        status, answer = _retry(lambda: self._call("GET", path, query or []))
        if status != 404:
            check_answer(self, status, answer, verb, kind)
        return status, answer

    def _call(
        self, method: str, path: str, query: list[tuple[str, str]], body: JsonObject | None = None
    ) -> tuple[int, JsonObject]:
        response = self._send(method, path, query, body)
        try:
            text = _text(response)
        except urllib3.exceptions.HTTPError as error:
            raise self._unreachable(error) from None
        return response.status, _answer(text)

    def _send(
        self,
        method: str,
        path: str,
        query: list[tuple[str, str]],
        body: JsonObject | None = None,
        timeout: tuple[float, float] = _TIMEOUT,
    ) -> urllib3.BaseHTTPResponse:
        headers = {"Accept": "application/json, */*", "Content-Type": "application/json"}
        api: Any = self._api
        try:
            request = api.param_serialize(
                method,
                path,
                query_params=query,
                header_params=headers,
                body=body,
                auth_settings=["BearerToken"],
            )
            # Not a generated method like `read_namespaced_pod_log`: these return only after the
            # last byte, but a log must be passed on while it grows.
            answer = api.call_api(*request, _request_timeout=timeout)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise self._unreachable(error) from None
        # The client raises this for TLS errors: one side does not trust the other's certificate.
        except ApiException as error:
            reason = cast(object, error.reason)  # pyright: ignore[reportUnknownMemberType]
            raise ClusterError(f"{self.where}: {shorten(reason)}") from None
        return cast(urllib3.BaseHTTPResponse, answer.response)

    def _lines(self, response: urllib3.BaseHTTPResponse) -> Iterator[str]:
        # A chunk may end in the middle of a line; the rest waits for the next chunk.
        left = b""
        try:
            for chunk in response.stream(65536, decode_content=False):
                *lines, left = (left + chunk).split(b"\n")
                yield from (line.decode(errors="replace") for line in lines)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise self._unreachable(error) from None
        finally:
            response.close()
        if left:
            yield left.decode(errors="replace")

    def _unreachable(self, error: Exception) -> UnreachableError:
        return UnreachableError(
            f"the cluster does not answer ({self.where}): {shorten(error)}; check the network, "
            "the VPN and the context"
        )


def _retry(call: Callable[[], tuple[int, JsonObject]]) -> tuple[int, JsonObject]:
    for pause in _PAUSES:
        try:
            status, answer = call()
        except UnreachableError as error:
            # A wrong host name or a closed port does not recover within seconds.
            if "Name or service" in str(error) or "refused" in str(error):
                raise
        else:
            if status not in TRANSIENT:
                return status, answer
        time.sleep(pause)
    return call()


def _text(response: urllib3.BaseHTTPResponse) -> str:
    return (response.data or b"").decode(errors="replace")


def _answer(text: str) -> JsonObject:
    try:
        answer: object = json.loads(text)
    except ValueError:  # a proxy in front of the server answers with HTML or plain text
        return {"message": text}
    return cast(JsonObject, answer) if isinstance(answer, dict) else {"message": text}
