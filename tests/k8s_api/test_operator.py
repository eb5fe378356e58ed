"""The operator's own process with its own token, from an applied campaign to a served engine."""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client, dynamic

from k8s.api.client import KubernetesCluster
from k8s.api.cluster import CAMPAIGN, RAY_JOB
from k8s.api.connection import connection_of
from k8s.api.transport import Transport
from k8s.cli.main import main
from tests.support.chart.rendering import JsonObject
from tests.support.k8s.applied_release import RELEASE, Applied, as_account
from tests.support.k8s.campaign_world import engine_of
from tests.support.k8s.real_operator import Pods, campaign, running_operator


@pytest.fixture(scope="module")
def root() -> Iterator[Path]:
    """A storage that has the same path here and in the release, which refuses /tmp."""
    with tempfile.TemporaryDirectory(prefix="nmt-api-", dir="/var/tmp") as folder:
        yield Path(folder)


@pytest.fixture(scope="module")
def release(install: Callable[[JsonObject], Applied], root: Path) -> Applied:
    values = {
        "operator": {"enabled": True},
        "serving": {"enabled": False},
        "storage": {"mountPath": str(root)},
    }
    return install(values)


@pytest.fixture(scope="module")
def played(
    release: Applied, root: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Pods]:
    """The operator at work, beside Pods that finish each job."""
    folder = tmp_path_factory.mktemp("operator")
    with running_operator(release, folder) as process:
        yield Pods(release, root)
        assert process.poll() is None, (folder / "operator.log").read_text()


def read(release: Applied, name: str) -> JsonObject:
    return release.find(CAMPAIGN.api_version, CAMPAIGN.name, name).to_dict()


def until(release: Applied, pods: Pods, name: str, phase: str) -> JsonObject:
    """Finish jobs until a campaign has a phase, and return it."""

    def has_it() -> bool:
        pods.finish_jobs()
        return read(release, name).get("status", {}).get("phase") == phase

    release.wait_for(has_it, f"{name} does not become {phase}", seconds=120)
    return read(release, name)


@pytest.fixture(scope="module")
def served(release: Applied, played: Pods) -> JsonObject:
    release.apply(campaign("clinic", config={"tune": {"trials": 2}}))
    return until(release, played, "clinic", "Served")


def test_an_applied_campaign_is_served(served: JsonObject) -> None:
    status = served["status"]
    assert status["observedGeneration"] == served["metadata"]["generation"]
    assert status["serves"] == engine_of("clinic-r1")
    assert {step["state"] for step in status["steps"]} == {"done"}
    conditions = {each["type"]: each["status"] for each in status["conditions"]}
    assert conditions["Ready"] == "True"
    assert conditions["Stalled"] == "False"


def test_its_jobs_belong_to_it_and_were_taken_by_the_policies(
    release: Applied, served: JsonObject
) -> None:
    resources = dynamic.DynamicClient(release.api).resources
    jobs: Any = resources.get(api_version=RAY_JOB.api_version, kind=RAY_JOB.name)
    found = jobs.get(namespace=release.namespace).items
    assert found
    for job in found:
        (owner,) = job.metadata.ownerReferences
        assert (owner.kind, owner.uid) == (CAMPAIGN.name, served["metadata"]["uid"])
    assert not release.warnings()


def test_a_campaign_at_rest_is_not_written(release: Applied, served: JsonObject) -> None:
    release.apply(campaign("other", suspend=True))
    release.wait_for(
        lambda: read(release, "other").get("status", {}).get("phase") == "Suspended",
        "the operator does not look at campaigns",
    )
    assert (
        read(release, "clinic")["metadata"]["resourceVersion"]
        == (served["metadata"]["resourceVersion"])
    )


def test_a_deleted_status_is_made_again(release: Applied, played: Pods, served: JsonObject) -> None:
    resources = dynamic.DynamicClient(release.api).resources
    campaigns: Any = resources.get(api_version=CAMPAIGN.api_version, kind=CAMPAIGN.name)
    campaigns.status.patch(
        body=[{"op": "remove", "path": "/status"}],
        name="clinic",
        namespace=release.namespace,
        content_type="application/json-patch+json",
    )
    again = until(release, played, "clinic", "Served")["status"]
    assert again["revision"] == served["status"]["revision"]
    assert again["steps"] == served["status"]["steps"]


def test_a_user_promotes_by_asking_the_campaign(release: Applied, served: JsonObject) -> None:
    connection = connection_of(as_account(release, f"{RELEASE}-user").configuration, "the user")
    cluster = KubernetesCluster(Transport(connection), release.namespace)
    assert main(["promote", "run=clinic-r1"], connect=lambda context, namespace: cluster) == 0
    told = read(release, "clinic")["spec"]["action"]["id"]
    release.wait_for(
        lambda: read(release, "clinic")["status"].get("action", {}).get("id") == told,
        "the operator does not follow",
    )


def test_a_user_starts_a_revision_and_cannot_write_what_it_reports(
    release: Applied, played: Pods, served: JsonObject
) -> None:
    user = dynamic.DynamicClient(as_account(release, f"{RELEASE}-user"))
    campaigns: Any = user.resources.get(api_version=CAMPAIGN.api_version, kind=CAMPAIGN.name)
    where = {"name": "clinic", "namespace": release.namespace}
    merge = {"content_type": "application/merge-patch+json"}
    with pytest.raises(client.ApiException) as refused:
        campaigns.status.patch(body={"status": {"phase": "Failed"}}, **where, **merge)
    assert refused.value.status == 403
    campaigns.patch(body={"spec": {"config": {"seed": 2}}}, **where, **merge)
    release.wait_for(
        lambda: read(release, "clinic")["status"]["revision"]["number"] == 2,
        "no revision starts",
    )
    played.finish_jobs()


def test_a_deleted_campaign_takes_its_jobs_along(release: Applied, played: Pods) -> None:
    release.apply(campaign("short"))
    resources = dynamic.DynamicClient(release.api).resources
    jobs: Any = resources.get(api_version=RAY_JOB.api_version, kind=RAY_JOB.name)

    def own() -> list[Any]:
        selector = "nmt.internal/campaign=short"
        return jobs.get(namespace=release.namespace, label_selector=selector).items

    release.wait_for(own, "the operator makes no job")
    campaigns: Any = resources.get(api_version=CAMPAIGN.api_version, kind=CAMPAIGN.name)
    campaigns.delete(name="short", namespace=release.namespace)
    release.wait_for(lambda: not own(), "the jobs stay", seconds=120)
