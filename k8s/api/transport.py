"""Requests to the API server, with the official client; only this module imports `kubernetes`."""

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

# The client has no annotations: here and in `send` its values get their types.
from kubernetes.config import (
    load_incluster_config,  # pyright: ignore[reportUnknownVariableType]
    load_kube_config,  # pyright: ignore[reportUnknownVariableType]
)
from kubernetes.config.config_exception import ConfigException
from kubernetes.config.kube_config import (
    list_kube_config_contexts,  # pyright: ignore[reportUnknownVariableType]
)

from k8s.api.cluster import JsonObject
from k8s.api.errors import TRANSIENT, shorten
from nmt.errors import ClusterError, InputError, UnreachableError

TIMEOUT = (10.0, 30.0)
"""Seconds to connect, and between two reads."""
_PAUSES = (0.5, 1.5, 4.0)
# The kubelet mounts this file in each Pod that has a token.
_POD_NAMESPACE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")

Query = list[tuple[str, str]]
Answer = tuple[int, JsonObject]
"""The HTTP status, and the body: an object, a list or a `Status` of the API."""


def open_transport(context: str | None, namespace: str | None) -> "tuple[Transport, str]":
    """Connect as `kubectl` would, or with the service account of this Pod.

    Returns:
        The connection, and the namespace to work in.

    Raises:
        ClusterError: there is no kubeconfig, or it has no such context.
    """
    configuration = Configuration()
    # urllib3 would also retry requests that create objects; `read` repeats only reads.
    configuration.retries = False
    if context is None and not _kubeconfig_exists() and _POD_NAMESPACE.exists():
        load_incluster_config(client_configuration=configuration)
        own = _POD_NAMESPACE.read_text(encoding="utf-8").strip()
        return Transport(ApiClient(configuration), "this Pod's account"), namespace or own
    try:
        chosen = _chosen_context(context)
        load_kube_config(context=context, client_configuration=configuration)
    except (ConfigException, TypeError, OSError, ValueError) as error:
        raise ClusterError(_no_kubeconfig(error)) from None
    own = chosen["context"].get("namespace") or "default"
    return Transport(ApiClient(configuration), f"context '{chosen['name']}'"), namespace or own


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


class Transport:
    """A connection to an API server."""

    def __init__(self, api: ApiClient, source: str) -> None:
        self._api = api
        configuration = cast(Configuration, api.configuration)  # pyright: ignore[reportUnknownMemberType]
        self.where = f"{source}, {configuration.host}"
        """The context and the server, for messages."""

    def read(self, path: str, query: Query) -> Answer:
        """Send a GET request, again if the server is busy."""
        return self.repeat(lambda: self.call("GET", path, query))

    def repeat(self, call: Callable[[], Answer]) -> Answer:
        """Make a call that changes nothing, again if the server is busy."""
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

    def call(self, method: str, path: str, query: Query, body: JsonObject | None = None) -> Answer:
        """Send a request once and return the answer."""
        response = self._send(method, path, query, body)
        try:
            return response.status, parse(_text(response))
        except urllib3.exceptions.HTTPError as error:
            raise self._unreachable(error) from None

    def stream(
        self, path: str, query: Query, timeout: tuple[float, float]
    ) -> tuple[int, Iterator[str]]:
        """Send a GET request; return the status, and the lines of the answer as they come.

        Args:
            path: of the request.
            query: of the request.
            timeout: seconds to connect, and between two reads.
        """
        response = self._send("GET", path, query, timeout=timeout)
        return response.status, self._lines(response)

    def _send(
        self,
        method: str,
        path: str,
        query: Query,
        body: JsonObject | None = None,
        timeout: tuple[float, float] = TIMEOUT,
    ) -> urllib3.BaseHTTPResponse:
        # Only apply sends a patch. JSON is YAML, and the client writes it.
        content = "application/apply-patch+yaml" if method == "PATCH" else "application/json"
        headers = {"Accept": "application/json, */*", "Content-Type": content}
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


def _text(response: urllib3.BaseHTTPResponse) -> str:
    return (response.data or b"").decode(errors="replace")


def parse(text: str) -> JsonObject:
    """Read an answer; what is not a JSON object becomes the message of one."""
    try:
        answer: object = json.loads(text)
    except ValueError:  # a proxy in front of the server answers with HTML or plain text
        return {"message": text}
    return cast(JsonObject, answer) if isinstance(answer, dict) else {"message": text}
