import json
from datetime import UTC, datetime

import pytest

from k8s.api.cluster import RAY_CLUSTER, RAY_SERVICE, JsonObject
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


@pytest.fixture
def doctor(nmt_k8s, capsys):
    """Run `doctor`; return name -> (state, text)."""

    def look() -> dict[str, tuple[str, str]]:
        nmt_k8s("doctor", "--quick", "-o", "json")
        found = json.loads(capsys.readouterr().out)
        return {entry["name"]: (entry["state"], entry["text"]) for entry in found}

    return look


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


def begin_upgrade(cluster, seconds: int) -> None:
    """Let KubeRay report an upgrade that began some seconds ago."""
    begun = datetime.fromtimestamp(1_000_000 - seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    condition = {"type": "UpgradeInProgress", "status": "True", "lastTransitionTime": begun}
    status = {
        "conditions": [READY, condition],
        "activeServiceStatus": {"rayClusterName": "demo-old", **APPLICATIONS},
        "pendingServiceStatus": {"rayClusterName": "demo-new"},
    }
    cluster.add(RAY_SERVICE, "demo", status=status)
    cluster.pod("demo-old-worker", SERVING, phase="Running", conditions=[READY])


def add_pending_pod(cluster, reason: str) -> JsonObject:
    labels = {**SERVING, "ray.io/cluster": "demo-new", "ray.io/node-type": "head"}
    waiting = {"waiting": {"reason": reason, "message": "x: not found"}}
    state = {"name": "main", "image": "registry.example/nmt-ray:9", "state": waiting}
    pod = cluster.pod("demo-new-head", labels, phase="Pending", containerStatuses=[state])
    pod["metadata"]["creationTimestamp"] = "1970-01-01T00:00:00Z"
    return pod


def test_an_upgrade_that_takes_its_time_is_not_called_stuck(nmt_k8s, cluster, capsys):
    begin_upgrade(cluster, 40)
    nmt_k8s("status")
    shown = capsys.readouterr().out
    assert "upgrade  in progress for 40 s, demo-old stays: demo-new is not ready" in shown
    assert "demo-endpoint:8000 ready (1 of 1 Pods)" in shown


def test_a_stuck_upgrade_is_shown_with_the_pod_that_keeps_it_and_its_time(nmt_k8s, cluster, capsys):
    begin_upgrade(cluster, 130)
    add_pending_pod(cluster, "ImagePullBackOff")
    nmt_k8s("status")
    shown = capsys.readouterr().out
    assert "upgrade  stuck for 2 min, demo-old stays: Pod demo-new-head" in shown
    assert "registry.example/nmt-ray:9 cannot be pulled" in shown
    assert "`helm rollback` takes the change back" in shown


def test_an_upgrade_without_a_known_problem_is_stuck_after_a_quarter_of_an_hour(
    nmt_k8s, cluster, capsys
):
    begin_upgrade(cluster, 901)
    nmt_k8s("status", "-o", "json")
    found = json.loads(capsys.readouterr().out)
    assert found["upgrade_is_stuck"]
    assert "stuck for 15 min" in found["upgrade"]
    assert "ray.io/cluster=demo-new" in found["upgrade"]


def test_a_change_during_an_upgrade_is_counted_from_its_own_pods(nmt_k8s, cluster, capsys):
    begin_upgrade(cluster, 2000)
    pod = add_pending_pod(cluster, "PodInitializing")
    pod["metadata"]["creationTimestamp"] = "1970-01-12T13:46:10Z"
    nmt_k8s("status")
    assert "upgrade  in progress for 30 s" in capsys.readouterr().out


def test_an_application_that_cannot_be_deployed_keeps_an_upgrade(nmt_k8s, cluster, capsys):
    begin_upgrade(cluster, 130)
    failed = {"nmt": {"status": "DEPLOY_FAILED", "message": "no module ray_jobs"}}
    pending = cluster.objects["RayService", "demo"]["status"]["pendingServiceStatus"]
    pending["applicationStatuses"] = failed
    nmt_k8s("status")
    shown = capsys.readouterr().out
    assert "demo-old stays: application nmt DEPLOY_FAILED: no module ray_jobs" in shown


def test_a_first_start_is_shown_with_what_it_waits_for(nmt_k8s, cluster, capsys):
    initializing = {**NOT_READY, "message": "RayService is initializing"}
    status = {"conditions": [initializing], "pendingServiceStatus": {"rayClusterName": "demo-new"}}
    metadata = {"creationTimestamp": "1970-01-12T13:46:10Z"}
    cluster.add(RAY_SERVICE, "demo", metadata=metadata, status=status)
    nmt_k8s("status")
    shown = capsys.readouterr().out
    assert "demo-endpoint:8000 not ready: starting for 30 s: demo-new is not ready" in shown
    assert "upgrade" not in shown


def test_doctor_is_ok_for_an_endpoint_that_answers(doctor, cluster, endpoint):
    cluster.pod("demo-first", SERVING, phase="Running", conditions=[READY])
    assert doctor()["endpoint"] == ("ok", "ready (1 of 1 Pods)")


def test_doctor_notes_an_endpoint_without_an_engine(doctor, cluster, endpoint):
    cluster.pod("demo-first", SERVING, phase="Running", conditions=[NOT_READY])
    state, text = doctor()["endpoint"]
    assert (state, "promote" in text) == ("note", True)


def test_doctor_finds_an_endpoint_bad_whose_pods_are_gone(doctor, endpoint):
    assert doctor()["endpoint"] == ("bad", "not ready: none of its Pods is ready")


def test_doctor_finds_a_missing_rayservice_bad(doctor):
    assert doctor()["endpoint"] == ("bad", "there is no RayService demo")


@pytest.mark.parametrize(("seconds", "state"), [(40, "note"), (1000, "bad")])
def test_doctor_notes_an_upgrade_and_finds_a_stuck_one_bad(doctor, cluster, seconds, state):
    begin_upgrade(cluster, seconds)
    found = doctor()
    assert found["upgrade"][0] == state
    assert found["endpoint"][0] == "ok"


@pytest.mark.parametrize(
    ("wanted", "variable", "state"),
    [
        ("embedded", "RAY_gcs_storage", "ok"),
        ("redis", "RAY_REDIS_ADDRESS", "ok"),
        ("none", "PATH", "note"),
        ("embedded", "PATH", "note"),
    ],
)
def test_doctor_says_where_the_head_keeps_its_state(
    doctor, cluster, endpoint, wanted, variable, state
):
    install(cluster, headState=wanted)
    head = cluster.objects["Pod", "demo-head"]
    head["spec"]["containers"][0]["env"] = [{"name": variable, "value": "x"}]
    found = doctor()["headState"]
    assert found[0] == state
    assert wanted == "none" or "demo-head" in found[1]


def test_doctor_says_nothing_of_the_state_in_a_release_of_an_older_chart(doctor, endpoint):
    assert "headState" not in doctor()
