"""Every object of every ready release is admitted under "restricted", and taken by KubeRay."""

from collections.abc import Callable
from typing import Any

import pytest
from kubernetes import client

from k8s.api.client import KubernetesCluster
from k8s.api.cluster import BATCH_JOB
from k8s.api.connection import connection_of
from k8s.api.transport import Transport
from k8s.cli.main import main
from k8s.objects.manifests import storage_job
from k8s.observe.lookup import find_release
from tests.support.chart.rendering import (
    CHART,
    EVERYTHING,
    RELEASES,
    JsonObject,
    release_json,
    render,
)
from tests.support.k8s.applied_release import RELEASE, Applied, as_account

VALUES = {name: values for name, values in RELEASES.items() if name != "everything"} | {
    # No image pull secret: the API server would look for it.
    "everything": {k: v for k, v in EVERYTHING.items() if k != "imagePullSecrets"}
}
ONE_SMALL_WORKER = ("workers=1", "cpus_per_worker=1", "gpus_per_worker=0")
HEADS = "ray.io/node-type=head"


@pytest.fixture(scope="module", params=sorted(VALUES))
def release(request: pytest.FixtureRequest, install: Callable[[JsonObject], Applied]) -> Applied:
    return install(VALUES[request.param])


def test_only_kinds_of_other_projects_are_left_out(release: Applied) -> None:
    asked = release.values.get("monitoring", {})
    assert bool(release.left_out) <= bool(asked)


def test_kuberay_makes_the_pods_of_the_endpoint(release: Applied) -> None:
    if not release.values.get("serving", {}).get("enabled", True):
        pytest.skip("these values have no endpoint")
    component = "app.kubernetes.io/component=serving"
    release.wait_for(lambda: release.pods(f"{HEADS},{component}"), "no head Pod was made")
    release.wait_for(
        lambda: release.pods(f"ray.io/node-type=worker,{component}"), "no worker Pod was made"
    )
    assert not release.warnings()


def test_kuberay_makes_the_head_of_the_interactive_cluster(release: Applied) -> None:
    if not release.values.get("cluster", {}).get("enabled", False):
        pytest.skip("these values have no interactive cluster")
    component = "app.kubernetes.io/component=cluster"
    release.wait_for(lambda: release.pods(f"{HEADS},{component}"), "no head Pod was made")
    assert not release.warnings()


def user(release: Applied) -> KubernetesCluster:
    """The cluster as those see it who may run jobs, where the release makes their Role."""
    made = release.values.get("rbac", {}).get("create", True)
    api = as_account(release, f"{RELEASE}-user") if made else release.api
    connection = connection_of(api.configuration, "the user")
    return KubernetesCluster(Transport(connection), release.namespace)


def test_a_job_of_these_values_is_taken(release: Applied) -> None:
    name = "small"
    words = ["submit", "train", "run=small", "--name", name, "--detach"]
    words += ["--working-dir", str(CHART / "values")]
    assert main(words, connect=lambda context, namespace: user(release)) == 0
    select = f"{HEADS},app.kubernetes.io/component=job"
    release.wait_for(lambda: release.pods(select), "no head Pod was made")
    job = release.find("ray.io/v1", "RayJob", name)
    assert job.status.jobDeploymentStatus == "Initializing"
    assert not release.warnings()


@pytest.mark.parametrize("group", ["cpu", "gpu"])
def test_a_job_on_any_workers_is_allowed(release: Applied, group: str) -> None:
    cluster = user(release)
    found = find_release(cluster, None)
    if group not in found.worker_groups:
        pytest.skip("these values have no such workers")
    words = ["submit", "tune", "run=small", "--workers", group, "--pods", "1", "--detach"]
    small = ["tune.max_concurrent=1", *(f"scaling.{key}" for key in ONE_SMALL_WORKER)]
    assert main([*words, *small], connect=lambda context, namespace: cluster) == 0


def test_a_command_on_the_storage_is_allowed(release: Applied) -> None:
    cluster = user(release)
    job = storage_job(find_release(cluster, None), f"{RELEASE}-storage-1", ["traffic"])
    assert cluster.create(job)
    assert cluster.delete(BATCH_JOB, f"{RELEASE}-storage-1")


@pytest.mark.parametrize("template", ["submitter", "storagePod"])
def test_pods_that_come_later_would_be_admitted(release: Applied, template: str) -> None:
    objects = render(release.values, name=RELEASE, namespace=release.namespace)
    found = release_json(objects)[template]
    pod = {**found, "metadata": {**found["metadata"], "name": template.lower()}}
    core: Any = client.CoreV1Api(release.api)
    core.create_namespaced_pod(release.namespace, pod, dry_run="All")
