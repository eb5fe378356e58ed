"""The endpoint: the RayService, and the Service in front of it."""

import pytest
import yaml

from nmt.config import Config
from ray_jobs.serving.deployments import scale_options, without_scale
from tests.support.chart.network_policy import selects
from tests.support.chart.rendering import EVERYTHING, RELEASES, JsonObject, kinds, pods, render


def service(values: JsonObject | None = None) -> JsonObject:
    (found,) = kinds(render(values), "RayService").values()
    return found["spec"]


def application(values: JsonObject | None = None) -> JsonObject:
    (found,) = yaml.safe_load(service(values)["serveConfigV2"])["applications"]
    return found


def head(values: JsonObject | None = None) -> JsonObject:
    return service(values)["rayClusterConfig"]["headGroupSpec"]["template"]


def group(values: JsonObject | None = None) -> JsonObject:
    (found,) = service(values)["rayClusterConfig"]["workerGroupSpecs"]
    return found


def served(values: JsonObject | None) -> Config:
    """Return the settings that replicas get: the arguments, and the options of the deployments."""
    found = application(values)
    return Config.parse(found["args"])


@pytest.mark.parametrize("name", RELEASES)
def test_the_application_gets_the_serving_settings_of_the_values(name):
    config = Config.parse(RELEASES[name].get("config", {}))
    assert without_scale(served(RELEASES[name]).serving) == without_scale(config.serving)
    assert served(RELEASES[name]).storage == config.storage


@pytest.mark.parametrize("name", RELEASES)
def test_the_numbers_of_replicas_are_options_of_the_deployments(name):
    """As arguments they would restart every replica."""
    config = Config.parse(RELEASES[name].get("config", {}))
    found = {d.pop("name"): d for d in application(RELEASES[name])["deployments"]}
    assert found == scale_options(config.serving)


@pytest.mark.parametrize(
    "config",
    [
        {"training": {"max_steps": 700}},
        {"serving": {"max_replicas": 4, "downscale_delay_seconds": 9}},
    ],
)
def test_settings_that_replicas_do_not_read_restart_no_replica(config):
    assert application({"config": config})["args"] == application()["args"]


def test_large_and_small_numbers_are_passed_unchanged():
    config = {"serving": {"max_queued_tokens": 30_000_000, "poll_seconds": 1e-05}}
    assert served({"config": config}).serving == Config.parse(config).serving
    assert application({"config": config})["args"]["serving"] == config["serving"]


def test_the_application_is_the_projects_at_the_root():
    assert application()["import_path"] == "ray_jobs.serve:build"
    assert application()["route_prefix"] == "/"


def test_every_node_runs_a_proxy_on_all_addresses():
    options = yaml.safe_load(service()["serveConfigV2"])
    assert options["proxy_location"] == "EveryNode"
    assert options["http_options"] == {"host": "0.0.0.0", "port": 8000}


def test_changed_settings_change_only_the_application():
    before, after = service(), service({"config": {"serving": {"beam_size": 4}}})
    assert before.pop("serveConfigV2") != after.pop("serveConfigV2")
    assert before == after


@pytest.mark.parametrize(
    "pods_",
    [{"min": 2}, {"max": 5}, {"tolerations": [{"key": "spot", "operator": "Exists"}]}],
)
def test_changes_that_kuberay_ignores_still_start_a_new_cluster(pods_):
    """KubeRay compares neither the numbers of Pods nor their tolerations."""
    before = group()["template"]["metadata"]["annotations"]
    after = group({"serving": {"pods": pods_}})["template"]["metadata"]["annotations"]
    assert before["nmt/pods"] != after["nmt/pods"]


def test_the_head_runs_no_proxy_and_no_replica():
    assert service()["excludeHeadPodFromServeSvc"] is True
    start = service()["rayClusterConfig"]["headGroupSpec"]["rayStartParams"]
    assert start == {"dashboard-host": "0.0.0.0", "num-cpus": "0"}


def test_pods_scale_between_the_bounds_of_the_values():
    bounds = group({"serving": {"pods": {"min": 2, "max": 6}, "idleTimeoutSeconds": 60}})
    assert (bounds["minReplicas"], bounds["maxReplicas"]) == (2, 6)
    assert "replicas" not in bounds  # the autoscaler's, which an upgrade must not reset
    cluster = service({"serving": {"idleTimeoutSeconds": 60}})["rayClusterConfig"]
    assert cluster["enableInTreeAutoscaling"] is True
    assert cluster["autoscalerOptions"]["idleTimeoutSeconds"] == 60


def test_the_readiness_of_a_pod_is_checked_every_second():
    (container,) = group()["template"]["spec"]["containers"]
    probe = container["readinessProbe"]
    assert probe["periodSeconds"] == 1
    script = probe["exec"]["command"][-1]
    assert "localhost:52365/api/local_raylet_healthz" in script
    assert "localhost:8000/-/healthz" in script


@pytest.mark.parametrize("template", [head, lambda values: group(values)["template"]])
def test_a_terminating_pod_keeps_answering_for_a_while(template):
    spec = template({"serving": {"drainSeconds": 20}})["spec"]
    assert spec["containers"][0]["lifecycle"] == {"preStop": {"exec": {"command": ["sleep", "20"]}}}
    assert spec["terminationGracePeriodSeconds"] == 65


def test_the_old_cluster_stays_for_a_minute():
    assert service()["upgradeStrategy"] == {"type": "NewCluster"}
    assert service()["rayClusterDeletionDelaySeconds"] == 60


def test_the_service_selects_serving_workers_of_every_cluster_and_nothing_else():
    (endpoint,) = kinds(render(EVERYTHING), "Service").values()
    selector = {"matchLabels": endpoint["spec"]["selector"]}
    taken = set()
    for pod in pods(render(EVERYTHING)):
        node = {"head": "head"}.get(pod.where.rpartition(" ")[2], "worker")
        if selects(selector, {**pod.metadata["labels"], "ray.io/node-type": node}):
            taken.add(pod.where)
    assert taken == {"RayService demo: workers serving"}
    assert "ray.io/cluster" not in endpoint["spec"]["selector"]


def test_the_service_has_one_port_and_the_type_of_the_values():
    values = {"serving": {"serviceType": "NodePort", "serviceAnnotations": {"a": "b"}}}
    endpoint = kinds(render(values), "Service")["demo-endpoint"]
    assert endpoint["spec"]["type"] == "NodePort"
    assert endpoint["metadata"]["annotations"] == {"a": "b"}
    (port,) = endpoint["spec"]["ports"]
    assert (port["name"], port["port"], port["targetPort"]) == ("http", 8000, 8000)


def test_the_disruption_budget_allows_one_missing_pod():
    values = {"serving": {"pods": {"min": 3}}}
    (budget,) = kinds(render(values), "PodDisruptionBudget").values()
    assert budget["spec"]["minAvailable"] == 2
    assert "maxUnavailable" not in budget["spec"]  # Kubernetes cannot count it for a RayCluster


@pytest.mark.parametrize(
    "values", [{}, {"disruptionBudget": False, "serving": {"pods": {"min": 2}}}]
)
def test_a_single_pod_can_be_drained_and_the_budget_can_be_off(values):
    assert kinds(render(values), "PodDisruptionBudget") == {}


def test_without_the_endpoint_no_object_of_it_is_created():
    manifests = render({"serving": {"enabled": False}, "monitoring": {"alerts": True}})
    assert not {"RayService", "Service", "PodDisruptionBudget", "Pod"} & {
        m["kind"] for m in manifests
    }
    assert "Translator" not in str(kinds(manifests, "PrometheusRule"))


def test_the_interactive_cluster_scales_the_groups_it_names():
    values = {
        "cluster": {"enabled": True, "workers": ["cpu", "gpu"], "idleTimeoutSeconds": 90},
        "workers": {"gpu": {"gpus": 1, "min": 1, "max": 2}},
    }
    spec = kinds(render(values), "RayCluster")["demo-cluster"]["spec"]
    bounds = {
        g["groupName"]: (g["minReplicas"], g["maxReplicas"]) for g in spec["workerGroupSpecs"]
    }
    assert bounds == {"cpu": (0, 4), "gpu": (1, 2)}
    assert spec["autoscalerOptions"]["idleTimeoutSeconds"] == 90


def test_an_upgrade_leaves_no_worker_with_a_head_of_another_version():
    spec = kinds(render({"cluster": {"enabled": True}}), "RayCluster")["demo-cluster"]["spec"]
    assert spec["upgradeStrategy"] == {"type": "Recreate"}


def test_the_interactive_cluster_is_off_by_default():
    assert kinds(render(), "RayCluster") == {}
