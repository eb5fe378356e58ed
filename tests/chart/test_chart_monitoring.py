"""Monitors, alerts and the dashboard use only ports and metrics that exist."""

import importlib.util
import json
import re
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from k8s.operator.loop.metrics import Metrics
from tests.support.chart.network_policy import selects
from tests.support.chart.rendering import EVERYTHING, JsonObject, kinds, pods, render
from tests.support.serving_metrics import exported_metrics

METRIC = re.compile(r"\b(?:nmt|ray|kuberay)_\w+(?=\{)")
MONITORED: JsonObject = {
    **EVERYTHING,
    "monitoring": {**EVERYTHING["monitoring"], "keySecret": "scrape"},
}
OF_KUBERAY = {"kuberay_job_deployment_status", "kuberay_service_condition_upgrade_in_progress"}
"""From `controllers/ray/metrics` of KubeRay 1.6.1."""
OF_THE_DASHBOARD = {"ray_dashboard_api_requests_count_requests_total"}
"""From `ray/dashboard/dashboard_metrics.py` of Ray 2.60, which is in none of Ray's own panels."""


def monitored() -> list[JsonObject]:
    return render(MONITORED)


def dashboard() -> JsonObject:
    (found,) = kinds(monitored(), "ConfigMap")["demo-dashboard"]["data"].values()
    return json.loads(found)


def expressions() -> list[str]:
    (rule,) = kinds(monitored(), "PrometheusRule").values()
    alerts = [r["expr"] for group in rule["spec"]["groups"] for r in group["rules"]]
    return alerts + [t["expr"] for panel in dashboard()["panels"] for t in panel["targets"]]


@pytest.fixture(scope="module")
def metrics_of_ray() -> str:
    """Return Ray's own panels, which use the names of its metrics in Prometheus."""
    spec = importlib.util.find_spec("ray")
    if spec is None or spec.origin is None:
        pytest.skip("ray is not installed")
    folder = Path(spec.origin).parent / "dashboard" / "modules" / "metrics" / "dashboards"
    return "".join(path.read_text("utf-8") for path in folder.glob("*.py"))


def metrics_of_the_operator() -> dict[str, set[str]]:
    """Return each series that the operator exports, with its labels."""
    metrics = Metrics(lambda: 0.0, lambda: True, lambda: ["Served"])
    metrics.reconciled("done", 0.1)
    families = text_string_to_metric_families(metrics.exposition().decode())
    return {sample.name: {*sample.labels} for each in families for sample in each.samples}


def asked() -> set[str]:
    return {metric for text in expressions() for metric in METRIC.findall(text)}


def test_every_metric_is_one_that_the_endpoint_the_operator_ray_or_kuberay_exports(metrics_of_ray):
    own = {series for metric in exported_metrics() for series in metric.series}
    own |= set(metrics_of_the_operator())
    assert len(asked() & own) > 20
    assert len(asked() - own) > 6
    others = asked() - own - OF_KUBERAY - OF_THE_DASHBOARD
    assert {m for m in others if f"{m}{{" not in metrics_of_ray} == set()


def test_every_label_of_the_projects_metrics_exists():
    labels = {s: {*m.labels, "le"} for m in exported_metrics() for s in m.series}
    labels |= metrics_of_the_operator()
    target = {"namespace", "app_kubernetes_io_instance"}
    # What stands on both sides of `or` need not have the same labels.
    parts = [part for text in expressions() for part in re.split(r"\bor\b", text)]
    for text in parts:
        for metric, selector in re.findall(r"\b(nmt_\w+)\{([^}]*)\}", text):
            used = set(re.findall(r"(\w+)[=!]~?", re.sub(r'"[^"]*"', "", selector)))
            assert used <= labels[metric] | target | {"replica"}, text
            grouped = {
                name for by in re.findall(r"by \(([^)]*)\)", text) for name in by.split(", ")
            }
            assert grouped <= labels[metric] | {"replica"}, text


def test_every_metric_of_the_endpoint_that_it_counts_itself_is_on_the_dashboard():
    shown = {
        m for p in dashboard()["panels"] for t in p["targets"] for m in METRIC.findall(t["expr"])
    }
    unused = {m.name for m in exported_metrics() if not m.series & shown}
    # For a look at one process; what matters of it is on the dashboard.
    assert unused == {
        "nmt_process_max_fds",
        "nmt_process_start_time_seconds",
        "nmt_process_virtual_memory_bytes",
    }


def test_every_query_is_about_one_namespace():
    for text in expressions():
        selectors = re.findall(r"\w+\{([^}]*)\}", text)
        assert selectors, text
        for selector in selectors:
            assert re.search(r'namespace="(team|\$namespace)"', selector), text


def test_monitors_of_ray_scrape_ports_that_its_pods_have():
    monitors = kinds(monitored(), "PodMonitor")
    for name in ("demo-heads", "demo-workers", "demo-endpoint"):
        monitor = monitors[name]
        node = {"demo-workers": "worker"}.get(name, "head")
        of_serving = name == "demo-endpoint"
        wanted = {endpoint["port"] for endpoint in monitor["spec"]["podMetricsEndpoints"]}
        for pod in pods(monitored()):
            labels = {**pod.metadata["labels"], "ray.io/node-type": node}
            is_selected = not of_serving or pod.component == "serving"
            if f"ray-{node}" == pod.containers[0]["name"] and is_selected:
                assert selects(monitor["spec"]["selector"], labels), pod.where
                assert wanted <= {p["name"] for p in pod.containers[0]["ports"]}, pod.where


def test_heads_workers_the_endpoint_and_the_operator_are_monitored():
    names = {"demo-heads", "demo-workers", "demo-endpoint", "demo-operator"}
    assert set(kinds(monitored(), "PodMonitor")) == names


def test_the_monitor_of_the_operator_finds_the_port_of_its_pods():
    monitor = kinds(monitored(), "PodMonitor")["demo-operator"]["spec"]
    found = [
        pod for pod in pods(monitored()) if selects(monitor["selector"], pod.metadata["labels"])
    ]
    assert [pod.where for pod in found] == ["Deployment demo-operator"]
    (port,) = found[0].containers[0]["ports"]
    assert [endpoint["port"] for endpoint in monitor["podMetricsEndpoints"]] == [port["name"]]


def test_the_metrics_of_all_replicas_are_read_once_and_with_the_key():
    monitor = kinds(monitored(), "PodMonitor")["demo-endpoint"]["spec"]
    (endpoint,) = monitor["podMetricsEndpoints"]
    assert (endpoint["port"], endpoint["path"]) == ("serve", "/metrics")
    credentials = {"name": "scrape", "key": "key"}
    assert endpoint["authorization"] == {"type": "Bearer", "credentials": credentials}
    scraped = [
        pod.containers[0]["name"]
        for pod in pods(monitored())
        for node in ["head" if "ray-head" in pod.containers[0]["name"] else "worker"]
        if selects(monitor["selector"], {**pod.metadata["labels"], "ray.io/node-type": node})
    ]
    assert scraped == ["ray-head"]


def test_metrics_behind_a_key_that_prometheus_lacks_are_neither_read_nor_missed():
    manifests = render(EVERYTHING)
    assert "demo-endpoint" not in kinds(manifests, "PodMonitor")
    (rule,) = kinds(manifests, "PrometheusRule").values()
    rules = [r for group in rule["spec"]["groups"] for r in group["rules"]]
    asking = [r["alert"] for r in rules if "nmt_" in r["expr"] and "nmt_operator" not in r["expr"]]
    assert not asking
    assert "NmtEndpointHasNoReplica" in [r["alert"] for r in rules]


def test_an_open_endpoint_is_read_without_a_key():
    manifests = render({**EVERYTHING, "config": {"serving": {"require_keys": False}}})
    monitor = kinds(manifests, "PodMonitor")["demo-endpoint"]["spec"]
    assert "authorization" not in monitor["podMetricsEndpoints"][0]


def test_a_release_without_an_endpoint_has_no_alerts_of_one():
    off = {"enabled": False}
    manifests = render({**MONITORED, "serving": off, "operator": off})
    assert "demo-endpoint" not in kinds(manifests, "PodMonitor")
    (rule,) = kinds(manifests, "PrometheusRule").values()
    alerts = [r["alert"] for group in rule["spec"]["groups"] for r in group["rules"]]
    assert alerts == ["NmtJobFailed", "NmtTrainingMakesNoProgress"]


def test_a_failed_job_alerts_once_although_it_remains():
    """KubeRay reports 1 for as long as the RayJob exists."""
    (rule,) = kinds(monitored(), "PrometheusRule").values()
    rules = {r["alert"]: r for group in rule["spec"]["groups"] for r in group["rules"]}
    for line in rules["NmtJobFailed"]["expr"].splitlines():
        now, before = line.split(" unless ")
        assert "offset" not in now
        assert "offset 15m" in before


def test_alerts_have_a_severity_and_a_description():
    (rule,) = kinds(monitored(), "PrometheusRule").values()
    for alert in (r for group in rule["spec"]["groups"] for r in group["rules"]):
        assert alert["labels"]["severity"] in ("critical", "warning")
        assert "team" in alert["annotations"]["summary"]


def test_monitors_and_rules_have_the_labels_that_prometheus_selects():
    values = {"monitoring": {**MONITORED["monitoring"], "labels": {"release": "prometheus"}}}
    manifests = render(values)
    for kind in ("PodMonitor", "PrometheusRule"):
        for manifest in kinds(manifests, kind).values():
            assert manifest["metadata"]["labels"]["release"] == "prometheus"


def test_grafana_finds_the_dashboard_by_its_label():
    found = kinds(monitored(), "ConfigMap")["demo-dashboard"]
    assert found["metadata"]["labels"]["grafana_dashboard"] == "1"
    assert len(dashboard()["panels"]) >= 8


def test_monitoring_is_off_by_default():
    made = {manifest["kind"] for manifest in render()}
    assert not made & {"PodMonitor", "PrometheusRule"}
    assert "demo-dashboard" not in kinds(render(), "ConfigMap")
