import json

import pytest

from k8s.api.cluster import (
    ADMISSION_POLICY,
    BATCH_JOB,
    CLAIM,
    DEPLOYMENT,
    NODE,
    POD,
    QUOTA,
    RAY_JOB,
    STORAGE_CLASS,
    JsonObject,
)
from k8s.cli.main import main
from nmt.errors import ClusterError
from tests.support.k8s.fake_cluster import FakeCluster
from tests.support.k8s.release_fields import IMAGE
from tests.unit.k8s.conftest import install

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


def add_pod(cluster: FakeCluster, image: str, **state: object) -> str:
    """Add a Pod of the release, whose image is pulled by default, and return its name."""
    name = f"demo-{len(cluster.objects)}"
    status = {"name": "main", "image": image, "imageID": f"{image}@sha256:1", **state}
    pod = cluster.pod(name, {"app.kubernetes.io/instance": "demo"}, containerStatuses=[status])
    pod["spec"]["containers"][0]["image"] = image
    return name


def refuse_other_accounts(body: JsonObject) -> None:
    """Refuse what the policy of a release refuses."""
    spec = body["spec"]["template"]["spec"]
    if spec.get("serviceAccountName", "demo-storage") != "demo-storage":
        raise ClusterError("a policy of the cluster refuses to create jobs.batch: its account")


@pytest.fixture(autouse=True)
def storage(storage_pod):
    """Let the Pod that looks at the storage answer."""
    found = [
        {"name": "storage", "state": "ok", "text": "/storage can be written", "remedy": ""},
        {"name": "disk", "state": "ok", "text": "90 GiB of 100 GiB free", "remedy": ""},
    ]
    storage_pod(0, *json.dumps(found, indent=2).splitlines())


@pytest.fixture
def cluster(cluster) -> FakeCluster:
    """A cluster without problems."""
    install(cluster, service="", admissionPolicy="team-demo-policy")
    cluster.admit = refuse_other_accounts
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
    install(cluster, service="", chartVersion="9.9.9")
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
    install(cluster, service="", images={"ray": "registry.example/new:2", "tools": TOOLS_IMAGE})
    code, found = findings()
    assert (code, found["image"][0]) == (0, "note")
    assert "no Pod has used registry.example/new:2 lately" in found["image"][1]
    assert found["toolsImage"][0] == "ok"


def test_an_image_that_a_pod_is_pulling_is_a_note_that_says_so(findings, cluster):
    image = "registry.example/new:2"
    install(cluster, service="", images={"ray": image, "tools": TOOLS_IMAGE})
    creating = {"waiting": {"reason": "ContainerCreating"}}
    pod = add_pod(cluster, image, imageID="", state=creating)
    cluster.event(POD, pod, f'Pulling image "{image}"', "Pulling", "Normal")
    assert findings()[1]["image"] == ("note", f"{image} is being pulled by {pod}wait")


def test_an_image_whose_pod_waits_for_something_else_is_not_said_to_be_pulled(findings, cluster):
    image = "registry.example/new:2"
    install(cluster, service="", images={"ray": image, "tools": TOOLS_IMAGE})
    add_pod(cluster, image, imageID="", state={"waiting": {"reason": "ContainerCreating"}})
    assert findings()[1]["image"] == ("note", f"{image} is not pulled yetsee `pods` below")


def test_an_image_that_cannot_be_pulled_points_to_the_pods(findings, cluster):
    image = "registry.example/new:2"
    install(cluster, service="", images={"ray": image, "tools": TOOLS_IMAGE})
    pod = add_pod(cluster, image, imageID="", state=PULL_FAILS)
    cluster.event(POD, pod, f'Pulling image "{image}"', "Pulling", "Normal")
    # The containers after it wait, as they do while all goes well.
    later = {"name": "later", "image": image, "state": {"waiting": {"reason": "PodInitializing"}}}
    found = cluster.objects["Pod", pod]
    found["spec"]["containers"].append(later)
    found["status"]["containerStatuses"].append(later)
    state, text = findings()[1]["image"]
    assert state == "note"
    assert "not pulled yet" in text


def test_an_image_is_known_to_be_pulled_after_its_pod_is_gone(findings, cluster):
    image = "registry.example/tools:2"
    install(cluster, service="", images={"ray": IMAGE, "tools": image})
    message = f'Successfully pulled image "{image}" in 2s (2s including waiting)'
    cluster.event(POD, "demo-storage-x", message, "Pulled", "Normal")
    assert findings()[1]["toolsImage"] == ("ok", f"{image} was pulled")


def test_an_image_that_a_job_has_run_is_known_to_be_pulled(findings, cluster):
    image = "registry.example/new:2"
    install(cluster, service="", images={"ray": image, "tools": TOOLS_IMAGE})
    head = {"template": {"spec": {"containers": [{"name": "ray-head", "image": image}]}}}
    labels = {"app.kubernetes.io/instance": "demo", "app.kubernetes.io/component": "job"}
    metadata = {"name": "demo-train", "labels": labels}
    spec = {"rayClusterSpec": {"headGroupSpec": head}}
    cluster.add(RAY_JOB, "demo-train", metadata=metadata, spec=spec,
                status={"jobStatus": "SUCCEEDED"})  # fmt: skip
    assert findings()[1]["image"] == ("ok", f"{image} was pulled")


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


def test_free_space_comes_from_a_pod_that_is_deleted(findings, cluster):
    assert findings()[1]["disk"] == ("ok", "90 GiB of 100 GiB free")
    assert cluster.names(BATCH_JOB) == []


def test_a_quick_look_starts_no_pod(nmt_k8s, cluster, capsys):
    cluster.on_create["Job"] = lambda made: pytest.fail("a Job was created")
    assert nmt_k8s("doctor", "--quick") == 0
    assert "disk" not in capsys.readouterr().out


def test_a_pod_that_cannot_look_at_the_storage_is_a_note_with_the_reason(findings, cluster):
    cluster.on_create.clear()
    code, found = findings()
    assert (code, found["disk"][0]) == (0, "note")
    assert "no Pod has started within 30 s" in found["disk"][1]
    assert cluster.names(BATCH_JOB) == []


def test_storage_that_cannot_be_written_is_bad(findings, storage_pod):
    bad = {"name": "storage", "state": "bad", "text": "read-only", "remedy": "x"}
    storage_pod(3, json.dumps([bad]))
    code, found = findings()
    assert (code, found["storageRoot"]) == (3, ("bad", "read-onlyx"))


def test_a_tools_image_that_cannot_look_at_the_storage_is_a_note(findings, storage_pod):
    older = {"name": "api", "state": "bad", "text": "no kubeconfig", "remedy": ""}
    storage_pod(3, json.dumps([older]))
    state, text = findings()[1]["disk"]
    assert (state, "toolsImage" in text) == ("note", True)


def test_a_policy_that_refuses_other_accounts_is_ok(findings):
    assert findings()[1]["policy"] == ("ok", "a Job with the rights of another account is refused")


def test_a_release_whose_users_are_bound_by_no_policy_gets_a_note(findings, cluster):
    install(cluster, service="", admissionPolicy="")
    cluster.admit = None
    code, found = findings()
    assert (code, found["policy"][0]) == (0, "note")
    assert "every Secret of the namespace" in found["policy"][1]


@pytest.mark.parametrize(
    ("there", "denied", "state", "said"),
    [
        (True, False, "ok", "exists; it does not bind you"),
        (False, False, "bad", "does not exist"),
        (False, True, "note", "does not bind you, who may create Pods"),
    ],
)
def test_a_policy_that_lets_an_administrator_pass_is_looked_up(
    findings, cluster, there, denied, state, said
):
    cluster.admit = None
    if there:
        cluster.add(ADMISSION_POLICY, "team-demo-policy")
    if denied:
        cluster.denied = {("get", ADMISSION_POLICY.plural)}
    found = findings()[1]["policy"]
    assert found[0] == state
    assert said in found[1]


def test_a_check_of_the_policy_creates_nothing(nmt_k8s, cluster):
    cluster.admit = None
    nmt_k8s("doctor", "--quick")
    assert cluster.names(BATCH_JOB) == []
