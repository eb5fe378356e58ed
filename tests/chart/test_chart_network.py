"""NetworkPolicies: connections that a release needs are allowed, and others are denied."""

import pytest

from tests.support.chart.network_policy import Peer, allowed
from tests.support.chart.rendering import (
    BUCKET,
    NAMESPACE,
    RELEASES,
    JsonObject,
    kinds,
    pods,
    render,
)

RANDOM = 34_567
"""Ray's own ports are random."""
REPLICA = 30_000
"""First port of the replicas, which HAProxy calls."""
HAPROXY_STATISTICS, HAPROXY_METRICS = 8404, 9101

ALL: JsonObject = {"cluster": {"enabled": True}}
MONITORS: JsonObject = {"podMonitors": True}
MONITORED: JsonObject = {**ALL, "monitoring": MONITORS}
CLOSED: JsonObject = {**ALL, "networkPolicies": {"outside": False}}
OFFLINE: JsonObject = {**RELEASES["airgapped"], **ALL}
CLIENTS: JsonObject = {
    **ALL,
    "networkPolicies": {"clients": [{"ipBlock": {"cidr": "192.0.2.0/24"}}]},
}

TRACKING: JsonObject = {
    "components": ["job", "cluster"],
    "to": [{"ipBlock": {"cidr": "10.0.0.5/32"}}],
    "ports": [5000],
}
BUCKET_SERVER: JsonObject = {
    "components": ["serving", "storage"],
    "to": [
        {
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "minio"}},
            "podSelector": {"matchLabels": {"app": "minio"}},
        }
    ],
    "ports": [9000],
}
EXTRA: JsonObject = {**ALL, "networkPolicies": {"extraEgress": [TRACKING, BUCKET_SERVER]}}

OTHERS = {
    "kuberay": Peer("kuberay-system", {"app.kubernetes.io/component": "kuberay-operator"}),
    "dns": Peer("kube-system", {"k8s-app": "kube-dns"}),
    "client": Peer("shop", {"app": "shop"}),
    "neighbour": Peer(NAMESPACE, {"app": "notebook"}),
    "other release": Peer(
        NAMESPACE,
        {
            "app.kubernetes.io/instance": "other",
            "app.kubernetes.io/part-of": "nmt",
            "app.kubernetes.io/component": "job",
            "ray.io/node-type": "worker",
        },
    ),
    "prometheus": Peer("monitoring", {"app.kubernetes.io/name": "prometheus"}),
    "node's cache": Peer(address="169.254.20.10"),
    "openshift's dns": Peer(
        "openshift-dns", {"dns.operator.openshift.io/daemonset-dns": "default"}
    ),
    "api server": Peer(address="10.96.0.1"),
    "api server over IPv6": Peer(address="fd00:10:96::1"),
    "hub over IPv6": Peer(address="2001:db8::7"),
    "private network": Peer(address="10.0.0.5"),
    "private network over IPv6": Peer(address="fd00::5"),
    "metadata server": Peer(address="169.254.169.254"),
    "bucket server": Peer("minio", {"app": "minio"}),
    "hub": Peer(address="198.51.100.7"),
    "caller": Peer(address="192.0.2.7"),
}

NEEDED = [
    ("serving worker", "serving head", 6379, ALL),
    ("serving worker", "serving head", RANDOM, ALL),
    ("serving head", "serving worker", RANDOM, ALL),
    ("serving head", "serving worker", REPLICA, ALL),
    ("serving worker", "serving worker", REPLICA, ALL),
    ("cluster head", "cluster worker", RANDOM, ALL),
    ("cluster worker", "cluster head", RANDOM, ALL),
    ("job head", "job worker", RANDOM, ALL),
    ("job worker", "job worker", RANDOM, ALL),
    ("submitter", "job head", 8265, ALL),
    ("submitter", "cluster head", 8265, ALL),
    ("kuberay", "job head", 8265, ALL),
    ("kuberay", "cluster head", 8265, ALL),
    ("kuberay", "serving head", 8265, ALL),
    ("kuberay", "serving head", 8000, ALL),
    ("neighbour", "serving worker", 8000, ALL),
    ("test", "serving worker", 8000, ALL),
    ("serving head", "api server", 443, ALL),
    ("cluster head", "api server", 6443, ALL),
    ("serving head", "api server", 443, OFFLINE),
    ("serving head", "api server over IPv6", 443, ALL),
    ("job worker", "hub", 443, ALL),
    ("job worker", "hub over IPv6", 443, ALL),
    ("job head", "hub", 443, ALL),
    ("cluster worker", "hub", 443, ALL),
    ("job worker", "private network", 5000, EXTRA),
    ("cluster head", "private network", 5000, EXTRA),
    ("serving worker", "bucket server", 9000, EXTRA),
    ("storage", "bucket server", 9000, EXTRA),
    ("serving worker", "hub", 443, BUCKET),
    ("storage", "hub", 443, BUCKET),
    ("prometheus", "serving worker", 8080, MONITORED),
    ("prometheus", "serving head", 8000, MONITORED),
    ("prometheus", "job head", 44217, MONITORED),
    ("prometheus", "job head", 44227, MONITORED),
    ("caller", "serving worker", 8000, CLIENTS),
]

FORBIDDEN = [
    ("job worker", "serving worker", 8000, ALL),
    ("job worker", "serving head", 8265, ALL),
    ("job worker", "cluster head", 8265, ALL),
    ("job worker", "api server", 443, ALL),
    ("job worker", "api server", 6443, ALL),
    ("job worker", "api server over IPv6", 443, ALL),
    ("job worker", "private network", 443, ALL),
    ("job worker", "private network over IPv6", 443, ALL),
    ("job worker", "metadata server", 443, ALL),
    ("storage", "private network", 443, BUCKET),
    ("serving worker", "metadata server", 443, BUCKET),
    ("job worker", "private network", 5000, ALL),
    ("job worker", "private network", 443, EXTRA),
    ("serving worker", "private network", 5000, EXTRA),
    ("submitter", "private network", 5000, EXTRA),
    ("job worker", "bucket server", 9000, EXTRA),
    ("serving worker", "job head", 8265, ALL),
    ("serving worker", "api server", 6443, ALL),
    ("serving worker", "hub", 443, ALL),
    ("submitter", "serving head", 8265, ALL),
    ("submitter", "job head", 10001, ALL),
    ("submitter", "hub", 443, ALL),
    ("storage", "hub", 443, ALL),
    ("storage", "job head", 8265, ALL),
    ("test", "serving worker", 8265, ALL),
    ("test", "hub", 443, ALL),
    ("client", "serving worker", 8000, ALL),
    ("client", "serving worker", 8265, ALL),
    ("client", "serving worker", 52365, ALL),
    ("client", "serving head", 8000, ALL),
    ("client", "serving head", 8265, ALL),
    ("client", "job head", 8265, ALL),
    ("client", "cluster head", 10001, ALL),
    ("neighbour", "job head", 8265, ALL),
    ("neighbour", "cluster head", 8265, ALL),
    ("other release", "job worker", RANDOM, ALL),
    ("kuberay", "job head", 10001, ALL),
    ("prometheus", "serving worker", 8080, ALL),
    ("prometheus", "serving head", 8000, ALL),
    ("prometheus", "serving worker", 8000, {**CLIENTS, "monitoring": MONITORS}),
    *(
        (source, "serving worker", port, MONITORED)
        for source in ("client", "prometheus", "kuberay", "test", "job worker", "cluster worker")
        for port in (REPLICA, HAPROXY_STATISTICS, HAPROXY_METRICS)
    ),
    ("prometheus", "job head", 8265, MONITORED),
    ("caller", "serving worker", 8000, ALL),
    ("job worker", "hub", 443, CLOSED),
    ("job worker", "hub", 443, OFFLINE),
    ("cluster head", "hub", 443, OFFLINE),
    ("serving head", "hub", 443, OFFLINE),
    ("serving head", "hub", 6443, OFFLINE),
    ("job worker", "hub", 80, ALL),
    ("client", "serving worker", 8000, CLIENTS),
]


def peers(manifests: list[JsonObject]) -> dict[str, Peer]:
    """Return every Pod of a release with KubeRay's labels, and Pods outside the release."""
    found = dict(OTHERS)
    for pod in pods(manifests):
        name, labels = pod.component, dict(pod.metadata["labels"])
        if "head" in pod.where or "workers" in pod.where:
            node = "head" if pod.where.endswith("head") else "worker"
            labels |= {"ray.io/node-type": node, "ray.io/is-ray-node": "yes"}
            name = f"{name} {node}"
        found[name] = Peer(NAMESPACE, labels)
    return found


def passes(source: str, target: str, port: int, values: JsonObject, protocol: str = "TCP") -> bool:
    manifests = render(values)
    policies = list(kinds(manifests, "NetworkPolicy").values())
    known = peers(manifests)
    return allowed(policies, known[source], known[target], port, protocol)


@pytest.mark.parametrize(("source", "target", "port", "values"), NEEDED)
def test_a_needed_connection_is_allowed(source, target, port, values):
    assert passes(source, target, port, values)


@pytest.mark.parametrize(("source", "target", "port", "values"), FORBIDDEN)
def test_an_unneeded_connection_is_denied(source, target, port, values):
    assert not passes(source, target, port, values)


@pytest.mark.parametrize("protocol", ["TCP", "UDP"])
@pytest.mark.parametrize("source", ["serving head", "job worker", "submitter", "storage", "test"])
def test_every_pod_can_use_dns(source, protocol):
    assert passes(source, "dns", 53, ALL, protocol)


CACHE: JsonObject = {"peers": [{"ipBlock": {"cidr": "169.254.20.10/32"}}]}
OPENSHIFT: JsonObject = RELEASES["openshift"]["networkPolicies"]["dns"]


@pytest.mark.parametrize("protocol", ["TCP", "UDP"])
@pytest.mark.parametrize(
    ("server", "port", "dns"),
    [("node's cache", 53, CACHE), ("openshift's dns", 5353, OPENSHIFT)],
)
def test_another_dns_server_can_be_configured(server, port, dns, protocol):
    values = {**ALL, "networkPolicies": {"dns": dns}}
    assert passes("job worker", server, port, values, protocol)
    assert not passes("job worker", "dns", 53, values, protocol)


def test_more_outgoing_ports_can_be_allowed():
    values = {**BUCKET, "networkPolicies": {"outsidePorts": [443, 9000]}}
    assert passes("storage", "hub", 9000, values)


def test_private_networks_can_be_opened():
    values = {**ALL, "networkPolicies": {"outsideExcept": ["10.96.0.0/12"]}}
    assert passes("job worker", "private network", 443, values)
    assert passes("job worker", "private network over IPv6", 443, values)
    assert not passes("job worker", "api server", 443, values)
    everywhere = {**ALL, "networkPolicies": {"outsideExcept": []}}
    assert passes("job worker", "api server", 443, everywhere)


def test_the_api_server_has_addresses_of_both_families():
    cidrs = {"apiServerCidrs": ["10.96.0.0/16", "fd00:10:96::/112"]}
    values = {**ALL, "networkPolicies": cidrs}
    assert passes("cluster head", "api server", 443, values)
    assert passes("cluster head", "api server over IPv6", 443, values)
    assert not passes("cluster head", "private network", 6443, values)


def test_kuberay_can_be_pinned_to_a_namespace():
    selector = {"matchLabels": {"kubernetes.io/metadata.name": "elsewhere"}}
    values = {**ALL, "networkPolicies": {"kuberayNamespaceSelector": selector}}
    assert not passes("kuberay", "job head", 8265, values)


def test_a_component_that_is_not_installed_is_still_denied():
    """The Pods of a job are created after the release, but its policies cover them."""
    policies = kinds(render(), "NetworkPolicy").values()
    of_all = [p for p in policies if p["metadata"]["name"] == "demo-deny"]
    assert "app.kubernetes.io/component" not in str(of_all[0]["spec"])
    assert of_all[0]["spec"]["policyTypes"] == ["Ingress", "Egress"]


@pytest.mark.parametrize("name", RELEASES)
def test_every_pod_is_selected_by_a_policy(name):
    manifests = render(RELEASES[name])
    policies = list(kinds(manifests, "NetworkPolicy").values())
    known = peers(manifests)
    strangers = Peer(NAMESPACE, {"app": "stranger"})
    for peer in set(known) - set(OTHERS):
        assert not allowed(policies, strangers, known[peer], 1), peer
        assert not allowed(policies, known[peer], strangers, 1), peer


def test_policies_can_be_switched_off():
    values = {**ALL, "networkPolicies": {"enabled": False}}
    assert kinds(render(values), "NetworkPolicy") == {}
