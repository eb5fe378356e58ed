"""From the status of a RayJob to how the job stands. Pure.

`jobStatus` alone is never an end: only together with `jobDeploymentStatus` is it. The submitter's
batch Job says nothing of the outcome either, since it ends well when the job failed.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from k8s.api.cluster import JsonObject
from k8s.objects.names import QUEUE

_EXIT_CODE = re.compile(r"failed with exit code (-?\d+)")
_CLUSTER_FAULT, _CANCELLED = 3, 4


class JobState(StrEnum):
    """How a job stands."""

    QUEUED = "queued"
    WAITING = "waiting"
    RUNNING = "running"
    RETRYING = "retrying"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class JobStatus:
    """How a job stands, and the exit code once it has ended."""

    state: JobState
    message: str = ""
    exit_code: int | None = None
    """None: not at its end."""

    def __str__(self) -> str:
        return f"{self.state}: {self.message}" if self.message else self.state.value


GONE = JobStatus(JobState.CANCELLED, "the RayJob was deleted by somebody else", _CANCELLED)


def read_job_status(job: JsonObject) -> JobStatus:
    """How a RayJob stands."""
    status = job.get("status", {})
    deployment = status.get("jobDeploymentStatus", "")
    if deployment in _ENDS:
        return _ENDS[deployment](status)
    if job["metadata"].get("deletionTimestamp"):
        return JobStatus(
            JobState.CANCELLED, "the RayJob is being deleted by somebody else", _CANCELLED
        )
    if deployment in ("Suspending", "Suspended"):
        return _suspended(job)
    if deployment == "Retrying":
        return JobStatus(JobState.RETRYING, "KubeRay starts the job again")
    if deployment == "Running" and status.get("jobStatus") not in ("", None, "PENDING"):
        return JobStatus(JobState.RUNNING)
    return JobStatus(JobState.WAITING, _waiting_for(deployment))


def has_run(job: JsonObject) -> bool:
    """Whether Ray has started the job, at least once."""
    return bool(job.get("status", {}).get("rayJobInfo", {}).get("startTime"))


def _waiting_for(deployment: str) -> str:
    if not deployment:
        return "KubeRay has not looked at it yet; should that last, see `nmt-k8s doctor`"
    return "its Pods start" if deployment == "Initializing" else "it is being submitted to Ray"


def _suspended(job: JsonObject) -> JobStatus:
    queue = job["metadata"].get("labels", {}).get(QUEUE)
    if queue:
        return JobStatus(JobState.QUEUED, f"Kueue's queue '{queue}' has not admitted it yet")
    message = "the RayJob was suspended by somebody else: set its spec.suspend to false to go on"
    return JobStatus(JobState.CANCELLED, message, _CANCELLED)


def _complete(status: JsonObject) -> JobStatus:
    outcome = status.get("jobStatus")
    if outcome == "SUCCEEDED":
        return JobStatus(JobState.SUCCEEDED, exit_code=0)
    if outcome == "STOPPED":
        return JobStatus(JobState.CANCELLED, "the job was stopped inside Ray", _CANCELLED)
    return _failed(status)


def _failed(status: JsonObject) -> JobStatus:
    message, reason = status.get("message", ""), status.get("reason", "")
    first = message.splitlines()[0] if message else ""
    code = _EXIT_CODE.search(first)
    if code:
        return _ended_with(int(code[1]))
    if first.startswith(_JOB_NOT_FOUND):
        return JobStatus(JobState.FAILED, _HEAD_LOST, _CLUSTER_FAULT)
    if reason in ("SubmissionFailed", "PreRunningDeadlineExceeded"):
        return JobStatus(JobState.FAILED, _REASONS[reason], _CLUSTER_FAULT)
    if reason == "DeadlineExceeded":
        ran = status.get("jobStatus") not in ("", None, "PENDING")
        return JobStatus(JobState.FAILED, _REASONS[reason], 1 if ran else _CLUSTER_FAULT)
    # What the job's command has not ended by itself, Ray or a lost Pod has.
    own = reason == "JobDeploymentStatusTransitionGracePeriodExceeded"
    return JobStatus(
        JobState.FAILED, first or reason or "no reason given", 1 if own else _CLUSTER_FAULT
    )


def _ended_with(code: int) -> JobStatus:
    """A code below 0, or above 128, is a signal; a shell would say 128 + its number."""
    code = 128 - code if code < 0 else code
    killed = {137: " (killed, mostly for want of memory)", 143: " (terminated)"}.get(code, "")
    return JobStatus(JobState.FAILED, f"the job ended with exit code {code}{killed}", code)


def _invalid(status: JsonObject) -> JobStatus:
    first = next(iter(str(status.get("message", "")).splitlines()), "")
    return JobStatus(JobState.FAILED, f"KubeRay refuses the job: {first}", 2)


_JOB_NOT_FOUND = "Submitter completed but Ray job not found"
_HEAD_LOST = (
    "the head Pod was lost just as the job ended, and its outcome with it: the same submit "
    "command goes on from the last checkpoint"
)
_REASONS = {
    "SubmissionFailed": "the job could not be handed to Ray, or its head Pod was lost too often",
    "PreRunningDeadlineExceeded": "the job's Pods did not start in time (--pending-timeout)",
    "DeadlineExceeded": "the job took longer than --deadline allows",
}
_ENDS: dict[str, Callable[[JsonObject], JobStatus]] = {
    "Complete": _complete,
    "Failed": _failed,
    "ValidationFailed": _invalid,
}
