"""Ports for servers that tests start."""

import random
import socket

# Linux takes the ports of outgoing connections, and those that nobody names, from 32768 on, Ray's
# workers listen on 10002 to 19999, and an endpoint of a private Ray on 20000 to 31999: between
# these nothing takes a port before the server that it is for.
_PORTS = range(32_000, 32_768)


def free_port() -> int:
    """Return a TCP port of the loopback address on which nothing listens."""
    return free_ports(1)[0]


def free_ports(count: int) -> list[int]:
    """Return TCP ports of the loopback address on which nothing listens."""
    candidates = random.sample(_PORTS, count * 20)
    return [port for port in candidates if _is_free(port)][:count]


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
