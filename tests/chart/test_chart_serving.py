"""The endpoint: the RayService, and the Service in front of it."""

import re
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import yaml

from nmt.config import Config
from ray_jobs.runtime.serve_environment import SERVE_ENVIRONMENT, set_environment
from ray_jobs.serving.deployments import build, scale_options, without_scale
from tests.support.chart.endpoint import group, head, service
from tests.support.chart.network_policy import selects
from tests.support.chart.rendering import (
    EVERYTHING,
    RELEASES,
    JsonObject,
    cluster_specs,
    kinds,
    pods,
    render,
)
from tests.support.project import PROJECT

HAPROXY_PATH = "RAY_SERVE_HAPROXY_BINARY_PATH"
DRAIN = "RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S"
PROXY_DRAIN_SECONDS = 30 + 5
"""How long Serve drains a proxy at least, and the time until it asks whether it is drained."""


def application(values: JsonObject | None = None) -> JsonObject:
    (found,) = yaml.safe_load(service(values)["serveConfigV2"])["applications"]
    return found


def served(values: JsonObject | None) -> Config:
    """Return the settings that replicas get: the arguments, and the options of the deployments."""
    found = application(values)
    return Config.parse(found["args"])


def environment(template: JsonObject) -> dict[str, str]:
    """Return the variables of the Ray container of a Pod."""
    entries = template["spec"]["containers"][0]["env"]
    return {entry["name"]: entry["value"] for entry in entries if "value" in entry}


@pytest.mark.parametrize("name", RELEASES)
def test_the_application_gets_the_serving_settings_of_the_values(name):
    settings = config_of(name)
    serving = {"require_keys": True, **settings.get("serving", {})}
    config = Config.parse({**settings, "serving": serving})
    assert without_scale(served(RELEASES[name]).serving) == without_scale(config.serving)
    assert served(RELEASES[name]).storage == config.storage


@pytest.mark.parametrize("name", RELEASES)
def test_the_numbers_of_replicas_are_options_of_the_deployment(name):
    """As arguments they would restart every replica."""
    (found,) = application(RELEASES[name])["deployments"]
    expected = scale_options(Config.parse(config_of(name)).serving)
    assert found == {"name": "Endpoint", **expected}


def config_of(name: str) -> JsonObject:
    return RELEASES[name].get("config", {})


@pytest.mark.parametrize(
    ("serving", "required"),
    [({}, True), ({"require_keys": None}, True), ({"require_keys": False}, False)],
)
def test_the_endpoint_requires_keys_unless_the_values_say_otherwise(serving, required):
    assert served({"config": {"serving": serving}}).serving.needs_keys is required


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
    serving = {"max_queued_tokens": 30_000_000, "poll_seconds": 1e-05, "require_keys": True}
    config = {"serving": serving}
    assert served({"config": config}).serving == Config.parse(config).serving
    assert application({"config": config})["args"]["serving"] == serving


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
    # What the API server would fill in; the autoscaler's number is in the RayCluster of KubeRay.
    assert bounds["replicas"] == 0
    cluster = service({"serving": {"idleTimeoutSeconds": 60}})["rayClusterConfig"]
    assert cluster["enableInTreeAutoscaling"] is True
    assert cluster["autoscalerOptions"]["idleTimeoutSeconds"] == 60


HEALTHY = {
    "/api/local_raylet_healthz": (200, "success"),
    "/-/healthz": (200, "success"),
    "/ready": (200, '{"status": "ready"}'),
}


@pytest.fixture
def probe(monkeypatch) -> Iterator[Callable[[dict], tuple[int, str]]]:
    """Run the readiness probe beside a server with these answers; return its code and output."""
    if shutil.which("wget") is None:
        pytest.skip("wget is not installed; the image has it")
    answers: dict[str, tuple[int, str]] = {}

    class Pod(BaseHTTPRequestHandler):
        def do_GET(self):
            status, text = answers[self.path]
            self.send_response(status)
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, format, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Pod)
    threading.Thread(target=server.serve_forever, daemon=True).start()

    def run(changed: dict[str, tuple[int, str]]) -> tuple[int, str]:
        answers.update(HEALTHY | changed)
        (container,) = group()["template"]["spec"]["containers"]
        words = container["readinessProbe"]["exec"]["command"]
        here = f"localhost:{server.server_port}"
        words = [re.sub(r"localhost:\d+", here, word) for word in words]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout

    yield run
    server.shutdown()
    server.server_close()


def test_a_pod_is_ready_when_a_replica_behind_its_proxy_has_an_engine(probe):
    assert probe({})[0] == 0


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"/ready": (503, '{"code": "no_engine"}')}, "no_engine"),
        ({"/-/healthz": (503, "This node is being drained.")}, "drained"),
        ({"/api/local_raylet_healthz": (503, "no")}, "Ray node"),
    ],
)
def test_a_pod_that_is_not_ready_says_why(probe, changed, reason):
    code, said = probe(changed)
    assert code != 0
    assert reason in said


def test_the_probe_does_not_ask_a_proxy_that_the_values_name(probe, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert probe({})[0] == 0


def test_the_readiness_of_a_pod_is_checked_every_second():
    (container,) = group()["template"]["spec"]["containers"]
    found = container["readinessProbe"]
    assert found["periodSeconds"] == 1
    script = found["exec"]["command"][-1]
    for url in (
        "localhost:52365/api/local_raylet_healthz",
        "localhost:8000/-/healthz",
        "localhost:8000/ready",
    ):
        assert url in script


def test_the_head_is_ready_without_the_application():
    """KubeRay starts the application only when the head is ready."""
    (container,) = head()["spec"]["containers"]
    assert "readinessProbe" not in container


@pytest.mark.parametrize("template", [head, lambda values: group(values)["template"]])
def test_no_pod_is_restarted_for_the_lack_of_an_engine(template):
    (container,) = template({})["spec"]["containers"]
    assert not {"livenessProbe", "startupProbe"} & set(container)


def test_a_release_is_ready_before_its_first_promotion():
    """KubeRay counts the ready endpoints of its own Service; clients use that of the chart."""
    assert service()["serveService"]["spec"]["publishNotReadyAddresses"] is True
    (endpoint,) = kinds(render(), "Service").values()
    assert "publishNotReadyAddresses" not in endpoint["spec"]


@pytest.mark.parametrize("template", [head, lambda values: group(values)["template"]])
def test_serving_pods_have_the_environment_of_the_endpoint(template):
    assert environment(template({})).items() >= SERVE_ENVIRONMENT.items()


@pytest.mark.parametrize("template", [head, lambda values: group(values)["template"]])
def test_serves_own_proxy_can_replace_haproxy(template):
    expected = {"RAY_SERVE_ENABLE_HA_PROXY": "0"}
    set_environment(expected)
    found = environment(template({"serving": {"haproxy": False}}))
    # Paths and ports are those of another machine, and not needed in a Pod.
    assert {name: expected[name] for name in SERVE_ENVIRONMENT}.items() <= found.items()


def test_serve_starts_haproxy_by_the_command_of_the_image():
    dockerfile = (PROJECT / "docker" / "Dockerfile").read_text("utf-8")
    assert f"> {environment(head())[HAPROXY_PATH]} " in dockerfile


def test_pods_of_jobs_have_no_variables_of_the_endpoint():
    for where, spec in cluster_specs(render(EVERYTHING)).items():
        if not where.startswith("RayService"):
            for part in (spec["headGroupSpec"], *spec["workerGroupSpecs"]):
                assert not set(environment(part["template"])) & {*SERVE_ENVIRONMENT, DRAIN}, where


@pytest.mark.parametrize("drain", [0, 15, 300])
@pytest.mark.parametrize("timeout", [0.5, 30, 30.5, 200])
@pytest.mark.parametrize("template", [head, lambda values: group(values)["template"]])
def test_a_terminating_pod_has_time_to_answer_what_it_has_accepted(template, drain, timeout):
    config = {"serving": {"request_timeout_seconds": timeout}}
    # A head that keeps its state makes way at once: see test_chart_head_state.py.
    endpoint = {"drainSeconds": drain, "headState": "none"}
    found = template({"serving": endpoint, "config": config})
    spec = found["spec"]
    lifecycle = {"preStop": {"exec": {"command": ["sleep", str(drain)]}}}
    assert spec["containers"][0]["lifecycle"] == lifecycle
    replica = build(config)._bound_deployment._deployment_config.graceful_shutdown_timeout_s
    ray = int(environment(found)[DRAIN])
    # Serve needs some seconds until it has noticed that a node ends.
    assert ray >= max(replica, PROXY_DRAIN_SECONDS) + 5
    assert spec["terminationGracePeriodSeconds"] >= drain + ray + 10


def test_usual_time_limits_of_requests_leave_the_pods_as_they_are():
    before = service()["rayClusterConfig"]
    config = {"serving": {"request_timeout_seconds": 10}}
    assert service({"config": config})["rayClusterConfig"] == before


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
    assert budget["spec"]["unhealthyPodEvictionPolicy"] == "AlwaysAllow"
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
    assert "NmtEndpoint" not in str(kinds(manifests, "PrometheusRule"))
