"""NetworkPolicies as Kubernetes reads them: may one peer open a connection to another?"""

import ipaddress
from dataclasses import dataclass, field

from k8s.api.cluster import JsonObject


@dataclass(frozen=True)
class Peer:
    """A Pod with its labels in a namespace; or, without a namespace, a machine with an address."""

    namespace: str = ""
    labels: JsonObject = field(default_factory=dict)
    address: str = ""


def allowed(
    policies: list[JsonObject], source: Peer, target: Peer, port: int, protocol: str = "TCP"
) -> bool:
    """Whether both ends let it through."""
    leaves = _passes(policies, source, target, "Egress", port, protocol)
    return leaves and _passes(policies, target, source, "Ingress", port, protocol)


def _passes(
    policies: list[JsonObject], here: Peer, there: Peer, direction: str, port: int, protocol: str
) -> bool:
    """One end alone: with no policy for it anything passes, else what one of them allows."""
    of_here = [
        policy
        for policy in policies
        if here.namespace == policy["metadata"]["namespace"]
        and direction in policy["spec"]["policyTypes"]
        and selects(policy["spec"]["podSelector"], here.labels)
    ]
    if not of_here:
        return True
    return any(
        _rule_allows(rule, there, here.namespace, direction, port, protocol)
        for policy in of_here
        for rule in policy["spec"].get(direction.lower(), [])
    )


def _rule_allows(
    rule: JsonObject, there: Peer, namespace: str, direction: str, port: int, protocol: str
) -> bool:
    peers = rule.get("from" if direction == "Ingress" else "to")
    ports = rule.get("ports")
    right_port = not ports or any(
        entry["port"] == port and entry.get("protocol", "TCP") == protocol for entry in ports
    )
    return right_port and (not peers or any(_is_peer(peer, there, namespace) for peer in peers))


def _is_peer(peer: JsonObject, there: Peer, namespace: str) -> bool:
    if "ipBlock" in peer:
        # Pods are never meant by an ipBlock in a policy that can be moved to another cluster.
        return bool(there.address) and _is_in(there.address, peer["ipBlock"])
    if not there.namespace:
        return False
    if "namespaceSelector" in peer:
        labels = {"kubernetes.io/metadata.name": there.namespace}
        right_namespace = selects(peer["namespaceSelector"], labels)
    else:
        right_namespace = there.namespace == namespace
    return right_namespace and selects(peer.get("podSelector", {}), there.labels)


def _is_in(address: str, block: JsonObject) -> bool:
    network, found = ipaddress.ip_network(block["cidr"]), ipaddress.ip_address(address)
    exceptions = [ipaddress.ip_network(each) for each in block.get("except", [])]
    # The API server refuses an exception that is not a part of the block.
    assert all(each.network_address in network and each != network for each in exceptions)
    return found in network and not any(found in each for each in exceptions)


def selects(selector: JsonObject, labels: JsonObject) -> bool:
    """Whether a label selector takes these labels."""
    exact = all(labels.get(k) == v for k, v in selector.get("matchLabels", {}).items())
    return exact and all(_expression(e, labels) for e in selector.get("matchExpressions", []))


def _expression(expression: JsonObject, labels: JsonObject) -> bool:
    if expression["operator"] != "In":
        raise NotImplementedError(expression["operator"])
    return labels.get(expression["key"]) in expression["values"]
