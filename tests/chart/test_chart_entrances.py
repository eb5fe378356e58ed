"""Ingress and HTTPRoute in front of the endpoint."""

import os
from pathlib import Path

import pytest
import yaml

from tests.support.chart.custom_resources import faults, read_schemas
from tests.support.chart.rendering import JsonObject, kinds, notes, refusal, render

INGRESS: JsonObject = {"enabled": True, "hosts": ["translate.example.com"]}
ROUTE: JsonObject = {"enabled": True, "parentRefs": [{"name": "public", "namespace": "gateways"}]}


def ingress(**values: object) -> JsonObject:
    objects = render({"serving": {"ingress": {**INGRESS, **values}}})
    return kinds(objects, "Ingress")["demo-endpoint"]


def route(values: JsonObject | None = None, **keys: object) -> JsonObject:
    objects = render({"serving": {"httpRoute": {**ROUTE, **keys}}, **(values or {})})
    return kinds(objects, "HTTPRoute")["demo-endpoint"]


def service() -> JsonObject:
    return kinds(render(), "Service")["demo-endpoint"]


def test_neither_is_made_by_default():
    assert not [m for m in render() if m["kind"] in ("Ingress", "HTTPRoute")]


def test_an_ingress_leads_to_the_service_of_the_endpoint():
    found = ingress(className="nginx")["spec"]
    assert found["ingressClassName"] == "nginx"
    (rule,) = found["rules"]
    assert rule["host"] == "translate.example.com"
    (path,) = rule["http"]["paths"]
    assert (path["path"], path["pathType"]) == ("/", "Prefix")
    assert path["backend"]["service"] == {"name": "demo-endpoint", "port": {"name": "http"}}
    assert [port["name"] for port in service()["spec"]["ports"]] == ["http"]


def test_an_ingress_ends_tls_with_a_secret_for_all_hosts():
    hosts = ["a.example.com", "b.example.com"]
    found = ingress(hosts=hosts, tlsSecret="cert")["spec"]
    assert found["tls"] == [{"secretName": "cert", "hosts": hosts}]
    assert [rule["host"] for rule in found["rules"]] == hosts


def test_an_ingress_without_class_and_certificate_leaves_both_to_the_cluster():
    assert not {"tls", "ingressClassName"} & set(ingress()["spec"])


def test_annotations_reach_the_ingress():
    issuer = {"cert-manager.io/cluster-issuer": "letsencrypt"}
    assert ingress(annotations=issuer)["metadata"]["annotations"] == issuer


def test_a_route_leads_to_the_service_of_the_endpoint():
    found = route(hostnames=["translate.example.com"])["spec"]
    assert found["parentRefs"] == ROUTE["parentRefs"]
    assert found["hostnames"] == ["translate.example.com"]
    (rule,) = found["rules"]
    assert rule["backendRefs"] == [{"name": "demo-endpoint", "port": 8000}]
    assert [port["port"] for port in service()["spec"]["ports"]] == [8000]


def test_a_route_gives_a_request_more_time_than_the_endpoint_takes():
    config = {"config": {"serving": {"request_timeout_seconds": 90.5}}}
    assert route(config)["spec"]["rules"][0]["timeouts"] == {"request": "101s"}


def test_a_route_for_a_gateway_without_timeouts_has_none():
    assert "timeouts" not in route(timeouts=False)["spec"]["rules"][0]


def test_a_route_passes_the_schema_of_the_gateway_api():
    """GATEWAY_CRDS: config/crd/standard of the Go module sigs.k8s.io/gateway-api."""
    folder = os.environ.get("GATEWAY_CRDS")
    if not folder:
        pytest.skip("GATEWAY_CRDS names no folder with the Gateway API's definitions")
    schema = read_schemas(Path(folder))["HTTPRoute"]
    for found in (route(), route(hostnames=["*.example.com"]), route(timeouts=False)):
        assert faults(schema, found) == []


@pytest.mark.parametrize(
    ("text", "fragments"),
    [
        ("ingress: {enabled: true}", ["serving.ingress.hosts is empty", "every host"]),
        ("httpRoute: {enabled: true}", ["serving.httpRoute.parentRefs is empty"]),
        (
            "{enabled: false, ingress: {enabled: true, hosts: [a.example.com]}}",
            ["serving.ingress.enabled is true and serving.enabled is false"],
        ),
        (
            "{enabled: false, httpRoute: {enabled: true, parentRefs: [{name: public}]}}",
            ["serving.httpRoute.enabled is true and serving.enabled is false"],
        ),
        (
            "ingress: {enabled: true, hosts: ['https://a.example.com']}",
            ["serving.ingress.hosts[0] is 'https://a.example.com'", "without scheme"],
        ),
        (
            "httpRoute: {enabled: true, parentRefs: [{name: a}], hostnames: [A.example.com]}",
            ["serving.httpRoute.hostnames[0] is 'A.example.com'", "lower case"],
        ),
        (
            "httpRoute: {enabled: true, parentRefs: [{gateway: public}]}",
            ["/serving/httpRoute/parentRefs/0", "'gateway' not allowed"],
        ),
        ("ingress: {path: translate}", ["/serving/ingress/path", "'translate'"]),
    ],
)
def test_an_entrance_that_leads_nowhere_is_refused(text, fragments):
    message = refusal({"serving": yaml.safe_load(text)})
    assert [f for f in fragments if f not in message] == [], message


def test_notes_say_that_policies_block_the_controller():
    blocked = {"serving": {"ingress": INGRESS}}
    assert "blocked: name\ntheir namespace in networkPolicies.clients" in notes(blocked)
    peer = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "ingress"}}}
    assert "their namespace" not in notes({**blocked, "networkPolicies": {"clients": [peer]}})
    assert "their namespace" not in notes({**blocked, "networkPolicies": {"enabled": False}})


def test_notes_say_that_an_ingress_has_no_certificate():
    assert "has no certificate" in notes({"serving": {"ingress": INGRESS}})
    assert "certificate" not in notes({"serving": {"ingress": {**INGRESS, "tlsSecret": "cert"}}})
