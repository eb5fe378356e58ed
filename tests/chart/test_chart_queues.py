"""Ray clusters that wait in a queue of Kueue: what its webhooks for RayCluster and RayService want.

After `raycluster_webhook.go` and `rayservice_webhook.go` of Kueue 0.17.0: a cluster that changes
its size has to be an elastic job, whose Pods have a scheduling gate.
"""

import helm_python
import pytest

from tests.support.chart.rendering import JsonObject, cluster_specs, kinds, release_json, render

QUEUED: JsonObject = {
    "cluster": {"enabled": True, "queue": "team"},
    "serving": {"queue": "team"},
}
GATES = [{"name": "kueue.x-k8s.io/elastic-job"}]


def templates(spec: JsonObject) -> list[JsonObject]:
    workers = [group["template"] for group in spec["workerGroupSpecs"]]
    return [spec["headGroupSpec"]["template"], *workers]


@pytest.mark.parametrize(("kind", "name"), [("RayCluster", "demo-cluster"), ("RayService", "demo")])
def test_a_queued_cluster_is_an_elastic_job(kind, name):
    objects = render(QUEUED)
    metadata = kinds(objects, kind)[name]["metadata"]
    assert metadata["labels"]["kueue.x-k8s.io/queue-name"] == "team"
    assert metadata["annotations"]["kueue.x-k8s.io/elastic-job"] == "true"
    spec = cluster_specs(objects)[f"{kind} {name}"]
    assert spec["enableInTreeAutoscaling"]
    assert [pod["spec"]["schedulingGates"] for pod in templates(spec)] == [GATES, GATES]


def test_jobs_keep_their_own_queue():
    objects = render({**QUEUED, "jobs": {"queue": "batch"}})
    assert release_json(objects)["jobs"]["queue"] == "batch"
    for pod in templates(cluster_specs(objects)["job"]):
        assert "schedulingGates" not in pod["spec"]


def test_without_a_queue_nothing_waits():
    objects = render({"cluster": {"enabled": True}})
    for kind in ("RayCluster", "RayService"):
        for found in kinds(objects, kind).values():
            assert "annotations" not in found["metadata"]
            assert "kueue.x-k8s.io/queue-name" not in found["metadata"]["labels"]
    for spec in cluster_specs(objects).values():
        assert not [pod for pod in templates(spec) if "schedulingGates" in pod["spec"]]


def test_more_groups_than_kueue_admits_are_refused():
    groups = {f"g{n}": {} for n in range(8)}
    values = {"workers": groups, "cluster": {"queue": "team", "workers": list(groups)}}
    with pytest.raises(helm_python.HelmError, match=r"cluster.workers names 8 groups.*up to 7"):
        render(values)
