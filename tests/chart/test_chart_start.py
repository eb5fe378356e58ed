"""How soon the Pods of a job and of the interactive cluster are found to have started."""

import pytest

from tests.support.chart.rendering import RELEASES, JsonObject, kinds, release_json, render


def job_pods(values: JsonObject) -> list[JsonObject]:
    """Return the Ray containers of a job: of its head, and of every worker group."""
    release = release_json(render(values))
    groups = [release["rayCluster"]["headGroupSpec"], *release["workerGroups"].values()]
    return [group["template"]["spec"]["containers"][0] for group in groups]


@pytest.mark.parametrize("name", RELEASES)
def test_the_pods_of_a_job_are_asked_every_second_until_they_have_started(name):
    for container in job_pods(RELEASES[name]):
        assert container["startupProbe"]["periodSeconds"] == 1
        assert "initialDelaySeconds" not in container["startupProbe"]
        assert "initialDelaySeconds" not in container["readinessProbe"]


def test_a_pod_may_take_as_long_to_start_as_kuberay_would_let_it():
    for container in job_pods({}):
        probe = container["startupProbe"]
        assert probe["periodSeconds"] * probe["failureThreshold"] >= 600


def test_a_started_pod_is_asked_as_kuberay_would():
    for container in job_pods({}):
        ready = container["readinessProbe"]
        assert (ready["periodSeconds"], ready["failureThreshold"]) == (5, 10)
        assert ready["httpGet"] == {"path": "/api/healthz", "port": 52365}
        assert "livenessProbe" not in container


def test_the_interactive_cluster_starts_as_jobs_do():
    (cluster,) = kinds(render({"cluster": {"enabled": True}}), "RayCluster").values()
    spec = cluster["spec"]
    for group in (spec["headGroupSpec"], *spec["workerGroupSpecs"]):
        assert group["template"]["spec"]["containers"][0]["startupProbe"]["periodSeconds"] == 1
