import socket

import pytest

from nmt.errors import UnavailableError
from ray_jobs import cluster


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch):
    """A port that is bound already, and the only one there is."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        monkeypatch.setattr(cluster, "_OWN_PORTS", (port, port + 1))
        yield port


def test_the_dashboard_gets_a_port_that_no_other_process_is_handed():
    first_of_the_system = 32_768  # of Linux; later on other systems
    assert cluster._free_port() < first_of_the_system


def test_a_port_that_is_taken_is_left_to_its_owner(taken, monkeypatch):
    monkeypatch.setattr(cluster, "_OWN_PORTS", (taken, taken + 3))
    assert cluster._free_port() in {taken + 1, taken + 2}


def test_where_every_port_is_taken_the_range_is_named(taken):
    with pytest.raises(UnavailableError, match=f"no free port from {taken} on"):
        cluster._free_port()
