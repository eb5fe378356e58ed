"""Whether something listens at an address: a short knock before a client that tries for minutes."""

import socket

KNOCK_SECONDS = 5.0


def split_address(address: str) -> tuple[str, int | None]:
    """Host and port of `host:port`, also behind a scheme; no port: None."""
    host, _, port = address.rpartition("://")[2].partition(":")
    return host, int(port) if port.isdigit() else None


def fault_of_address(host: str, port: int) -> str | None:
    """What keeps a TCP connection from being made, or None when it is."""
    try:
        socket.create_connection((host, port), timeout=KNOCK_SECONDS).close()
    except OSError as error:
        return str(error.strerror or error)
    return None
