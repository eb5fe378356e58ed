import json

import pytest

from k8s.api.cluster import CLAIM, DEPLOYMENT, NODE, QUOTA, RAY_JOB, STORAGE_CLASS
from k8s.cli.main import main
from nmt.errors import ClusterError
from tests.support.k8s.fake_cluster import FakeCluster
from tests.unit.k8s.conftest import IMAGE, install

TOOLS_IMAGE = "registry.example/nmt-tools:1"
PULL_FAILS = {"waiting": {"reason": "ErrImagePull", "message": "x: not found"}}


def add_operator(
    cluster: FakeCluster, ready: int, label: str = "name", image: str = "kuberay/operator:v1.6.1"
) -> None:
    labels = {f"app.kubernetes.io/{label}": "kuberay-operator"}
    template = {"spec": {"containers": [{"image": image}]}}
    metadata = {"name": "kuberay-operator", "labels": labels}
    cluster.add(DEPLOYMENT, "kuberay-operator", metadata=metadata, spec={"template": template},
                status={"readyReplicas": ready})  # fmt: skip


def add_claim(cluster: FakeCluster, phase: str, mode: str) -> None:
    spec = {"accessModes": [mode], "storageClassName": "fast"}
    cluster.add(CLAIM, "demo-storage", spec=spec, status={"phase": phase})


def add_pod(cluster: FakeCluster, image: str, **state: object) -> None:
    """Add a Pod of the release, whose image is pulled by default."""
    name = f"demo-{len(cluster.objects)}"
    status = {"name": "main", "image": image, "imageID": f"{image}@sha256:1", **state}
    pod = cluster.pod(name, {"app.kubernetes.io/instance": "demo"}, containerStatuses=[status])
    pod["spec"]["containers"][0]["image"] = image


@pytest.fixture
def cluster(cluster) -> FakeCluster:
    """A cluster without problems."""
    add_operator(cluster, 1)
    add_claim(cluster, "Bound", "ReadWriteMany")
    cluster.add(NODE, "a", status={"allocatable": {"nvidia.com/gpu": "2"}})
    for image in (IMAGE, TOOLS_IMAGE):
        add_pod(cluster, image)
    return cluster


@pytest.fixture
def findings(nmt_k8s, capsys):
    """Run `doctor`; return its exit code, and name -> (state, text and remedy)."""

    def look() -> tuple[int, dict[str, tuple[str, str]]]:
        code = nmt_k8s("doctor", "-o", "json")
        found = json.loads(capsys.readouterr().out)
        return code, {entry["name"]: (entry["state"], entry["text"] + entry["remedy"])
                      for entry in found}  # fmt: skip

    return look


def test_a_healthy_cluster_has_only_ok_findings(findings):
    code, found = findings()
    assert code == 0
    assert {state for state, _ in found.values()} == {"ok"}
    assert found["devices"][1] == "nvidia.com/gpu: 2 on 1 of 1 nodes"


def test_each_finding_is_one_line_with_advice(nmt_k8s, cluster, capsys):
    add_claim(cluster, "Lost", "ReadWriteMany")
    nmt_k8s("doctor")
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("ok   api") for line in lines)
    assert any(line.startswith("bad  storage") and "  -> set storage" in line for line in lines)


def test_a_missing_kuberay_is_bad(findings, cluster):
    cluster.unknown = {"RayJob", "RayCluster", "RayService"}
    code, found = findings()
    assert code == 3
    assert found["kuberay"][0] == "bad"
    assert "helm install kuberay-operator" in found["kuberay"][1]


def test_a_missing_crd_of_kuberay_is_bad_and_named(findings, cluster):
    cluster.unknown = {"RayService"}
    code, found = findings()
    assert (code, found["kuberay"][0]) == (3, "bad")
    assert "rayservices.ray.io are missing" in found["kuberay"][1]


def test_an_operator_that_is_not_ready_is_bad(findings, cluster):
    add_operator(cluster, 0)
    assert findings()[1]["kuberay"][0] == "bad"


@pytest.mark.parametrize("label", ["name", "component"])
def test_the_version_of_the_operator_comes_from_its_image(findings, cluster, label):
    add_operator(cluster, 1, label)
    assert findings()[1]["kuberay"] == ("ok", "operator kuberay/operator:v1.6.1")


@pytest.mark.parametrize(
    ("image", "state"),
    [
        ("kuberay/operator:v1.5.1", "note"),
        ("mirror.example:5000/kuberay/operator:1.4.0-rc.0", "note"),
        ("mirror.example:5000/kuberay/operator:v1.10.0", "ok"),
        ("mirror.example:5000/kuberay/operator:v2.0", "ok"),
        ("kuberay/operator:nightly", "ok"),
    ],
)
def test_an_operator_older_than_the_oldest_tested_version_is_a_note(
    findings, cluster, image, state
):
    add_operator(cluster, 1, image=image)
    code, found = findings()
    assert (code, found["kuberay"][0]) == (0, state)


def test_missing_rights_are_bad_and_named(findings, cluster):
    cluster.denied = {("create", "rayjobs"), ("get", "pods")}
    code, found = findings()
    assert code == 3
    assert "create rayjobs.ray.io, get pods, get pods/log" in found["rights"][1]


def test_a_missing_release_is_bad(findings, cluster):
    del cluster.objects["ConfigMap", "demo-release"]
    assert findings()[1]["release"][0] == "bad"


def test_another_version_of_the_chart_is_a_note(findings, cluster):
    install(cluster, chartVersion="9.9.9")
    code, found = findings()
    assert (code, found["release"][0]) == (0, "note")


def test_a_claim_without_a_volume_is_bad_and_the_classes_are_named(findings, cluster):
    add_claim(cluster, "Pending", "ReadWriteMany")
    cluster.warn(CLAIM, "demo-storage", "no such zone", reason="ProvisioningFailed")
    cluster.add(STORAGE_CLASS, "nfs")
    state, text = findings()[1]["storage"]
    assert state == "bad"
    assert "no such zone" in text
    assert "one of nfs" in text


def test_a_claim_that_waits_for_its_first_pod_is_a_note(findings, cluster):
    add_claim(cluster, "Pending", "ReadWriteMany")
    code, found = findings()
    assert (code, found["storage"][0]) == (0, "note")
    assert "no volume yet" in found["storage"][1]


def test_a_claim_that_only_one_node_can_mount_is_a_note(findings, cluster):
    add_claim(cluster, "Bound", "ReadWriteOnce")
    assert findings()[1]["storage"][0] == "note"


def test_a_missing_claim_is_bad(findings, cluster):
    cluster.delete(CLAIM, "demo-storage")
    assert findings()[1]["storage"][0] == "bad"


def test_pods_with_problems_are_bad(findings, cluster):
    add_pod(cluster, "registry.example/x:1", state=PULL_FAILS)
    state, text = findings()[1]["pods"]
    assert state == "bad"
    assert "registry.example/x:1" in text


def test_an_image_that_no_pod_has_used_is_a_note(findings, cluster):
    install(cluster, images={"ray": "registry.example/new:2", "tools": TOOLS_IMAGE})
    code, found = findings()
    assert (code, found["image"][0]) == (0, "note")
    assert "registry.example/new:2 not used yet" in found["image"][1]
    assert found["toolsImage"][0] == "ok"


def test_an_image_that_a_pod_is_pulling_is_a_note(findings, cluster):
    install(cluster, images={"ray": "registry.example/new:2", "tools": TOOLS_IMAGE})
    add_pod(cluster, "registry.example/new:2", imageID="", state=PULL_FAILS)
    state, text = findings()[1]["image"]
    assert state == "note"
    assert "not pulled yet" in text


def test_devices_that_no_node_has_are_a_note(findings, cluster):
    cluster.add(NODE, "a", status={"allocatable": {"cpu": "2"}})
    assert findings()[1]["devices"][0] == "note"


def test_devices_are_counted_from_any_form_of_quantity(findings, cluster):
    cluster.add(NODE, "a", status={"allocatable": {"nvidia.com/gpu": "1k"}})
    assert findings()[1]["devices"] == ("ok", "nvidia.com/gpu: 1000 on 1 of 1 nodes")


@pytest.mark.parametrize(("hard", "used"), [("1Pi", "1024Ti"), ("2E", "2000P"), ("1k", "1e3")])
def test_a_quota_is_read_from_any_form_of_quantity(findings, cluster, hard, used):
    status = {"hard": {"requests.storage": hard}, "used": {"requests.storage": used}}
    cluster.add(QUOTA, "team", status=status)
    assert findings()[1]["quota"][0] == "note"


def test_a_used_up_quota_is_a_note(findings, cluster):
    status = {"hard": {"pods": "4", "requests.memory": "2Gi"},
              "used": {"pods": "2", "requests.memory": "2048Mi"}}  # fmt: skip
    cluster.add(QUOTA, "team", status=status)
    state, text = findings()[1]["quota"]
    assert state == "note"
    assert "requests.memory 2048Mi of 2Gi" in text
    assert "pods" not in text


def test_a_check_that_the_user_may_not_read_is_a_note(nmt_k8s, cluster, capsys):
    cluster.denied = {("list", "nodes"), ("list", "deployments")}
    assert nmt_k8s("doctor") == 0
    shown = capsys.readouterr().out
    assert "note devices       cannot be read: you may not list nodes" in shown
    assert "ok   kuberay       installed; you may not read its version" in shown


def test_a_missing_kubeconfig_is_bad_and_ends_the_checks(capsys):
    def refuse(context, namespace):
        raise ClusterError("no usable kubeconfig")

    assert main(["doctor"], connect=refuse) == 3
    assert capsys.readouterr().out.startswith("bad  api           no usable kubeconfig")


def test_the_submitter_pod_that_an_ended_job_has_left_is_not_a_problem(findings, cluster):
    labels = {
        "app.kubernetes.io/instance": "demo",
        "app.kubernetes.io/component": "job",
        "batch.kubernetes.io/job-name": "late",
    }
    waits = {"waiting": {"reason": "CreateContainerConfigError", "message": "secret not found"}}
    state = {"name": "main", "image": IMAGE, "imageID": "x", "state": waits}
    cluster.pod("late-x", labels, phase="Pending", containerStatuses=[state])
    cluster.add(RAY_JOB, "late", metadata={"name": "late", "labels": labels}, spec={}, status={})
    assert findings()[1]["pods"][0] == "bad"
    cluster.set_status("late", jobDeploymentStatus="Failed", reason="DeadlineExceeded")
    assert findings()[1]["pods"][0] == "ok"
