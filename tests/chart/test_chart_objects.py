"""The objects of a release are valid for Kubernetes and KubeRay."""

import os
from pathlib import Path

import kubernetes_validate
import pytest
from kubernetes_validate import SchemaNotFoundError, ValidationError

from tests.support.chart.custom_resources import faults, read_schemas
from tests.support.chart.kuberay_rules import cluster_faults, name_faults
from tests.support.chart.rendering import (
    NAMESPACE,
    RELEASES,
    JsonObject,
    cluster_specs,
    kinds,
    pods,
    render,
)

VERSIONS = ("1.31", "1.37")
"""The oldest version that the chart supports, and the newest that is known."""
NOT_BUILT_IN = {"RayCluster", "RayService", "PodMonitor", "PrometheusRule"}
CLUSTER_WIDE = {
    "PriorityClass",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
}


@pytest.mark.parametrize("version", VERSIONS)
def test_every_field_is_in_the_kubernetes_schema(release, version):
    for manifest in release:
        if manifest["kind"] not in NOT_BUILT_IN:
            kubernetes_validate.validate(manifest, version, strict=True)


@pytest.mark.parametrize("version", VERSIONS)
def test_every_field_of_the_pods_is_in_the_kubernetes_schema(release, version):
    for pod in pods(release):
        manifest = {"apiVersion": "v1", "kind": "Pod", "metadata": {}, "spec": pod.spec}
        kubernetes_validate.validate(manifest, version, strict=True)


def test_the_check_finds_a_field_that_kubernetes_does_not_know():
    (service,) = kinds(render(), "Service").values()
    with pytest.raises(ValidationError, match="typo"):
        kubernetes_validate.validate({**service, "typo": 1}, VERSIONS[0], strict=True)


def test_only_kinds_of_operators_are_exempt_from_that_check(release):
    unknown = set()
    for manifest in release:
        try:
            kubernetes_validate.validate(manifest, VERSIONS[-1])
        except SchemaNotFoundError:
            unknown.add(manifest["kind"])
    assert unknown <= NOT_BUILT_IN


# KubeRay


@pytest.fixture(scope="module")
def schemas() -> dict[str, JsonObject]:
    folder = os.environ.get("KUBERAY_CRDS")
    if not folder:
        pytest.skip("KUBERAY_CRDS names no folder with KubeRay's CustomResourceDefinitions")
    return read_schemas(Path(folder))


def ray_objects(manifests: list[JsonObject]) -> list[JsonObject]:
    """Return the RayCluster, the RayService, and a RayJob like those of nmt-k8s."""
    job = {
        "apiVersion": "ray.io/v1",
        "kind": "RayJob",
        "metadata": {"name": "a-job"},
        "spec": {"entrypoint": "true", "rayClusterSpec": cluster_specs(manifests)["job"]},
    }
    own = [m for m in manifests if m["kind"] in ("RayCluster", "RayService")]
    return [*own, job]


@pytest.mark.parametrize("name", RELEASES)
def test_objects_match_the_crds_of_kuberay(schemas, name):
    for manifest in ray_objects(render(RELEASES[name])):
        assert faults(schemas[manifest["kind"]], manifest) == [], manifest["kind"]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("spec", "rayClusterConfig", "typo"), 1),
        (("spec", "rayClusterConfig", "rayVersion"), 2.6),
        (("spec", "rayClusterConfig", "authOptions"), {"mode": "password"}),
        (("spec", "rayClusterConfig", "headGroupSpec", "template", "spec", "typo"), 1),
    ],
)
def test_the_check_finds_an_object_that_does_not_match_the_crds(schemas, path, value):
    (service,) = kinds(render(), "RayService").values()
    node = service
    for key in path[:-1]:
        node = node[key]
    node[path[-1]] = value
    try:
        assert faults(schemas["RayService"], service) != []
    finally:
        del node[path[-1]]


def test_objects_follow_the_rules_of_kuberays_controller(release):
    for where, spec in cluster_specs(release).items():
        assert cluster_faults(spec) == [], where
    for kind in ("RayCluster", "RayService"):
        for name in kinds(release, kind):
            assert name_faults(kind, name) == []


def test_the_check_finds_a_cluster_that_breaks_the_rules():
    spec = cluster_specs(render())["job"]
    broken = {**spec, "rayVersion": "2.40.0", "workerGroupSpecs": spec["workerGroupSpecs"] * 2}
    assert len(cluster_faults(broken)) == 2


# Names


SHARED = {"CustomResourceDefinition"}
"""Kinds whose objects are those of all releases, which their names do not tell apart."""


def test_every_object_is_in_the_namespace_and_named_after_the_release(release):
    for manifest in (each for each in release if each["kind"] not in SHARED):
        metadata = manifest["metadata"]
        cluster_wide = manifest["kind"] in CLUSTER_WIDE
        assert metadata.get("namespace") == (None if cluster_wide else NAMESPACE)
        prefix = f"{NAMESPACE}-demo" if cluster_wide else "demo"
        assert metadata["name"].startswith(prefix), metadata["name"]


def test_no_two_objects_of_a_kind_have_the_same_name(release):
    named = [(m["kind"], m["metadata"]["name"]) for m in release]
    assert len(named) == len(set(named))


@pytest.mark.parametrize("kind", sorted(CLUSTER_WIDE))
def test_two_releases_in_two_namespaces_share_no_cluster_wide_object(kind):
    one, other = (kinds(render(namespace=n), kind) for n in ("a", "b"))
    assert one
    assert set(one) & set(other) == set()


def test_the_name_can_be_overridden():
    manifests = render({"nameOverride": "tamil"})
    assert set(kinds(manifests, "RayService")) == {"tamil"}
    assert set(kinds(manifests, "Service")) == {"tamil-endpoint"}


def test_a_name_of_36_characters_fits_everywhere():
    manifests = render({"cluster": {"enabled": True}}, name="n" * 36)
    for kind in ("RayCluster", "RayService"):
        for name in kinds(manifests, kind):
            assert name_faults(kind, name) == []
    assert all(len(name) <= 63 for name in kinds(manifests, "Service"))


def test_labels_follow_the_recommended_ones(release):
    for manifest in release:
        if manifest["kind"] == "Pod":  # labelled like the Pods that KubeRay makes
            continue
        labels = manifest["metadata"]["labels"]
        assert labels["app.kubernetes.io/name"] == "nmt"
        assert labels["app.kubernetes.io/instance"] == "demo"
        assert labels["app.kubernetes.io/managed-by"] == "Helm"
        assert {"app.kubernetes.io/component", "app.kubernetes.io/version", "helm.sh/chart"} <= set(
            labels
        )


def test_pod_templates_contain_nothing_that_changes_with_the_chart_version(release):
    """A RayService with another Pod template gets another cluster."""
    for pod in pods(release):
        assert "app.kubernetes.io/version" not in pod.metadata["labels"], pod.where
        assert "helm.sh/chart" not in pod.metadata["labels"], pod.where


def test_pods_keep_the_application_name_that_kuberays_services_select(release):
    for pod in pods(release):
        assert "app.kubernetes.io/name" not in pod.metadata["labels"], pod.where


# Storage and the rest


def test_the_claim_outlives_the_release_by_default():
    (kept,) = kinds(render(), "PersistentVolumeClaim").values()
    assert kept["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}
    values = {"storage": {"claim": {"keep": False}}}
    (gone,) = kinds(render(values), "PersistentVolumeClaim").values()
    assert "annotations" not in gone["metadata"]


def test_every_pod_that_reads_the_storage_mounts_the_claim(release):
    claims = {
        pod.component: volume["persistentVolumeClaim"]["claimName"]
        for pod in pods(release)
        for volume in pod.spec["volumes"]
        if "persistentVolumeClaim" in volume
    }
    made = kinds(release, "PersistentVolumeClaim")
    assert len(set(claims.values())) <= 1
    assert not made or set(claims.values()) == set(made)
    assert not claims or {"serving", "job", "storage"} <= set(claims)


def test_a_bucket_needs_no_claim():
    manifests = render(RELEASES["bucket"])
    assert kinds(manifests, "PersistentVolumeClaim") == {}
    volumes = [volume for pod in pods(manifests) for volume in pod.spec["volumes"]]
    assert [v for v in volumes if "emptyDir" not in v] == []


def test_an_existing_claim_can_be_used_by_name():
    values = {"storage": {"claim": {"create": False, "name": "shared"}}}
    manifests = render(values)
    assert kinds(manifests, "PersistentVolumeClaim") == {}
    assert "'claimName': 'shared'" in str(pods(manifests)[0].spec)


def test_serving_has_priority_over_training_and_training_over_searching():
    values = {n.rpartition("-")[2]: m["value"] for n, m in kinds(render(), "PriorityClass").items()}
    assert values["serve"] > values["train"] > values["tune"]


def test_no_priority_preempts_other_pods_or_prevents_scaling_up():
    """Pods without a class have 0; the cluster autoscaler ignores Pods below -10."""
    values = [manifest["value"] for manifest in kinds(render(), "PriorityClass").values()]
    assert min(values) >= -10
    assert max(values) <= 0


def test_without_priority_classes_no_pod_names_one():
    manifests = render({"priorities": {"create": False}})
    assert kinds(manifests, "PriorityClass") == {}
    assert [p.where for p in pods(manifests) if "priorityClassName" in p.spec] == []
