import json

import pytest

from k8s.api.cluster import RAY_CLUSTER, RAY_SERVICE
from tests.unit.k8s.conftest import install

READY = {"type": "Ready", "status": "True"}
NOT_READY = {"type": "Ready", "status": "False"}
APPLICATIONS = {
    "applicationStatuses": {
        "nmt": {"status": "RUNNING", "serveDeploymentStatuses": {"Endpoint": {"status": "HEALTHY"}}}
    }
}
SERVING = {
    "app.kubernetes.io/instance": "demo",
    "app.kubernetes.io/component": "serving",
    "ray.io/node-type": "worker",
}


@pytest.fixture
def endpoint(cluster):
    """An endpoint whose application runs."""
    status = {"conditions": [READY], "activeServiceStatus": APPLICATIONS}
    cluster.add(RAY_SERVICE, "demo", status=status)
    # Neither says whether requests are answered.
    head = {**SERVING, "ray.io/node-type": "head"}
    cluster.pod("demo-head", head, phase="Running", conditions=[READY])
    ended = cluster.pod("demo-ended", SERVING, phase="Running", conditions=[READY])
    ended["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"


def test_a_ready_endpoint_is_shown_with_its_pods_and_applications(
    nmt_k8s, cluster, endpoint, capsys
):
    cluster.pod("demo-first", SERVING, phase="Running", conditions=[READY])
    cluster.pod("demo-second", SERVING, phase="Running", conditions=[NOT_READY])
    assert nmt_k8s("status") == 0
    shown = capsys.readouterr().out
    expected = "demo-endpoint:8000 ready (1 of 2 Pods), application nmt RUNNING, Endpoint HEALTHY"
    assert expected in shown
    assert "no jobs" in shown


def test_an_endpoint_before_its_first_promotion_says_so(nmt_k8s, cluster, endpoint, capsys):
    cluster.pod("demo-first", SERVING, phase="Running", conditions=[NOT_READY])
    nmt_k8s("status")
    shown = capsys.readouterr().out
    assert "demo-endpoint:8000 not ready: no engine has been promoted" in shown
    assert "nmt-k8s traffic" in shown


def test_an_endpoint_that_starts_is_not_said_to_lack_an_engine(nmt_k8s, cluster, capsys):
    deploying = {"applicationStatuses": {"nmt": {"status": "DEPLOYING"}}}
    status = {"conditions": [READY], "activeServiceStatus": deploying}
    cluster.add(RAY_SERVICE, "demo", status=status)
    cluster.pod("demo-first", SERVING, phase="Running", conditions=[NOT_READY])
    nmt_k8s("status")
    expected = "not ready: none of its Pods is ready, application nmt DEPLOYING"
    assert expected in capsys.readouterr().out


def test_an_endpoint_without_pods_is_not_ready(nmt_k8s, endpoint, capsys):
    nmt_k8s("status")
    assert "demo-endpoint:8000 not ready: none of its Pods is ready" in capsys.readouterr().out


def test_an_endpoint_that_is_not_ready_is_shown_with_the_reason(nmt_k8s, cluster, capsys):
    condition = {"type": "Ready", "status": "False", "reason": "ZeroServeEndpoints"}
    cluster.add(RAY_SERVICE, "demo", status={"conditions": [condition]})
    nmt_k8s("status")
    assert "not ready: ZeroServeEndpoints" in capsys.readouterr().out


def test_a_release_without_an_endpoint_has_no_line_about_one(nmt_k8s, cluster, capsys):
    install(cluster, service="", endpoint="")
    nmt_k8s("status", "-o", "json")
    assert json.loads(capsys.readouterr().out)["endpoint"] == ""


def test_the_interactive_cluster_is_shown(nmt_k8s, cluster, capsys):
    install(cluster, cluster="demo-cluster")
    cluster.add(
        RAY_CLUSTER, "demo-cluster", status={"state": "ready", "availableWorkerReplicas": 2}
    )
    nmt_k8s("status")
    assert "demo-cluster ready, 2 worker Pods" in capsys.readouterr().out


def test_a_pod_with_a_problem_is_shown(nmt_k8s, cluster, capsys):
    condition = {"type": "PodScheduled", "reason": "Unschedulable", "message": "0/1 nodes"}
    labels = {"app.kubernetes.io/instance": "demo"}
    cluster.pod("demo-worker", labels, phase="Pending", conditions=[condition])
    nmt_k8s("status")
    assert "Pod demo-worker Pending: 0/1 nodes" in capsys.readouterr().out
