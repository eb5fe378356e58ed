"""The RayJobs of a revision: at most four, joined where their Pods are alike. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from k8s.api.cluster import CAMPAIGN, JsonObject
from k8s.objects.campaign.campaign import Campaign
from k8s.objects.campaign.names import (
    LABEL_ATTEMPT,
    LABEL_CAMPAIGN,
    LABEL_KIND,
    LABEL_REVISION,
    JobKind,
    campaign_job_name,
    run_name,
)
from k8s.objects.campaign.spec import CampaignSpec
from k8s.objects.manifests import priority_class, ray_job
from k8s.objects.preflight import check_submission
from k8s.objects.release import Release
from k8s.objects.sizing import pods_for
from k8s.objects.submission import JobRequest, build_submission
from nmt.config import Config, LoadedConfig
from nmt.runs.steps import campaign_steps

STEPS_OF: Mapping[JobKind, tuple[str, ...]] = {
    "data": ("prepare", "base"),
    "tune": ("tune",),
    "train": ("train", "variants"),
    "finish": ("export", "evaluate", "gate"),
}
"""What each kind of job does, in the order of the steps."""


@dataclass(frozen=True, slots=True)
class PlannedJob:
    """One job of a revision."""

    kind: JobKind
    steps: tuple[str, ...]
    group: str
    """Worker group of the release."""


def plan_jobs(release: Release, spec: CampaignSpec, config: Config) -> tuple[PlannedJob, ...]:
    """List the jobs of a revision in order; neighbours whose Pods are alike are one job.

    Each job costs its Pods a start, so one job does as much as possible.

    Raises:
        InputError: the release has no such worker group, or its Pods cannot hold the work.
    """
    wanted = [step.name for step in campaign_steps(config)]
    planned: list[tuple[PlannedJob, tuple[str, int, str]]] = []
    for kind, steps in STEPS_OF.items():
        own = tuple(step for step in steps if step in wanted)
        if not own:
            continue
        group = _group_of(release, spec, kind)
        alike = (group, pods_for(release, config, own, group), priority_class(release, own))
        if planned and planned[-1][1] == alike:
            before = planned[-1][0]
            planned[-1] = (PlannedJob(before.kind, before.steps + own, group), alike)
        else:
            planned.append((PlannedJob(kind, own, group), alike))
    jobs = [job for job, _ in planned]
    if len(jobs) == 1:
        return (PlannedJob("all", jobs[0].steps, jobs[0].group),)
    return tuple(jobs)


def _group_of(release: Release, spec: CampaignSpec, kind: JobKind) -> str:
    groups = {"tune": spec.workers.search, "train": spec.workers.training}
    return groups.get(kind, spec.workers.rest) or release.jobs.workers


@dataclass(frozen=True, slots=True)
class Revision:
    """What a job has to know of its revision."""

    number: int
    attempt: int


def campaign_job(
    release: Release,
    campaign: Campaign,
    spec: CampaignSpec,
    revision: Revision,
    planned: PlannedJob,
    loaded: LoadedConfig,
    now: float,
) -> JsonObject:
    """Build the RayJob of a part of a revision, which the campaign owns.

    Raises:
        InputError: the release or KubeRay would refuse the job.
    """
    run = run_name(campaign.name, revision.number)
    request = JobRequest(
        name=campaign_job_name(campaign.name, planned.kind, planned.steps, run, revision.attempt),
        steps=planned.steps,
        workers=planned.group,
        retries=spec.retries,
        deadline_seconds=spec.step_deadline_seconds,
        queue=spec.queue,
    )
    submission = build_submission(release, request, loaded, now)
    check_submission(submission)
    job = ray_job(release, submission)
    metadata = job["metadata"]
    labels = metadata["labels"] | dict(_labels(campaign, revision, planned))
    owner = {
        "apiVersion": CAMPAIGN.api_version,
        "kind": CAMPAIGN.name,
        "name": campaign.name,
        "uid": campaign.metadata.uid,
        "controller": True,
        "blockOwnerDeletion": True,
    }
    return job | {"metadata": metadata | {"labels": labels, "ownerReferences": [owner]}}


def _labels(
    campaign: Campaign, revision: Revision, planned: PlannedJob
) -> Iterator[tuple[str, str]]:
    yield LABEL_CAMPAIGN, campaign.name
    yield LABEL_REVISION, str(revision.number)
    yield LABEL_ATTEMPT, str(revision.attempt)
    yield LABEL_KIND, planned.kind
