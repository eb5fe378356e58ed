"""Tests of the operator's port: health and metrics, over IPv4 and IPv6."""

import socket
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

from k8s.operator.loop.health import health_port

METRICS = b"nmt_operator_leader 1.0\n"


@pytest.fixture
def port() -> Iterator[tuple[str, list[str]]]:
    problems = [""]
    with health_port(0, lambda: problems[0], lambda: METRICS) as number:
        yield f"http://127.0.0.1:{number}", problems


def test_the_port_tells_whether_the_process_is_well(port):
    address, problems = port
    with urllib.request.urlopen(f"{address}/healthz") as answer:
        assert answer.read() == b"ok\n"
    problems[0] = "a thread has ended"
    with pytest.raises(urllib.error.HTTPError, match="503") as caught:
        urllib.request.urlopen(f"{address}/healthz")
    assert caught.value.read() == b"a thread has ended\n"


def test_the_port_has_the_metrics_and_nothing_else(port):
    with urllib.request.urlopen(f"{port[0]}/metrics") as answer:
        assert answer.read() == METRICS
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(f"{port[0]}/other")


def has_ipv6() -> bool:
    """Tell whether this machine has the address ::1."""
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")
def test_the_port_is_open_over_ipv6_too():
    with (
        health_port(0, str, lambda: METRICS) as number,
        urllib.request.urlopen(f"http://[::1]:{number}/healthz") as answer,
    ):
        assert answer.read() == b"ok\n"


def test_without_ipv6_the_port_is_open_over_ipv4(monkeypatch):
    monkeypatch.setattr(socket, "has_dualstack_ipv6", lambda: False)
    with (
        health_port(0, str, lambda: METRICS) as number,
        urllib.request.urlopen(f"http://127.0.0.1:{number}/healthz") as answer,
    ):
        assert answer.read() == b"ok\n"
