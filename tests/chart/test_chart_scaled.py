"""What an upgrade leaves to the autoscaler of an interactive cluster.

Helm asks a cluster for it; here a template of its own gives the chart what a cluster would.
"""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import helm_python
import pytest
import yaml

from tests.support.chart.rendering import CHART, IMAGES, JsonObject, render

PROBE = '{{ include "nmt.scaled" (dict "name" "cpu" "installed" (fromJson `%s`)) }}\n'


@pytest.fixture
def scaled(tmp_path: Path) -> Callable[[JsonObject], JsonObject]:
    """Return what the chart keeps of an installed RayCluster for the group `cpu`."""
    copy = shutil.copytree(CHART, tmp_path / "nmt")

    def of(installed: JsonObject) -> JsonObject:
        probe = copy / "templates" / "probe.yaml"
        probe.write_text(PROBE % json.dumps(installed))
        with helm_python.Chart.load(str(copy)) as chart:
            rendered = chart.render(IMAGES, name="demo", namespace="team")
        return yaml.safe_load(rendered["nmt/templates/probe.yaml"])

    return of


def groups(*specs: JsonObject) -> JsonObject:
    return {"spec": {"workerGroupSpecs": list(specs)}}


def test_an_upgrade_keeps_the_number_of_pods_that_the_autoscaler_chose(scaled):
    strategy = {"workersToDelete": ["demo-cpu-worker-a"]}
    installed = groups(
        {"groupName": "gpu", "replicas": 7},
        {"groupName": "cpu", "replicas": 2, "maxReplicas": 4, "scaleStrategy": strategy},
    )
    assert scaled(installed) == {"replicas": 2, "scaleStrategy": strategy}


@pytest.mark.parametrize("installed", [{}, {"spec": {}}, groups({"groupName": "gpu"})])
def test_a_group_that_is_new_has_no_pods_yet(scaled, installed):
    assert scaled(installed) == {"replicas": 0}


def test_without_a_cluster_to_ask_no_pods_are_chosen():
    (cluster,) = (
        body for body in render({"cluster": {"enabled": True}}) if body["kind"] == "RayCluster"
    )
    assert [group["replicas"] for group in cluster["spec"]["workerGroupSpecs"]] == [0]
