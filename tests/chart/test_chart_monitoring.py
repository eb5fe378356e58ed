"""Monitors, alerts and the dashboard use only ports and metrics that exist."""

import importlib.util
import json
import re
from pathlib import Path

import pytest

from tests.support.chart.network_policy import selects
from tests.support.chart.rendering import EVERYTHING, JsonObject, kinds, pods, render

METRIC = re.compile(r"\b(?:ray|kuberay)_\w+(?=\{)")
OF_KUBERAY = {"kuberay_job_deployment_status"}
"""From `controllers/ray/metrics` of KubeRay 1.6.1."""


def monitored() -> list[JsonObject]:
    return render(EVERYTHING)


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


def test_every_metric_is_one_that_ray_or_kuberay_exports(metrics_of_ray):
    asked = {metric for text in expressions() for metric in METRIC.findall(text)}
    assert len(asked) > 8
    assert {m for m in asked - OF_KUBERAY if f"{m}{{" not in metrics_of_ray} == set()


def test_every_query_is_about_one_namespace():
    for text in expressions():
        selectors = re.findall(r"\w+\{([^}]*)\}", text)
        assert selectors, text
        for selector in selectors:
            assert re.search(r'namespace="(team|\$namespace)"', selector), text


def test_monitors_scrape_ports_that_the_pods_have():
    for name, monitor in kinds(monitored(), "PodMonitor").items():
        node = name.removeprefix("demo-").removesuffix("s")
        wanted = {endpoint["port"] for endpoint in monitor["spec"]["podMetricsEndpoints"]}
        for pod in pods(monitored()):
            labels = {**pod.metadata["labels"], "ray.io/node-type": node}
            if f"ray-{node}" == pod.containers[0]["name"]:
                assert selects(monitor["spec"]["selector"], labels), pod.where
                assert wanted <= {p["name"] for p in pod.containers[0]["ports"]}, pod.where


def test_heads_and_workers_are_monitored():
    assert set(kinds(monitored(), "PodMonitor")) == {"demo-heads", "demo-workers"}


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
    values = {"monitoring": {**EVERYTHING["monitoring"], "labels": {"release": "prometheus"}}}
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
