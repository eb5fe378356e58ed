"""Allowed network traffic."""

from typing import Annotated, Literal

from pydantic import Field

from helm.values.base import Cidr, Ports, Values
from helm.values.kubernetes import LabelSelector, Peer, Peers

Part = Annotated[str, Field(pattern=r"^[0-9a-fA-F:.]+/[1-9][0-9]{0,2}$")]
"""A range, but not of all addresses: Kubernetes refuses to leave out everything."""
Component = Literal["job", "cluster", "serving", "storage", "operator"]


class Dns(Values):
    """DNS servers that Pods may ask."""

    peers: Peers = [
        Peer(
            namespace_selector=LabelSelector(),
            pod_selector=LabelSelector(match_labels={"k8s-app": "kube-dns"}),
        )
    ]
    """Peers that are DNS servers; a cache on every node is an ipBlock, like 169.254.20.10/32."""
    ports: Ports = [53]
    """Ports of the server Pods, UDP and TCP, like 5353 on OpenShift."""


class ExtraEgress(Values):
    """More traffic that some Pods may send, like that to a tracking server or a proxy."""

    components: Annotated[list[Component], Field(min_length=1)]
    """The Pods: `job`, `cluster`, `serving`, `operator`, or `storage` for those of `nmt-k8s`."""
    to: Peers
    """Peers as in a NetworkPolicy."""
    ports: Ports
    """TCP ports; of a Service those of its Pods."""


class NetworkPolicies(Values):
    """Allowed network traffic; everything else is blocked."""

    enabled: bool = True
    """Create the NetworkPolicies."""
    clients: list[Peer] = [Peer(pod_selector=LabelSelector())]
    """Peers that may call the endpoint; the Pods of its namespace by default."""
    kuberay_namespace_selector: LabelSelector = LabelSelector()
    """Namespaces in which KubeRay runs; all when empty."""
    kuberay_pod_selector: LabelSelector = LabelSelector(
        match_labels={"app.kubernetes.io/component": "kuberay-operator"}
    )
    """KubeRay's Pods."""
    dns: Dns = Dns()
    api_server_cidrs: Annotated[list[Cidr], Field(min_length=1)] = ["0.0.0.0/0", "::/0"]
    """Addresses of the API server, which autoscaling heads and the operator may reach."""
    api_server_ports: Ports = [443, 6443]
    """Ports of the API server."""
    outside: bool = True
    """Let jobs reach `outsidePorts` anywhere, like the hub; with a bucket, every Pod may."""
    outside_ports: Ports = [443]
    """Ports for `outside`; those of a single server belong into `extraEgress`."""
    outside_except: list[Part] = [
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "100.64.0.0/10",
        "169.254.0.0/16",
        "fc00::/7",
        "fe80::/10",
    ]
    """Addresses that `outside` leaves out: private networks, and with them the cluster's own Pods
    and Services. A bucket server or a proxy in them is a peer of `extraEgress`."""
    extra_egress: list[ExtraEgress] = []
    """More traffic that is allowed, to single peers: `components`, `to` and `ports` of each."""
    monitoring: Peers = [Peer(namespace_selector=LabelSelector())]
    """Peers that may read metrics when `monitoring.podMonitors` is true."""
