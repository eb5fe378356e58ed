import json

from k8s.api.cluster import RAY_CLUSTER, RAY_SERVICE
from tests.unit.k8s.conftest import install

READY = {"type": "Ready", "status": "True"}
APPLICATIONS = {
    "applicationStatuses": {
        "nmt": {"status": "RUNNING", "serveDeploymentStatuses": {"Gateway": {"status": "HEALTHY"}}}
    }
}


def test_a_ready_endpoint_is_shown_with_its_applications(nmt_k8s, cluster, capsys):
    status = {"conditions": [READY], "activeServiceStatus": APPLICATIONS}
    cluster.add(RAY_SERVICE, "demo", status=status)
    assert nmt_k8s("status") == 0
    shown = capsys.readouterr().out
    assert "demo-endpoint:8000 ready, application nmt RUNNING, Gateway HEALTHY" in shown
    assert "no jobs" in shown


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
