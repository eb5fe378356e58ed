"""The interactive cluster, and what an upgrade leaves to its autoscaler."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests.support.chart.rendering import JsonObject, kinds, render, render_template

PROBE = '{{ include "nmt.scaled" (dict "name" "cpu" "installed" (fromJson `%s`)) }}'


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


@pytest.fixture
def scaled(tmp_path: Path) -> Callable[[JsonObject], JsonObject]:
    """Return what the chart keeps of an installed RayCluster for the group `cpu`."""
    return lambda installed: yaml.safe_load(
        render_template(PROBE % json.dumps(installed), {}, tmp_path)
    )


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
