"""The operator: its Pods, its rights, what it may reach, and who owns the definition it needs."""

from pathlib import Path

import pytest

from tests.support.chart.network_policy import Peer, allowed
from tests.support.chart.rendering import (
    BUCKET,
    NAMESPACE,
    JsonObject,
    PodTemplate,
    kinds,
    pods,
    refusal,
    release_json,
    render,
    render_template,
)

ON: JsonObject = {"operator": {"enabled": True}}
IN_A_BUCKET: JsonObject = {**BUCKET, **ON}
MONITORED: JsonObject = {**ON, "monitoring": {"podMonitors": True}}
API_SERVER = Peer(address="10.0.0.1")
HERE = Peer(
    NAMESPACE,
    {
        "app.kubernetes.io/instance": "demo",
        "app.kubernetes.io/part-of": "nmt",
        "app.kubernetes.io/component": "operator",
    },
)


def deployment(values: JsonObject) -> JsonObject:
    (found,) = kinds(render(values), "Deployment").values()
    return found


def pod(values: JsonObject) -> PodTemplate:
    (found,) = [each for each in pods(render(values)) if each.component == "operator"]
    return found


def test_it_is_off_by_default() -> None:
    made = render()
    assert kinds(made, "Deployment") == {}
    assert "demo-operator" not in kinds(made, "ServiceAccount") | kinds(made, "Role")
    assert release_json(made)["operator"] == ""


def test_two_pods_run_the_operator_of_the_release_from_the_image_of_the_tools() -> None:
    found = deployment(ON)
    assert (found["metadata"]["name"], found["spec"]["replicas"]) == ("demo-operator", 2)
    container = pod(ON).containers[0]
    assert container["command"] == ["python", "-m", "k8s.operator"]
    assert container["args"] == ["--release", "demo", "--port", "8080"]
    assert container["image"].startswith("registry.example/nmt-tools:")


def test_a_deployment_selects_its_own_pods_alone() -> None:
    made = render(ON)
    selector = deployment(ON)["spec"]["selector"]["matchLabels"]
    selected = [
        each.component for each in pods(made) if selector.items() <= each.metadata["labels"].items()
    ]
    assert selected == ["operator"]


def test_it_sees_the_storage_as_the_pods_of_nmt_k8s_do() -> None:
    for values in (ON, IN_A_BUCKET):
        (other,) = [each for each in pods(render(values)) if each.where == "storage"]
        own, theirs = pod(values).containers[0], other.containers[0]
        for key in ("env", "envFrom", "volumeMounts"):
            assert own.get(key) == theirs.get(key), key


def test_its_size_and_number_are_those_of_the_values() -> None:
    operator = {"enabled": True, "replicas": 1, "cpuRequest": "20m", "memoryRequest": "64Mi"}
    found = deployment({"operator": operator})
    assert found["spec"]["replicas"] == 1
    requests = found["spec"]["template"]["spec"]["containers"][0]["resources"]["requests"]
    assert (requests["cpu"], requests["memory"]) == ("20m", "64Mi")


def test_its_pods_are_on_different_nodes_if_they_can_be() -> None:
    affinity = pod(ON).spec["affinity"]["podAntiAffinity"]
    (preferred,) = affinity["preferredDuringSchedulingIgnoredDuringExecution"]
    assert preferred["podAffinityTerm"]["topologyKey"] == "kubernetes.io/hostname"
    own = {"nodeAffinity": {}}
    assert pod({"operator": {"enabled": True, "affinity": own}}).spec["affinity"] == own


def test_its_pods_may_share_the_one_node_that_mounts_the_storage() -> None:
    values = {**ON, "storage": {"claim": {"accessMode": "ReadWriteOnce"}}}
    assert "affinity" not in pod(values).spec


def test_its_pods_have_the_changes_of_its_pod_template() -> None:
    template = {"spec": {"priorityClassName": "x"}}
    values: JsonObject = {"operator": {"enabled": True, "podTemplate": template}}
    assert "priorityClassName" in refusal(values)
    values["operator"]["podTemplate"] = {"metadata": {"annotations": {"note": "x"}}}
    assert pod(values).metadata["annotations"] == {"note": "x"}


@pytest.mark.parametrize(("replicas", "budgets"), [(1, 0), (2, 1)])
def test_a_drain_leaves_one_of_two_pods(replicas: int, budgets: int) -> None:
    made = kinds(
        render({"operator": {"enabled": True, "replicas": replicas}}), "PodDisruptionBudget"
    )
    found = [budget for name, budget in made.items() if name == "demo-operator"]
    assert [budget["spec"]["maxUnavailable"] for budget in found] == [1] * budgets


def test_its_role_is_the_least_that_it_needs() -> None:
    role = kinds(render(ON), "Role")["demo-operator"]
    found = {
        (rule["apiGroups"][0], resource, tuple(rule.get("resourceNames", ()))): set(rule["verbs"])
        for rule in role["rules"]
        for resource in rule["resources"]
    }
    read = {"get", "list", "watch"}
    assert found == {
        ("nmt.internal", "translationcampaigns", ()): read,
        ("nmt.internal", "translationcampaigns/status", ()): {"patch"},
        ("nmt.internal", "translationcampaigns/finalizers", ()): {"update"},
        ("ray.io", "rayjobs", ()): read | {"create", "delete"},
        ("", "configmaps", ("demo-release",)): {"get"},
        ("coordination.k8s.io", "leases", ()): {"create"},
        ("coordination.k8s.io", "leases", ("demo-operator",)): {"get", "update"},
        ("nmt", "releases", ("demo",)): {
            "submit"
        },  # by it the admission policies bind the operator
    }


def test_only_its_own_account_has_its_role() -> None:
    binding = kinds(render(ON), "RoleBinding")["demo-operator"]
    assert binding["roleRef"]["name"] == "demo-operator"
    assert binding["subjects"] == [
        {"kind": "ServiceAccount", "name": "demo-operator", "namespace": NAMESPACE}
    ]
    users = [
        each.where
        for each in pods(render(ON))
        if each.spec.get("serviceAccountName") == "demo-operator"
    ]
    assert users == ["Deployment demo-operator"]


def test_an_administrator_can_make_account_and_role() -> None:
    own = {"serviceAccounts": {"create": False}, "rbac": {"create": False}}
    made = render({**ON, **own})
    assert kinds(made, "ServiceAccount") == kinds(made, "Role") == {}
    assert pod({**ON, **own}).spec["serviceAccountName"] == "demo-operator"


def test_it_reaches_the_api_server_and_nothing_else() -> None:
    policies = list(kinds(render(ON), "NetworkPolicy").values())
    assert allowed(policies, HERE, API_SERVER, 443)
    assert allowed(policies, HERE, API_SERVER, 6443)
    assert not allowed(policies, HERE, API_SERVER, 80)
    assert not allowed(policies, HERE, Peer("shop", {"app": "shop"}), 443)
    assert not allowed(policies, Peer("shop", {"app": "shop"}), HERE, 8080)


def test_it_reaches_a_bucket() -> None:
    policies = list(kinds(render(IN_A_BUCKET), "NetworkPolicy").values())
    assert allowed(policies, HERE, Peer(address="52.0.0.1"), 443)


def test_prometheus_reads_its_metrics() -> None:
    policies = list(kinds(render(MONITORED), "NetworkPolicy").values())
    assert allowed(policies, Peer("monitoring", {"app": "prometheus"}), HERE, 8080)


def test_nmt_k8s_and_the_operator_learn_from_the_release_what_they_need() -> None:
    found = release_json(render({"operator": {"enabled": True, "maxActive": 7}}))
    assert (found["operator"], found["maxActive"]) == ("demo-operator", 7)


OWNER = """
{{- $annotations := dict "meta.helm.sh/release-name" %s "meta.helm.sh/release-namespace" %s }}
{{- $metadata := dict "annotations" $annotations }}
{{- $about := dict "root" $ "name" "tc" "metadata" $metadata }}
problem: {{ include "nmt.definitionOwner" $about | trim | quote }}
"""


def problem(folder: Path, release: str, namespace: str) -> str:
    return render_template(OWNER % (f'"{release}"', f'"{namespace}"'), ON, folder)


def test_a_release_upgrades_its_own_definition(tmp_path: Path) -> None:
    assert 'problem: ""' in problem(tmp_path, "demo", NAMESPACE)


@pytest.mark.parametrize(
    ("release", "namespace", "says"),
    [
        ("other", NAMESPACE, "belongs to release 'other' of namespace 'team'"),
        ("demo", "elsewhere", "belongs to release 'demo' of namespace 'elsewhere'"),
        ("", "", "was installed without a release"),
    ],
)
def test_a_second_release_is_told_to_leave_the_definition_to_its_owner(
    tmp_path: Path, release: str, namespace: str, says: str
) -> None:
    found = problem(tmp_path, release, namespace)
    assert says in found
    assert "crds.install=false" in found


def test_users_of_another_release_may_not_change_campaigns_of_this_one() -> None:
    policies = kinds(render(ON), "ValidatingAdmissionPolicy")
    (policy,) = [found for name, found in policies.items() if name.endswith("-campaigns")]
    (rule,) = policy["spec"]["matchConstraints"]["resourceRules"]
    assert rule["resources"] == ["translationcampaigns"]
    (validation,) = policy["spec"]["validations"]
    assert "check('submit')" in validation["expression"]


def test_without_policies_the_operator_has_no_mark_either() -> None:
    made = render({**ON, "rbac": {"admissionPolicy": False}})
    assert kinds(made, "ValidatingAdmissionPolicy") == {}
    groups = [rule["apiGroups"] for rule in kinds(made, "Role")["demo-operator"]["rules"]]
    assert ["nmt"] not in groups
