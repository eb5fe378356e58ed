"""Where the API server is, whom it has to trust, and who asks.

A kubeconfig is read by the official client. It costs 27 MB of memory, so in a Pod, where the
kubelet mounts all that is needed, it is not even imported.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

import urllib3

from k8s.api.cluster import JsonObject
from nmt.errors import ClusterError, InputError

if TYPE_CHECKING:
    from kubernetes.client.configuration import Configuration

_CONNECTIONS = 8
"""Kept open to the API server, for the watches and for all that the operator does beside them."""
# The kubelet mounts this folder in each Pod that has a token.
_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")


@dataclass(frozen=True, slots=True)
class Connection:
    """How to reach an API server."""

    host: str
    pool: urllib3.PoolManager
    """With the certificates of both sides."""
    authorization: Callable[[], str | None]
    """Returns the header of the next request; a token may be replaced at any time."""
    source: str
    """Where all of this is from, for messages."""
    namespace: str


def open_connection(context: str | None) -> Connection:
    """Connect as `kubectl` would, or with the service account of this Pod.

    Raises:
        ClusterError: there is no kubeconfig, or it has no such context.
    """
    if context is None and not _kubeconfig_exists() and (_ACCOUNT / "namespace").exists():
        return _of_pod()
    return _of_kubeconfig(context)


def connection_of(
    configuration: "Configuration", source: str, namespace: str = "default"
) -> Connection:
    """Connect with a configuration of the official client."""
    from kubernetes.client.rest import RESTClientObject

    # urllib3 would also retry requests that create objects; the transport repeats only reads.
    configuration.retries = False
    pool = RESTClientObject(configuration).pool_manager

    def authorization() -> str | None:
        # The client replaces a token that has expired here.
        found = cast(JsonObject, configuration.auth_settings())
        return found.get("BearerToken", {}).get("value")

    return Connection(configuration.host, pool, authorization, source, namespace)


def _of_pod() -> Connection:
    host = os.environ.get("KUBERNETES_SERVICE_HOST", "")
    port = os.environ.get("KUBERNETES_SERVICE_PORT", "")
    if not host or not port:
        raise ClusterError(
            f"this Pod has an account ({_ACCOUNT}), but the variables KUBERNETES_SERVICE_HOST and "
            "KUBERNETES_SERVICE_PORT, which the kubelet sets, are missing"
        )
    pool = urllib3.PoolManager(
        ca_certs=str(_ACCOUNT / "ca.crt"),
        cert_reqs="CERT_REQUIRED",
        retries=False,
        maxsize=_CONNECTIONS,
    )

    def authorization() -> str:
        # The kubelet replaces the token every hour.
        token = (_ACCOUNT / "token").read_text(encoding="utf-8")
        return f"Bearer {token.strip()}"

    namespace = (_ACCOUNT / "namespace").read_text(encoding="utf-8").strip()
    at = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    return Connection(f"https://{at}", pool, authorization, "this Pod's account", namespace)


def _of_kubeconfig(context: str | None) -> Connection:
    from kubernetes.client.configuration import Configuration

    # The client has no annotations.
    from kubernetes.config import (
        load_kube_config,  # pyright: ignore[reportUnknownVariableType]
    )
    from kubernetes.config.config_exception import ConfigException

    configuration = Configuration()
    try:
        chosen = _chosen_context(context)
        load_kube_config(context=context, client_configuration=configuration)
    except (ConfigException, TypeError, OSError, ValueError) as error:
        raise ClusterError(_no_kubeconfig(error)) from None
    namespace = chosen["context"].get("namespace") or "default"
    return connection_of(configuration, f"context '{chosen['name']}'", namespace)


def _chosen_context(name: str | None) -> JsonObject:
    from kubernetes.config.kube_config import (
        list_kube_config_contexts,  # pyright: ignore[reportUnknownVariableType]
    )

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
