"""A proxy in the values: what Pods say to each other, and to Services, does not go through it."""

import urllib.request
from collections.abc import Callable

import httpx
import pytest
import requests

from tests.support.chart.rendering import JsonObject, pods, render

PROXY = "http://proxy.example.com:3128"
PROXIED: JsonObject = {"env": {"HTTPS_PROXY": PROXY}}
NAMES = [
    "localhost",
    "127.0.0.1",
    "nmt-endpoint.team.svc",
    "nmt-cluster-head-svc.team.svc.cluster.local",
    "minio.minio.svc.cluster.local",
]


def environments(values: JsonObject) -> dict[str, dict[str, str]]:
    """Return the environment of every container that uses the storage, by its Pod."""
    return {
        pod.where: {e["name"]: e.get("value", "") for e in pod.containers[0]["env"]}
        for pod in pods(render({"cluster": {"enabled": True}, **values}))
        if pod.component not in ("submitter", "test")
    }


def without_proxy(values: JsonObject) -> list[str]:
    """Return what the containers reach directly."""
    (entries,) = {env["NO_PROXY"] for env in environments(values).values()}
    return entries.split(",")


@pytest.fixture
def environment(monkeypatch) -> None:
    """Set the proxies, and nothing else that HTTP clients read."""
    values = {"env": {"http_proxy": PROXY, "https_proxy": PROXY}, "noProxy": ["10.0.0.0/8"]}
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environments(values)["storage"].items():
        if name.lower().endswith("_proxy"):
            monkeypatch.setenv(name, value)


def _urllib(host: str) -> bool:
    return bool(urllib.request.proxy_bypass(host))


def _requests(host: str) -> bool:
    return requests.utils.should_bypass_proxies(f"http://{host}:8000/", no_proxy=None)


def _httpx(host: str) -> bool:
    with httpx.Client() as client:
        # There is no public way to ask a client; the value None means no transport of a proxy.
        chosen = client._transport_for_url(httpx.URL(f"http://{host}:8000/"))
        return chosen is client._transport


CLIENTS = [_urllib, _requests, _httpx]


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize("host", NAMES)
@pytest.mark.parametrize("is_direct", CLIENTS)
def test_services_and_the_pod_itself_are_reached_directly(
    is_direct: Callable[[str], bool], host: str
):
    assert is_direct(host)


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize("is_direct", CLIENTS)
def test_the_hub_is_reached_through_the_proxy(is_direct: Callable[[str], bool]):
    assert not is_direct("huggingface.co")


@pytest.mark.usefixtures("environment")
def test_addresses_of_pods_are_reached_directly_by_clients_that_know_ranges():
    assert _requests("10.244.0.7")
    assert not _requests("11.244.0.7")


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"])
def test_each_spelling_of_a_proxy_adds_both_spellings_of_no_proxy(name):
    for where, env in environments({"env": {name: PROXY}}).items():
        assert env["NO_PROXY"] == env["no_proxy"] != "", where


def test_a_proxy_of_a_worker_group_counts_for_its_pods_alone():
    found = environments({"workers": {"cpu": {"env": {"HTTPS_PROXY": PROXY}}}})
    named = {where for where, env in found.items() if "NO_PROXY" in env}
    assert named == {where for where in found if where.endswith("workers cpu")} != set()


def test_without_a_proxy_nothing_is_added():
    assert not any("no_proxy" in env or "NO_PROXY" in env for env in environments({}).values())


@pytest.mark.parametrize("name", ["NO_PROXY", "no_proxy"])
def test_what_the_values_leave_out_already_is_extended(name):
    own = {"HTTPS_PROXY": PROXY, name: "hub.example.com, .corp"}
    found = without_proxy({"env": own, "noProxy": ["10.9.0.0/16"]})
    assert {"hub.example.com", ".corp", ".svc", "10.9.0.0/16"} <= set(found)
    assert "10.0.0.0/8" not in found
    assert len(found) == len(set(found))


def test_a_proxy_of_a_secret_is_announced_by_no_proxy():
    assert ".svc" in without_proxy({"env": {"NO_PROXY": "localhost"}, "envSecretName": "hub"})


def test_no_proxy_for_all_addresses_stays_as_it_is():
    """Clients read it only if nothing else stands beside it."""
    assert without_proxy({"env": {"HTTPS_PROXY": PROXY, "no_proxy": "*"}}) == ["*"]
