import json

import pytest

from k8s.cli import main
from k8s.cluster import CLAIM, DEPLOYMENT, NODE, QUOTA, STORAGE_CLASS
from nmt.errors import ClusterError
from tests.unit.k8s.conftest import install
from tests.unit.k8s.fake_cluster import FakeCluster


def add_operator(cluster: FakeCluster, ready: int, label: str = "name") -> None:
    labels = {f"app.kubernetes.io/{label}": "kuberay-operator"}
    template = {"spec": {"containers": [{"image": "kuberay/operator:v1.6.1"}]}}
    metadata = {"name": "kuberay-operator", "labels": labels}
    cluster.add(DEPLOYMENT, "kuberay-operator", metadata=metadata, spec={"template": template},
                status={"readyReplicas": ready})  # fmt: skip


def add_claim(cluster: FakeCluster, phase: str, mode: str) -> None:
    spec = {"accessModes": [mode], "storageClassName": "fast"}
    cluster.add(CLAIM, "demo-storage", spec=spec, status={"phase": phase})


@pytest.fixture
def cluster(cluster) -> FakeCluster:
    """All is well."""
    add_operator(cluster, 1)
    add_claim(cluster, "Bound", "ReadWriteMany")
    cluster.add(NODE, "a", status={"allocatable": {"nvidia.com/gpu": "2"}})
    return cluster


@pytest.fixture
def findings(nmt_k8s, capsys):
    """Exit code, and name -> (state, text and remedy)."""

    def look() -> tuple[int, dict[str, tuple[str, str]]]:
        code = nmt_k8s("doctor", "-o", "json")
        found = json.loads(capsys.readouterr().out)
        return code, {entry["name"]: (entry["state"], entry["text"] + entry["remedy"])
                      for entry in found}  # fmt: skip

    return look


def test_a_cluster_where_all_is_well_has_only_good_lines(findings):
    code, found = findings()
    assert code == 0
    assert {state for state, _ in found.values()} == {"ok"}
    assert found["devices"][1] == "nvidia.com/gpu: 2 on 1 of 1 nodes"


def test_each_finding_is_one_line_with_what_to_do(nmt_k8s, cluster, capsys):
    add_claim(cluster, "Pending", "ReadWriteMany")
    nmt_k8s("doctor")
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("ok   api") for line in lines)
    assert any(line.startswith("bad  storage") and "  -> set storage" in line for line in lines)


def test_missing_kuberay_is_bad(findings, cluster):
    cluster.known = False
    code, found = findings()
    assert code == 3
    assert found["kuberay"][0] == "bad"
    assert "helm install kuberay-operator" in found["kuberay"][1]


def test_an_operator_that_is_not_ready_is_bad(findings, cluster):
    add_operator(cluster, 0)
    assert findings()[1]["kuberay"][0] == "bad"


@pytest.mark.parametrize("label", ["name", "component"])
def test_the_operators_version_is_its_images(findings, cluster, label):
    add_operator(cluster, 1, label)
    assert findings()[1]["kuberay"] == ("ok", "operator kuberay/operator:v1.6.1")


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
    cluster.add(STORAGE_CLASS, "nfs")
    state, text = findings()[1]["storage"]
    assert state == "bad"
    assert "one of nfs" in text


def test_a_claim_of_one_node_is_a_note(findings, cluster):
    add_claim(cluster, "Bound", "ReadWriteOnce")
    assert findings()[1]["storage"][0] == "note"


def test_a_claim_that_is_missing_is_bad(findings, cluster):
    cluster.delete(CLAIM, "demo-storage")
    assert findings()[1]["storage"][0] == "bad"


def test_pods_in_trouble_are_bad(findings, cluster):
    waiting = {"waiting": {"reason": "ErrImagePull", "message": "x: not found"}}
    container = {"name": "main", "image": "registry.example/x:1", "state": waiting}
    labels = {"app.kubernetes.io/instance": "demo"}
    cluster.pod("demo-head", labels, phase="Pending", containerStatuses=[container])
    state, text = findings()[1]["pods"]
    assert state == "bad"
    assert "registry.example/x:1" in text


def test_devices_that_no_node_has_are_a_note(findings, cluster):
    cluster.add(NODE, "a", status={"allocatable": {"cpu": "2"}})
    assert findings()[1]["devices"][0] == "note"


def test_a_used_up_quota_is_a_note(findings, cluster):
    status = {"hard": {"pods": "4", "requests.memory": "2Gi"},
              "used": {"pods": "2", "requests.memory": "2048Mi"}}  # fmt: skip
    cluster.add(QUOTA, "team", status=status)
    state, text = findings()[1]["quota"]
    assert state == "note"
    assert "requests.memory 2048Mi of 2Gi" in text
    assert "pods" not in text


class Forbidding(FakeCluster):
    """Nodes and deployments are not for everybody's eyes."""

    def select(self, kind, selector="", *, everywhere=False):
        if kind.name in ("Node", "Deployment"):
            raise ClusterError(f"you may not list {kind.resource}")
        return super().select(kind, selector, everywhere=everywhere)


def test_what_may_not_be_looked_at_is_a_note(clock, capsys):
    cluster = Forbidding()
    install(cluster)
    add_claim(cluster, "Bound", "ReadWriteMany")
    assert main(["doctor"], connect=lambda context, namespace: cluster) == 0
    shown = capsys.readouterr().out
    assert "note devices       cannot be looked at: you may not list nodes" in shown
    assert "ok   kuberay       installed; its version is not yours to see" in shown


def test_no_kubeconfig_is_bad_and_ends_the_list(capsys):
    def refuse(context, namespace):
        raise ClusterError("no usable kubeconfig")

    assert main(["doctor"], connect=refuse) == 3
    assert capsys.readouterr().out.startswith("bad  api           no usable kubeconfig")
