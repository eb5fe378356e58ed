"""The RayJobs of a campaign, as the operator sees them."""

from collections.abc import Mapping, Sequence

from k8s.api.cluster import CAMPAIGN, JsonObject
from k8s.api.errors import ConflictError
from k8s.objects.campaign.names import LABEL_ATTEMPT, LABEL_KIND, LABEL_REVISION
from k8s.objects.names import LABEL_STEP
from k8s.observe.job_status import read_job_status
from k8s.observe.timestamps import timestamp
from k8s.operator.observed import ENDED, ObservedJob
from k8s.operator.revision_record import RevisionRecord
from nmt.errors import InputError, NmtError
from nmt.runs.job_progress import JobProgress, read_job_progress
from nmt.storage import Storage


def own_jobs(
    found: Sequence[JsonObject], uid: str, current: RevisionRecord | None, storage: Storage
) -> tuple[ObservedJob, ...]:
    """List the jobs of an object, oldest first.

    Args:
        found: the RayJobs with the label of the campaign.
        uid: of the object.
        current: its latest revision, whose jobs report how far they have come.
        storage: the storage root.
    """
    own = [job for job in found if is_owned(job, uid)]
    own.sort(key=lambda each: each["metadata"]["creationTimestamp"])
    return tuple(_observed_job(job, current, storage) for job in own)


def jobs_at_work(found: Sequence[JsonObject], uid: str) -> list[JsonObject]:
    """List the jobs of an object that have not ended."""
    return [job for job in found if is_owned(job, uid) and read_job_status(job).state not in ENDED]


def _observed_job(
    body: JsonObject, current: RevisionRecord | None, storage: Storage
) -> ObservedJob:
    metadata, status = body["metadata"], body.get("status", {})
    labels: Mapping[str, str] = metadata.get("labels", {})
    revision, attempt = _number(labels, LABEL_REVISION), _number(labels, LABEL_ATTEMPT)
    is_current = current and (revision, attempt) == (current.number, current.attempt)
    started = timestamp(status.get("rayJobInfo", {}).get("startTime") or status.get("startTime"))
    return ObservedJob(
        name=metadata["name"],
        uid=metadata["uid"],
        kind=labels.get(LABEL_KIND, ""),
        revision=revision,
        attempt=attempt,
        steps=tuple(labels.get(LABEL_STEP, "").split(".")),
        status=read_job_status(body),
        deleting=bool(metadata.get("deletionTimestamp")),
        started=started or None,
        ended=timestamp(status.get("endTime")) or None,
        progress=_progress(body, current.run, storage) if current and is_current else None,
    )


def _progress(job: JsonObject, run: str, storage: Storage) -> JobProgress | None:
    """Read how far a job has come.

    What a job of the same name has reported that was deleted, or that KubeRay has started again,
    is not its progress.
    """
    found = read_job_progress(storage, run, job["metadata"]["name"])
    job_id = job.get("status", {}).get("jobId", "")
    return found if found is not None and found.job == job_id else None


def _number(labels: Mapping[str, str], label: str) -> int:
    """Read a number from a label; 0 if somebody has given the job another one."""
    text = labels.get(label, "")
    return int(text) if text.isdecimal() else 0


def is_owned(job: JsonObject, uid: str) -> bool:
    """Tell whether a job is that of an object, and not of one that had the same name before."""
    owners = job["metadata"].get("ownerReferences", [])
    return any(owner.get("uid") == uid for owner in owners)


def taken_name(job: JsonObject) -> NmtError:
    """Say why a RayJob that is not the campaign's own is in the way."""
    name, owners = job["metadata"]["name"], job["metadata"].get("ownerReferences", [])
    if any(owner.get("kind") == CAMPAIGN.name for owner in owners):
        # The cluster deletes it a little later, as all that a deleted campaign owned.
        return ConflictError(
            f"RayJob {name} is still that of a campaign of the same name that was deleted"
        )
    return InputError(
        f"RayJob {name} is there already and belongs to no campaign, as `kubectl delete "
        f"--cascade=orphan` leaves it: delete it with `kubectl delete rayjob {name}`"
    )
