"""Each alert fires when its fault occurs, and none fires on a healthy endpoint, as promtool says.

The series are those of real expositions: a fault changes their values, never names and labels.
"""

import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from k8s.operator.loop.metrics import Metrics
from nmt.serving.monitoring.exposition import merge_expositions
from nmt.serving.monitoring.metrics import EngineInfo, ServingMetrics
from tests.support.chart.expositions import KUBERAY, RAY_DASHBOARD, RAY_SERVE, RAY_TRAIN
from tests.support.chart.rendering import EVERYTHING, JsonObject, kinds, render
from tests.support.serving_metrics import filled_metrics

VALUES: JsonObject = {
    **EVERYTHING,
    "monitoring": {**EVERYTHING["monitoring"], "keySecret": "scrape"},
}
TARGET = {"namespace": "team", "app_kubernetes_io_instance": "demo"}
OF_RAY = {**TARGET, "app_kubernetes_io_component": "serving", "ray_io_cluster": "demo-a"}
DAY = 1500
GONE = "_xN"

Labels = Mapping[str, str]


@dataclass(frozen=True)
class Change:
    """New values of some series, in promtool's notation, a value for each minute up to `N`."""

    metric: str
    values: str
    where: Callable[[Labels], bool] = lambda labels: True


@dataclass(frozen=True)
class Fault:
    """What goes wrong, and the alerts that follow from it."""

    changes: tuple[Change, ...]
    minute: int = 60
    """When the alerts are looked at."""
    besides: frozenset[str] = frozenset()
    """Other alerts that the same fault sets off."""


def is_second(labels: Labels) -> bool:
    return labels["replica"] == "replica-2"


def is_in(phase: str) -> Callable[[Labels], bool]:
    return lambda labels: labels["phase"] == phase


def status(code: str) -> Callable[[Labels], bool]:
    return lambda labels: labels["status"] == code


def upper(limit: float) -> Callable[[Labels], bool]:
    return lambda labels: float(labels["le"]) >= limit


SURE_FOR_A_DAY = (
    Change("nmt_sentences_total", "0+10xN"),
    Change("nmt_confidence_bucket", f"0x{DAY} 0+10xN", upper(-1)),
    Change("nmt_confidence_bucket", "0+10xN", upper(-0.1)),
)
FAULTS = {
    "NmtEndpointHasNoReplica": Fault((Change("ray_serve_deployment_replica_healthy", "0xN"),)),
    "NmtEndpointHasNoEngine": Fault((Change("nmt_engine_info", GONE),)),
    "NmtEndpointFails": Fault((Change("nmt_requests_total", "0+6xN", status("500")),)),
    "NmtEndpointRefuses": Fault((Change("nmt_requests_total", "0+6xN", status("503")),)),
    "NmtEndpointQueues": Fault((Change("nmt_queue_wait_seconds_bucket", "0+6xN", upper(5)),)),
    "NmtEndpointOffTarget": Fault((Change("nmt_off_target_total", "0+1xN"),)),
    "NmtEndpointConfidenceDrops": Fault(SURE_FOR_A_DAY, DAY + 105),
    "NmtReplicaServesAnotherEngine": Fault((Change("nmt_route_current", "0xN", is_second),)),
    "NmtNoReplicaFollowsTraffic": Fault(
        (Change("nmt_route_current", "0xN"),),
        besides=frozenset({"NmtReplicaServesAnotherEngine"}),
    ),
    "NmtReplicasDiffer": Fault(
        (Change("nmt_engine_info", "1xN", lambda labels: labels["engine"] == "other"),)
    ),
    "NmtEngineDoesNotLoad": Fault((Change("nmt_engines_failing", "1xN", is_second),)),
    "NmtStorageIsNearlyFull": Fault((Change("nmt_storage_free_bytes", "9xN"),)),
    "NmtHeadRestarts": Fault(
        (Change("ray_dashboard_api_requests_count_requests_total", "0+9x55 0+9xN"),)
    ),
    "NmtUpgradeIsStuck": Fault(
        (
            Change(
                "kuberay_service_condition_upgrade_in_progress",
                "1xN",
                lambda labels: labels["condition"] == "true",
            ),
        )
    ),
    "NmtJobFailed": Fault(
        (
            Change(
                "kuberay_job_deployment_status",
                "_x55 1xN",
                lambda labels: labels["deployment_status"] == "Failed",
            ),
        )
    ),
    "NmtTrainingMakesNoProgress": Fault(
        (Change("ray_train_report_total_blocked_time_s", "1xN"),), 150
    ),
    "NmtOperatorIsDown": Fault((Change("nmt_operator_leader", "0xN"),)),
    "NmtOperatorFails": Fault(
        (
            Change(
                "nmt_operator_reconciles_total",
                "0+9xN",
                lambda labels: labels["result"] == "failed",
            ),
        )
    ),
    "NmtCampaignIsStalled": Fault((Change("nmt_operator_campaigns", "1xN", is_in("Stalled")),)),
    "NmtCampaignFailed": Fault((Change("nmt_operator_campaigns", "1xN", is_in("Failed")),)),
    "NmtRolloutRolledBack": Fault((Change("nmt_operator_campaigns", "2xN", is_in("RolledBack")),)),
    "NmtRolloutIsPaused": Fault((Change("nmt_operator_campaigns", "1xN", is_in("Paused")),)),
}
TROUBLED = ("Stalled", "Failed", "RolledBack", "Paused")
# What a healthy endpoint shows: requests that succeed, and none of what only a fault shows.
HEALTHY = (
    Change("nmt_requests_total", "0+60xN", status("200")),
    Change("nmt_operator_campaigns", GONE, lambda labels: labels["phase"] in TROUBLED),
    Change("nmt_operator_reconciles_total", "0+9xN", lambda labels: labels["result"] == "done"),
    Change("nmt_sentences_total", "0+10xN"),
    Change("nmt_traffic_read_timestamp_seconds", "0+60xN"),
    Change("nmt_storage_free_bytes", "50xN"),
    Change("nmt_engines_failing", "0xN"),
    Change("nmt_engine_info", GONE, lambda labels: labels["engine"] == "other"),
    Change("ray_dashboard_api_requests_count_requests_total", "0+9xN"),
    Change("ray_train_report_total_blocked_time_s", "0+1xN"),
    Change(
        "kuberay_service_condition_upgrade_in_progress",
        GONE,
        lambda labels: labels["condition"] == "true",
    ),
    Change(
        "kuberay_job_deployment_status",
        GONE,
        lambda labels: labels["deployment_status"] == "Failed",
    ),
)


def replica(name: str) -> ServingMetrics:
    """Return metrics with all that an alert asks for."""
    metrics = filled_metrics()
    for code in (500, 503):
        metrics.observe_request("POST", "/v1/translate", code, "engine", 0.1)
    if name == "replica-2":
        key, pair = "eng_Latn-tam_Taml", ("eng_Latn", "tam_Taml")
        metrics.set_engines([EngineInfo(e, key, *pair, "stable", 1) for e in ("engine", "other")])
    return metrics


def operator() -> Metrics:
    """Return the metrics of an operator that knows a campaign of each kind."""
    metrics = Metrics(lambda: 0.0, lambda: True, lambda: ["Served", *TROUBLED])
    metrics.reconciled("done", 0.1)
    metrics.reconciled("failed", 0.1)
    return metrics


def samples() -> Iterator[tuple[str, Labels, float]]:
    """Yield name, labels and value of every series that Prometheus gets."""
    names = ("replica-1", "replica-2")
    own = merge_expositions({name: replica(name).exposition() for name in names}).decode()
    for text, target in (
        (own, TARGET),
        (operator().exposition().decode(), TARGET),
        (RAY_SERVE + RAY_DASHBOARD + RAY_TRAIN, OF_RAY),
        (KUBERAY, {}),
    ):
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                yield sample.name, {**sample.labels, **target}, sample.value


def series(minutes: int, *changes: Change) -> list[JsonObject]:
    found = []
    for name, labels, value in samples():
        values = f"{value:g}xN"
        for change in (*HEALTHY, *changes):
            if change.metric == name and change.where(labels):
                values = change.values
        text = ",".join(f'{key}="{labels[key]}"' for key in sorted(labels))
        found.append({"series": f"{name}{{{text}}}", "values": values.replace("N", str(minutes))})
    return found


def rules() -> JsonObject:
    (rule,) = kinds(render(VALUES), "PrometheusRule").values()
    return rule["spec"]


def alerts() -> list[str]:
    return [rule["alert"] for group in rules()["groups"] for rule in group["rules"]]


def check(folder: Path, minute: int, firing: set[str], *changes: Change) -> None:
    """Let promtool compare the alerts that fire with those that should."""
    tool = shutil.which("promtool")
    if tool is None:
        pytest.skip("promtool is not installed: it comes with the package prometheus")
    (folder / "rules.yaml").write_text(yaml.safe_dump(rules()))
    asked = {
        "expr": 'group by (alertname) (ALERTS{alertstate="firing"})',
        "eval_time": f"{minute}m",
        "exp_samples": [
            {"labels": f'{{alertname="{name}"}}', "value": 1} for name in sorted(firing)
        ],
    }
    test = {
        "interval": "1m",
        "input_series": series(minute + 5, *changes),
        "promql_expr_test": [asked],
    }
    # A day of evaluations, each over a day of samples, would take a minute.
    every = "1m" if minute < DAY else "15m"
    body = {"rule_files": ["rules.yaml"], "evaluation_interval": every, "tests": [test]}
    (folder / "test.yaml").write_text(yaml.safe_dump(body))
    done = subprocess.run(
        [tool, "test", "rules", "test.yaml"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_has_a_fault_that_is_tried():
    assert sorted(FAULTS) == sorted(alerts())


@pytest.mark.parametrize("minute", [60, 150])
def test_no_alert_fires_while_all_is_well(tmp_path, minute):
    check(tmp_path, minute, set())


@pytest.mark.parametrize("alert", FAULTS)
def test_a_fault_makes_its_alert_fire(tmp_path, alert):
    fault = FAULTS[alert]
    check(tmp_path, fault.minute, {alert, *fault.besides}, *fault.changes)


def test_a_replica_that_cannot_read_the_traffic_file_is_noticed(tmp_path):
    silent = Change("nmt_traffic_read_timestamp_seconds", "0xN", is_second)
    check(tmp_path, 60, {"NmtReplicaServesAnotherEngine"}, silent)


def test_storage_that_answers_no_replica_is_noticed(tmp_path):
    silent = Change("nmt_traffic_read_timestamp_seconds", "0xN")
    names = {"NmtReplicaServesAnotherEngine", "NmtNoReplicaFollowsTraffic"}
    check(tmp_path, 60, names, silent)


def test_a_head_that_has_run_for_a_while_since_its_restart_is_well_again(tmp_path):
    restarted = Change("ray_dashboard_api_requests_count_requests_total", "0+9x30 0+9xN")
    check(tmp_path, 60, set(), restarted)


def test_an_upgrade_that_is_still_young_is_not_called_stuck(tmp_path):
    begun = Change(
        "kuberay_service_condition_upgrade_in_progress",
        "_x50 1xN",
        lambda labels: labels["condition"] == "true",
    )
    check(tmp_path, 60, set(), begun)
