"""What Helm says after an installation."""

import pytest

from tests.support.chart.rendering import BUCKET, JsonObject, notes


def blocked(values: JsonObject) -> list[str]:
    """Return the addresses that the notes call blocked, with their keys."""
    text = notes(values)
    if "block these addresses" not in text:
        return []
    listed = text.partition("block these addresses:\n")[2].partition("\nAllow each")[0]
    return [line.strip() for line in listed.splitlines()]


def tracking(uri: str, **policies: object) -> JsonObject:
    return {"config": {"tracking": {"mlflow_uri": uri}}, "networkPolicies": policies}


BLOCKED = {
    "http://mlflow.example.com:5000/x": "mlflow.example.com, port 5000",
    "http://mlflow.example.com": "mlflow.example.com, port 80",
    "https://10.1.2.3": "10.1.2.3, port 443",
    "https://172.31.0.9/mlflow": "172.31.0.9, port 443",
    "https://[fd00::5]:443": "fd00::5, port 443",
    "https://mlflow": "mlflow, port 443",
    "https://mlflow.tools.svc.cluster.local": "mlflow.tools.svc.cluster.local, port 443",
}
REACHED = [
    "https://mlflow.example.com",
    "https://172.32.0.9",
    "https://[2001:db8::5]/x",
    "http://localhost:5000",
    "sqlite:////storage/mlflow.db",
    "/storage/mlruns",
]


@pytest.mark.parametrize(("uri", "named"), BLOCKED.items())
def test_a_tracking_server_that_the_policies_block_is_named(uri, named):
    assert blocked(tracking(uri)) == [f"config.tracking.mlflow_uri: {named}"]


@pytest.mark.parametrize("uri", REACHED)
def test_an_address_that_jobs_reach_is_not_named(uri):
    assert blocked(tracking(uri)) == []


def test_an_address_is_not_named_once_its_port_is_allowed():
    rule = {"components": ["job"], "to": [{"ipBlock": {"cidr": "10.1.2.3/32"}}], "ports": [5000]}
    assert blocked(tracking("http://10.1.2.3:5000", extraEgress=[rule])) == []
    assert blocked(tracking("http://mlflow.example.com:80", outsidePorts=[80, 443])) == []
    assert blocked(tracking("https://10.1.2.3", outsideExcept=[])) == []
    assert blocked(tracking("http://10.1.2.3:5000", enabled=False)) == []


def test_nothing_outside_is_reached_without_outside():
    assert len(blocked(tracking("https://mlflow.example.com", outside=False))) == 1


def test_proxies_and_bucket_servers_of_the_environment_are_named_without_their_passwords():
    env = {
        "https_proxy": "http://me:secret@proxy.example.com:3128",
        "AWS_ENDPOINT_URL": "http://minio.minio.svc:9000",
        "NO_PROXY": "10.0.0.0/8",
        "HF_ENDPOINT": "https://hub.example.com",
    }
    assert blocked({**BUCKET, "env": env}) == [
        "env.AWS_ENDPOINT_URL: minio.minio.svc, port 9000",
        "env.https_proxy: proxy.example.com, port 3128",
    ]
    assert "secret" not in notes({**BUCKET, "env": env})


def test_the_server_in_the_address_of_a_bucket_is_named():
    url = "s3://bucket/nmt?scheme=http&endpoint_override=10.0.0.9:9000"
    values = {"storage": {"type": "object", "object": {"url": url}}}
    assert blocked(values) == ["storage.object.url: 10.0.0.9, port 9000"]


def test_the_notes_say_who_may_call_the_endpoint_and_how_to_add_others():
    assert "Only Pods of namespace team may call it" in notes()
    assert "networkPolicies.clients" in notes()
    for policies in ({"enabled": False}, {"clients": [{"namespaceSelector": {}}]}):
        assert "Only Pods of namespace" not in notes({"networkPolicies": policies})


def test_the_notes_warn_of_several_pods_with_a_single_replica():
    values = {"serving": {"pods": {"min": 2}}, "config": {"serving": {"min_replicas": 1}}}
    assert "one Pod alone holds a replica" in notes(values)
    assert "config.serving.min_replicas to at least 2" in notes(values)
    values["config"]["serving"]["min_replicas"] = 2
    assert "one Pod alone" not in notes(values)
