"""The environment of the processes that serve: HAProxy where it can be used, and whose it is."""

import random
import socket

import pytest

from nmt.config import ServingConfig
from ray_jobs.runtime.serve_environment import (
    LIMIT_VARIABLE,
    TOKEN_VARIABLE,
    endpoint_environment,
    set_environment,
)
from tests.support.ports import free_ports

PROXY = "RAY_SERVE_ENABLE_HA_PROXY"


def environment(**given: str) -> dict[str, str]:
    found = dict(given)
    set_environment(found)
    return found


def test_what_the_user_has_set_stays() -> None:
    assert environment(RAY_SERVE_HAPROXY_NBTHREAD="1")["RAY_SERVE_HAPROXY_NBTHREAD"] == "1"


def test_the_user_can_choose_the_proxy_of_serve() -> None:
    chosen = environment(**{PROXY: "0"})
    assert chosen[PROXY] == "0"
    # It sends no token, which replicas would then require.
    assert TOKEN_VARIABLE not in endpoint_environment(ServingConfig(), chosen)


def test_two_endpoints_of_a_machine_do_not_know_each_other() -> None:
    one, other = (endpoint_environment(ServingConfig(), {PROXY: "1"}) for _ in range(2))
    assert one[TOKEN_VARIABLE] != other[TOKEN_VARIABLE]
    # Serve's own number would be the same for both.
    assert one["RAY_SERVE_FALLBACK_PROXY_HTTP_PORT"] != "8500"


def test_the_ports_of_an_endpoint_are_not_those_of_outgoing_connections() -> None:
    chosen = endpoint_environment(ServingConfig(), {PROXY: "1"})
    ports = [int(value) for name, value in chosen.items() if name.endswith("_PORT")]
    assert len(set(ports)) == 3
    # From 32768 on, Linux gives them to whoever connects first.
    assert max(ports) < 32_768


def test_the_ports_of_an_endpoint_do_not_begin_with_one_that_is_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    taken, free = free_ports(2)
    monkeypatch.setattr(random, "sample", lambda _blocks, _count: [taken, free])
    with socket.create_server(("127.0.0.1", taken)):
        chosen = endpoint_environment(ServingConfig(), {PROXY: "1"})
    assert chosen["RAY_SERVE_FALLBACK_PROXY_HTTP_PORT"] == str(free)


@pytest.mark.parametrize("host", ["::1", "::"])
def test_an_address_of_ipv6_is_served_by_the_proxy_of_serve(host: str) -> None:
    changes = endpoint_environment(ServingConfig(host=host), {PROXY: "1"})
    assert changes[PROXY] == "0"
    assert TOKEN_VARIABLE not in changes


def test_haproxy_learns_how_many_requests_a_replica_takes() -> None:
    changes = endpoint_environment(ServingConfig(max_requests=7))
    assert changes[LIMIT_VARIABLE] == "7"
