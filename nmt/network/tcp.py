"""Addresses, and a check that a TCP port accepts connections.

The check is made before a client with long retries is started.
"""

import socket
from urllib.parse import urlsplit

CONNECT_TIMEOUT_SECONDS = 5.0


def split_address(address: str) -> tuple[str, int | None]:
    """Split `host:port` or `[host]:port`, with or without a scheme; without a port it is None."""
    host = ""
    try:
        parts = urlsplit(f"//{address.rpartition('://')[2]}")
        host = parts.hostname or ""
        return host, parts.port
    except ValueError:  # a single bracket, or a port that is not a number
        return host, None


def url_of(host: str, port: int) -> str:
    """Write the URL by which this machine reaches a server that listens on a host."""
    # A server that listens on all addresses is reached by the local one.
    all_addresses = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared, not listened on
    address = all_addresses.get(host, host)
    return f"http://[{address}]:{port}" if ":" in address else f"http://{address}:{port}"


def connection_error(host: str, port: int) -> str | None:
    """Try a TCP connection, and return the error or None."""
    try:
        socket.create_connection((host, port), timeout=CONNECT_TIMEOUT_SECONDS).close()
    except OSError as error:
        return str(error.strerror or error)
    return None
