"""The rights of the Pods of a release: Pod Security "restricted", and stricter."""

import re

import pytest

from tests.support.chart.rendering import (
    BUCKET,
    EVERYTHING,
    RELEASES,
    JsonObject,
    cluster_specs,
    kinds,
    pods,
    render,
)

CONTAINER_SECURITY = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}
SECRET_NAME = re.compile(r"TOKEN|SECRET|PASSWORD|ACCESS_KEY", re.IGNORECASE)
QUANTITY = re.compile(r"[0-9.]+(Ki|Mi|Gi|Ti|M|G|T)")


def test_every_pod_passes_pod_security_restricted(release):
    for pod in pods(release):
        security = pod.spec["securityContext"]
        assert security["runAsNonRoot"] is True, pod.where
        assert security["seccompProfile"] == {"type": "RuntimeDefault"}, pod.where
        for container in pod.containers:
            assert container["securityContext"] == CONTAINER_SECURITY, pod.where


IDS = ("runAsUser", "runAsGroup", "fsGroup")


def test_every_pod_has_the_user_and_the_groups_of_the_images():
    for pod in pods(render(EVERYTHING)):
        security = pod.spec["securityContext"]
        assert [security[key] for key in IDS] == [1000, 1000, 1000], pod.where
        assert security["fsGroupChangePolicy"] == "OnRootMismatch", pod.where


@pytest.mark.parametrize("left_out", IDS)
def test_each_id_can_be_left_to_the_cluster(left_out):
    values = {**EVERYTHING, "podSecurity": {left_out: None}}
    for pod in pods(render(values)):
        assert set(IDS) - set(pod.spec["securityContext"]) == {left_out}, pod.where


def test_openshift_chooses_the_user_and_the_groups_of_every_pod():
    for pod in pods(render({**RELEASES["openshift"], "cluster": {"enabled": True}})):
        assert not set(IDS) & set(pod.spec["securityContext"]), pod.where
        assert all(not set(IDS) & set(c["securityContext"]) for c in pod.containers), pod.where


def test_every_pod_has_the_ids_and_selinux_options_of_the_values():
    options = {"level": "s0:c123,c456"}
    own = {"runAsUser": 1_000_650_000, "runAsGroup": 0, "fsGroup": 0, "seLinuxOptions": options}
    for pod in pods(render({**EVERYTHING, "podSecurity": own})):
        security = pod.spec["securityContext"]
        assert {key: security[key] for key in own} == own, pod.where


def test_no_pod_uses_host_resources(release):
    for pod in pods(release):
        assert not {"hostNetwork", "hostPID", "hostIPC"} & set(pod.spec), pod.where
        for container in pod.containers:
            assert not any("hostPort" in port for port in container.get("ports", [])), pod.where
        kinds_of_volumes = {kind for volume in pod.spec["volumes"] for kind in volume} - {"name"}
        assert kinds_of_volumes <= {"emptyDir", "persistentVolumeClaim", "configMap"}, pod.where


def test_every_container_can_write_to_tmp(release):
    for pod in pods(release):
        volumes = {v["name"]: v for v in pod.spec["volumes"]}
        for container in pod.containers:
            mounts = {m["mountPath"]: m["name"] for m in container["volumeMounts"]}
            assert "emptyDir" in volumes[mounts["/tmp"]], pod.where


def test_every_empty_directory_has_a_limit(release):
    for pod in pods(release):
        empty = [v["emptyDir"] for v in pod.spec["volumes"] if "emptyDir" in v]
        assert all(QUANTITY.fullmatch(volume["sizeLimit"]) for volume in empty), pod.where


def test_every_container_requests_and_limits_local_disk(release):
    for pod in pods(release):
        for container in pod.containers:
            limits, requests = (container["resources"][k] for k in ("limits", "requests"))
            assert QUANTITY.fullmatch(limits["ephemeral-storage"]), pod.where
            assert QUANTITY.fullmatch(requests["ephemeral-storage"]), pod.where


def test_kuberay_finds_the_volume_for_logs_that_it_would_make_without_a_limit(release):
    """Its name is a constant of KubeRay: `RayLogVolumeName` in controllers/ray/common/pod.go."""
    for pod in pods(release):
        volumes = {v["name"] for v in pod.spec["volumes"]}
        autoscaling = pod.spec["automountServiceAccountToken"] and pod.component != "operator"
        assert ("ray-logs" in volumes) == autoscaling, pod.where


def test_local_disk_is_that_of_the_values():
    sizes = {"disk": "3Gi", "diskRequest": "1Gi"}
    kinds_of_pods = {
        "jobs": {"head": sizes},
        "cluster": {"head": sizes, "enabled": True},
        "serving": {"head": sizes, "pods": sizes},
        "workers": {"cpu": sizes},
    }
    for pod in pods(render(kinds_of_pods)):
        if pod.containers[0]["name"].startswith(("ray-head", "ray-worker")):
            resources = pod.containers[0]["resources"]
            assert resources["limits"]["ephemeral-storage"] == "3Gi", pod.where
            assert resources["requests"]["ephemeral-storage"] == "1Gi", pod.where
            (tmp,) = [v for v in pod.spec["volumes"] if v["name"] == "tmp"]
            assert tmp["emptyDir"]["sizeLimit"] == "3Gi", pod.where


def test_only_autoscaling_heads_and_the_operator_mount_a_token(release):
    with_token = {p.where for p in pods(release) if p.spec["automountServiceAccountToken"]}
    specs = cluster_specs(release).items()
    autoscaling = {f"{where}: head" for where, spec in specs if spec["enableInTreeAutoscaling"]}
    operators = {f"Deployment {name}" for name in kinds(release, "Deployment")}
    assert with_token == autoscaling | operators


def test_pods_with_a_token_share_their_account_with_no_pod_that_works(release):
    for pod in pods(release):
        named = pod.spec.get("serviceAccountName", "")
        if pod.component == "operator":
            assert named == "demo-operator"
        elif pod.spec["automountServiceAccountToken"]:
            assert named == "demo-autoscaler", pod.where
        elif pod.component != "test":
            assert named.rpartition("-")[2] in ("jobs", "serving", "storage"), pod.where


def test_the_account_of_every_pod_has_the_annotations_of_the_values():
    role = {"eks.amazonaws.com/role-arn": "arn:aws:iam::1:role/nmt"}
    manifests = render({**BUCKET, "serviceAccounts": {"annotations": role}})
    accounts = kinds(manifests, "ServiceAccount")
    for pod in pods(manifests):
        if pod.component != "test":
            account = accounts[pod.spec["serviceAccountName"]]
            assert account["metadata"]["annotations"] == role, pod.where


def test_the_account_of_the_endpoint_may_have_a_role_of_its_own():
    """With a bucket, jobs write engines, the traffic file and keys; the endpoint only reports."""
    values = {"annotations": {"role": "jobs"}, "serving": {"annotations": {"role": "endpoint"}}}
    accounts = kinds(render({**BUCKET, "serviceAccounts": values}), "ServiceAccount")
    found = {name: account["metadata"]["annotations"] for name, account in accounts.items()}
    assert found.pop("demo-serving") == {"role": "endpoint"}
    assert set(map(str, found.values())) == {"{'role': 'jobs'}"}


def test_kuberay_does_not_shorten_the_name_of_the_autoscalers_account():
    """KubeRay shortens a name of more than 50 characters and binds the rights to the short name."""
    manifests = render({"cluster": {"enabled": True}}, name="n" * 36)
    heads = [pod for pod in pods(manifests) if pod.spec["automountServiceAccountToken"]]
    assert [pod.component for pod in heads] == ["cluster", "serving"]
    assert max(len(pod.spec["serviceAccountName"]) for pod in heads) <= 50


def test_no_account_of_the_chart_has_its_token_mounted():
    accounts = kinds(render(), "ServiceAccount")
    names = ("autoscaler", "jobs", "serving", "storage", "user")
    assert set(accounts) == {f"demo-{name}" for name in names}
    assert {a["automountServiceAccountToken"] for a in accounts.values()} == {False}


def test_the_autoscaler_is_as_restricted_as_the_head(release):
    for where, spec in cluster_specs(release).items():
        if spec["enableInTreeAutoscaling"]:
            options = spec["autoscalerOptions"]
            assert options["securityContext"] == CONTAINER_SECURITY, where
            limits = options["resources"]["limits"]
            assert limits == {"memory": "512Mi", "ephemeral-storage": "1Gi"}, where
            assert "ephemeral-storage" in options["resources"]["requests"], where


def test_secrets_are_only_referenced(release):
    for pod in pods(release):
        for container in pod.containers:
            values = [e["name"] for e in container.get("env", []) if "value" in e]
            assert not [name for name in values if SECRET_NAME.search(name)], pod.where
    assert kinds(release, "Secret") == {}


def test_the_environment_secret_reaches_every_pod_that_uses_the_storage():
    using = {"serving", "cluster", "job", "storage", "operator"}
    assert _with_secret(EVERYTHING, "hub") == using


def test_the_bucket_secret_reaches_every_pod_that_reads_the_storage():
    assert _with_secret(BUCKET, "keys") == {"serving", "cluster", "job", "storage"}


def _with_secret(values: JsonObject, secret: str) -> set[str]:
    reference = {"secretRef": {"name": secret}}
    found = pods(render(values))
    return {
        pod.component
        for pod in found
        for container in pod.containers
        if reference in container.get("envFrom", [])
    }


def test_memory_is_limited_and_cpu_is_not(release):
    for pod in pods(release):
        for container in pod.containers:
            limits, requests = (container["resources"][k] for k in ("limits", "requests"))
            assert QUANTITY.fullmatch(limits["memory"]), pod.where
            assert "cpu" not in limits, pod.where
            assert {"cpu", "memory"} <= set(requests), pod.where


def test_extended_resources_are_requested_as_they_are_limited(release):
    for pod in pods(release):
        for container in pod.containers:
            limits, requests = (container["resources"][k] for k in ("limits", "requests"))
            native = ("memory", "ephemeral-storage")
            extended = {k: v for k, v in limits.items() if k not in native}
            assert {k: requests.get(k) for k in extended} == extended, pod.where


def test_images_have_a_tag_or_a_digest(release):
    for pod in pods(release):
        for container in pod.containers:
            assert re.search(r"(:[\w.-]+|@sha256:[0-9a-f]{64})$", container["image"]), pod.where
            assert not container["image"].endswith(":latest"), pod.where


def test_services_of_the_namespace_do_not_become_environment(release):
    assert [p.where for p in pods(release) if p.spec["enableServiceLinks"]] == []


def test_pull_secrets_reach_every_pod():
    for pod in pods(render(EVERYTHING)):
        assert pod.spec["imagePullSecrets"] == [{"name": "registry"}], pod.where


def test_the_dashboard_requires_a_token_by_default(release):
    for where, spec in cluster_specs(release).items():
        assert spec["authOptions"] == {"mode": "token"}, where
    for where, spec in cluster_specs(render({"ray": {"token": False}})).items():
        assert "authOptions" not in spec, where


def test_users_of_nmt_k8s_get_no_more_than_its_commands_need():
    role = kinds(render(), "Role")["demo-user"]
    rights = {
        (group, resource): set(rule["verbs"])
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
    }
    read = {"get", "list"}
    assert rights == {
        ("nmt.internal", "translationcampaigns"): read
        | {"watch", "create", "update", "patch", "delete"},
        ("ray.io", "rayjobs"): read | {"create", "delete"},
        ("ray.io", "rayclusters"): read,
        ("ray.io", "rayservices"): read,
        ("", "configmaps"): read | {"create"},
        ("batch", "jobs"): {"create", "delete"},
        ("", "pods"): read,
        ("", "pods/log"): {"get"},
        ("", "events"): {"list"},
        ("", "persistentvolumeclaims"): {"get"},
        ("", "resourcequotas"): {"list"},
        ("nmt", "releases"): {"submit"},  # marks those whom the admission policies bind
    }


def test_the_role_is_bound_to_the_account_and_to_the_subjects():
    binding = kinds(render(EVERYTHING), "RoleBinding")["demo-user"]
    assert [s["name"] for s in binding["subjects"]] == ["demo-user", "linguists"]


@pytest.mark.parametrize("kind", ["ClusterRole", "ClusterRoleBinding"])
def test_no_rights_are_cluster_wide(release, kind):
    assert kinds(release, kind) == {}


def test_the_restricted_values_create_no_cluster_wide_objects_and_no_rights():
    made = {manifest["kind"] for manifest in render(RELEASES["restricted"], name="nmt")}
    assert not made & {"PriorityClass", "ServiceAccount", "Role", "RoleBinding"}
    assert not made & {"ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"}
