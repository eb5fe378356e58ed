"""The RayJobs of a revision."""

from typing import Any

import pytest

from k8s.api.cluster import JsonObject
from k8s.objects.campaign.campaign import Campaign
from k8s.objects.campaign.jobs import PlannedJob, Revision, campaign_job, plan_jobs
from k8s.objects.campaign.settings import for_run, revision_settings
from k8s.objects.campaign.spec import CampaignSpec
from k8s.objects.release import Release
from nmt.errors import InputError
from tests.unit.k8s.conftest import make_release

_SEARCH = {"tune": {"trials": 4}}


def _plan(release: Release, config: dict[str, Any], **spec: Any) -> list[PlannedJob]:
    asked = CampaignSpec.model_validate({"release": "demo", "config": config, **spec})
    return list(plan_jobs(release, asked, revision_settings(release, asked).config))


def test_one_job_does_all_steps_where_all_pods_are_alike() -> None:
    [job] = _plan(make_release(priorityClasses={}), _SEARCH | {"tune": {"max_concurrent": 1}})
    assert job.kind == "all"
    assert job.steps[0] == "prepare"
    assert job.steps[-1] == "gate"


def test_a_search_has_a_job_of_its_own_because_of_its_priority() -> None:
    jobs = _plan(make_release(), _SEARCH)
    assert [job.kind for job in jobs] == ["data", "tune", "train"]
    assert jobs[-1].steps == ("train", "variants", "export", "evaluate", "gate")


def test_four_jobs_at_most() -> None:
    workers = {"search": "gpu", "training": "gpu", "rest": "cpu"}
    jobs = _plan(make_release(), _SEARCH, workers=workers)
    assert [(job.kind, job.group) for job in jobs] == [
        ("data", "cpu"), ("tune", "gpu"), ("train", "gpu"), ("finish", "cpu"),
    ]  # fmt: skip


def test_without_a_search_nothing_is_searched() -> None:
    [job] = _plan(make_release(), {"tune": {"trials": 0}})
    assert "tune" not in job.steps


def test_a_worker_group_that_is_missing_is_refused_as_submit_refuses_it() -> None:
    with pytest.raises(InputError, match="has no such worker group; it has cpu, gpu"):
        _plan(make_release(), _SEARCH, workers={"search": "tpu"})


def test_gpus_that_no_pod_of_the_group_has_are_refused_as_submit_refuses_them() -> None:
    config = {"scaling": {"gpus_per_worker": 1}}
    with pytest.raises(InputError, match="does not fit a Pod of worker group 'cpu'"):
        _plan(make_release(), config)


def _job(attempt: int = 0, **spec: Any) -> JsonObject:
    metadata = {"name": "clinic", "uid": "u1", "creationTimestamp": "2026-01-01T00:00:00Z"}
    body = {"metadata": metadata, "spec": {"release": "demo", "config": _SEARCH, **spec}}
    campaign, release = Campaign.parse(body), make_release()
    assert campaign.spec
    settings = revision_settings(release, campaign.spec)
    planned = plan_jobs(release, campaign.spec, settings.config)[0]
    loaded = for_run(settings, release, "clinic-r2", ())
    return campaign_job(
        release, campaign, campaign.spec, Revision(2, attempt), planned, loaded, now=1000.0
    )


def test_a_job_belongs_to_its_campaign_and_names_its_revision() -> None:
    metadata = _job()["metadata"]
    [owner] = metadata["ownerReferences"]
    assert (owner["kind"], owner["uid"], owner["controller"]) == ("TranslationCampaign", "u1", True)
    assert metadata["labels"]["nmt.internal/campaign"] == "clinic"
    assert metadata["labels"]["nmt.internal/revision"] == "2"
    assert metadata["labels"]["nmt/run"] == "clinic-r2"


def test_a_new_attempt_is_another_job() -> None:
    assert _job(0)["metadata"]["name"] != _job(1)["metadata"]["name"]
    assert _job(0)["metadata"]["name"] == _job(0, retries=7)["metadata"]["name"]


def test_the_queue_and_the_limits_of_the_campaign_reach_the_job() -> None:
    job = _job(queue="team-queue", stepDeadlineSeconds=77, retries=5)
    assert job["metadata"]["labels"]["kueue.x-k8s.io/queue-name"] == "team-queue"
    assert "--deadline 77" in job["spec"]["entrypoint"]
    assert job["spec"]["submitterConfig"]["backoffLimit"] == 5
