"""The description of the release, from which `nmt-k8s` builds the Pods of a job."""

import pytest

from k8s.objects.release import KEY, Release
from nmt import __version__
from nmt.config import Config
from tests.support.chart.rendering import (
    BUCKET,
    EVERYTHING,
    RELEASES,
    JsonObject,
    kinds,
    release_json,
    render,
)


def parsed(values: JsonObject | None = None) -> Release:
    (found,) = [m for m in kinds(render(values), "ConfigMap").values() if KEY in m["data"]]
    return Release.parse(found["data"], "ConfigMap demo-release")


@pytest.mark.parametrize("name", RELEASES)
def test_nmt_k8s_can_read_every_release(name):
    release = parsed(RELEASES[name])
    assert (release.name, release.namespace) == ("demo", "team")
    assert release.chart_version == __version__


@pytest.mark.parametrize("name", RELEASES)
def test_nmt_k8s_knows_every_field_that_the_chart_writes(name):
    written = release_json(render(RELEASES[name]))
    assert parsed(RELEASES[name]).model_dump(mode="json", by_alias=True) == written


@pytest.mark.parametrize("name", RELEASES)
def test_jobs_start_from_the_settings_of_the_values(name):
    config = RELEASES[name].get("config", {})
    assert Config.parse(parsed(RELEASES[name]).config) == Config.parse(config)


def test_the_release_config_map_is_found_by_its_label():
    found = kinds(render(), "ConfigMap")["demo-release"]
    assert found["metadata"]["labels"]["app.kubernetes.io/component"] == "release"


def test_storage_is_the_mounted_folder_or_the_bucket():
    assert (parsed().storage, parsed().storage_secret) == ("/storage", "")
    bucket = parsed(BUCKET)
    assert (bucket.storage, bucket.storage_secret) == ("s3://bucket/nmt", "keys")


def test_the_cluster_of_a_job_has_a_head_and_no_worker_groups():
    cluster = parsed().ray_cluster
    assert cluster["enableInTreeAutoscaling"] is False
    assert "workerGroupSpecs" not in cluster
    assert cluster["headGroupSpec"]["rayStartParams"]["num-cpus"] == "0"


def test_a_worker_group_describes_one_pod_without_a_count():
    values = {"workers": {"gpu": {"cpus": 6, "gpus": 2, "max": 3}}}
    release = parsed(values)
    group = release.worker_groups["gpu"]
    assert group["rayStartParams"] == {"num-cpus": "6", "num-gpus": "2"}
    assert not {"replicas", "minReplicas", "maxReplicas"} & set(group)
    assert release.max_pods == {"cpu": 4, "gpu": 3}


def test_a_worker_group_inherits_missing_fields_from_the_defaults():
    group = parsed({"workers": {"gpu": {"gpus": 1}}}).worker_groups["gpu"]
    resources = group["template"]["spec"]["containers"][0]["resources"]
    assert resources["limits"] == {
        "memory": "16Gi",
        "ephemeral-storage": "20Gi",
        "nvidia.com/gpu": "1",
    }
    assert resources["requests"]["cpu"] == "4"


def test_requests_are_the_limits_unless_set():
    limits = {"memory": "4Gi", "disk": "9Gi"}
    requests = {"cpuRequest": "100m", "memoryRequest": "512Mi", "diskRequest": "1Gi"}
    assert _resources({"cpus": 2, **limits}) == {
        "requests": {"cpu": "2", "memory": "4Gi", "ephemeral-storage": "9Gi"},
        "limits": {"memory": "4Gi", "ephemeral-storage": "9Gi"},
    }
    assert _resources({"cpus": 2, **limits, **requests}) == {
        "requests": {"cpu": "100m", "memory": "512Mi", "ephemeral-storage": "1Gi"},
        "limits": {"memory": "4Gi", "ephemeral-storage": "9Gi"},
    }


def _resources(group: JsonObject) -> JsonObject:
    template = parsed({"workers": {"cpu": group}}).worker_groups["cpu"]["template"]
    return template["spec"]["containers"][0]["resources"]


def test_ray_pods_know_their_storage_and_keep_the_hubs_files_on_it():
    assert _environment() == {
        "NMT_STORAGE": "/storage",
        "HF_HOME": "/storage/hub",
        "RAY_USAGE_STATS_ENABLED": "0",
    }


def test_with_a_bucket_the_hubs_files_stay_in_the_pod():
    environment = _environment(BUCKET)
    assert environment["NMT_STORAGE"] == "s3://bucket/nmt"
    assert environment["HF_HOME"] == "/tmp/hub"


def test_the_environment_of_a_group_overrides_the_common_one():
    values = {"env": {"A": "all", "B": "all"}, "workers": {"cpu": {"env": {"A": "group"}}}}
    environment = _environment(values)
    assert (environment["A"], environment["B"]) == ("group", "all")


def _environment(values: JsonObject | None = None) -> dict[str, str]:
    group = parsed(values).worker_groups["cpu"]
    listed = group["template"]["spec"]["containers"][0]["env"]
    assert len({e["name"] for e in listed}) == len(listed)
    return {e["name"]: e["value"] for e in listed}


def test_training_workers_have_a_minute_to_write_a_checkpoint():
    template = parsed().worker_groups["cpu"]["template"]
    assert template["spec"]["terminationGracePeriodSeconds"] == 60


def test_the_autoscaler_may_not_evict_heads():
    head = parsed().ray_cluster["headGroupSpec"]["template"]
    annotations = head["metadata"]["annotations"]
    assert annotations["cluster-autoscaler.kubernetes.io/safe-to-evict"] == "false"


def test_the_storage_pod_runs_nmt_k8s_without_arguments():
    (container,) = parsed().storage_pod["spec"]["containers"]
    assert container["name"] == "nmt-k8s"
    assert container["image"] == f"registry.example/nmt-tools:{__version__}"
    assert not {"command", "args"} & set(container)
    assert {"name": "NMT_STORAGE", "value": "/storage"} in container["env"]


def test_the_storage_pod_reaches_the_bucket_as_jobs_do():
    env = {"AWS_ENDPOINT_URL": "https://minio.example.com", "HTTPS_PROXY": "http://proxy:3128"}
    release = parsed({**BUCKET, "env": env, "envSecretName": "more"})
    (container,) = release.storage_pod["spec"]["containers"]
    written = {e["name"]: e["value"] for e in container["env"]}
    assert written.items() >= {"NMT_STORAGE": "s3://bucket/nmt", **env}.items()
    assert [e["secretRef"]["name"] for e in container["envFrom"]] == ["more", "keys"]


@pytest.mark.parametrize("pod", ["submitter", "storagePod"])
def test_helper_pods_are_scheduled_like_the_head(pod):
    placement = {
        "nodeSelector": {"pool": "batch"},
        "tolerations": [{"key": "batch", "operator": "Exists"}],
        "affinity": {"nodeAffinity": {}},
    }
    spec = release_json(render({"jobs": {"head": placement}}))[pod]["spec"]
    assert {key: spec.get(key) for key in placement} == placement


@pytest.mark.parametrize("pod", ["submitter", "storagePod"])
def test_pods_that_run_once_are_not_restarted(pod):
    assert release_json(render())[pod]["spec"]["restartPolicy"] == "Never"


def test_pods_are_distinguished_by_their_component_label():
    release = parsed()
    component = "app.kubernetes.io/component"
    assert release.submitter["metadata"]["labels"][component] == "submitter"
    assert release.storage_pod["metadata"]["labels"][component] == "storage"
    head = release.ray_cluster["headGroupSpec"]["template"]
    assert head["metadata"]["labels"][component] == "job"
    assert component not in release.labels


def test_pods_of_jobs_and_of_the_endpoint_differ_only_in_what_serving_needs():
    manifests = render({"jobs": {"head": {"memory": "2Gi"}}, "priorities": {"create": False}})
    job = release_json(manifests)["rayCluster"]["headGroupSpec"]["template"]
    (service,) = kinds(manifests, "RayService").values()
    serving = service["spec"]["rayClusterConfig"]["headGroupSpec"]["template"]
    (ours,), (theirs,) = (t["spec"]["containers"] for t in (job, serving))
    different = {key for key in ours | theirs if ours.get(key) != theirs.get(key)}
    probes = {"startupProbe", "readinessProbe"}
    assert different == {"env", "volumeMounts", *probes}


def test_disabled_parts_have_an_empty_name():
    release = parsed({"serving": {"enabled": False}, "priorities": {"create": False}})
    assert (release.service, release.endpoint, release.cluster) == ("", "", "")
    assert release.priority_classes == {}


def test_enabled_parts_exist_under_the_published_name():
    manifests, release = render(EVERYTHING), parsed(EVERYTHING)
    assert release.service in kinds(manifests, "RayService")
    assert release.endpoint in kinds(manifests, "Service")
    assert release.cluster in kinds(manifests, "RayCluster")
    assert set(release.priority_classes.values()) == set(kinds(manifests, "PriorityClass"))


def test_a_digest_is_preferred_to_a_tag():
    digest = f"sha256:{'a' * 64}"
    image = {"repository": "registry.example.com:5000/nmt-ray", "tag": "1", "digest": digest}
    assert parsed({"image": image}).images.ray == f"registry.example.com:5000/nmt-ray@{digest}"
