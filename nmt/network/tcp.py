"""Addresses: how they are written, and whether something listens there.

A short knock comes before a client that would try for minutes.
"""

import socket
from urllib.parse import urlsplit

CONNECT_TIMEOUT_SECONDS = 5.0


def split_address(address: str) -> tuple[str, int | None]:
    """Host and port of `host:port` or `[host]:port`, also behind a scheme; no port: None."""
    host = ""
    try:
        parts = urlsplit(f"//{address.rpartition('://')[2]}")
        host = parts.hostname or ""
        return host, parts.port
    except ValueError:  # a bracket that stands alone, or what is not a port
        return host, None


def url_of(host: str, port: int) -> str:
    """URL by which this machine reaches what listens at a host, which may be every address."""
    every = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared, not listened at
    reached = every.get(host, host)
    return f"http://[{reached}]:{port}" if ":" in reached else f"http://{reached}:{port}"


def connection_error(host: str, port: int) -> str | None:
    """What keeps a TCP connection from being made, or None when it is."""
    try:
        socket.create_connection((host, port), timeout=CONNECT_TIMEOUT_SECONDS).close()
    except OSError as error:
        return str(error.strerror or error)
    return None
