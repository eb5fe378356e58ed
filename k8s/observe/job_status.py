"""The state of a job and its exit code, from the status of its RayJob. Pure.

A job has ended only when `jobDeploymentStatus` says so; `jobStatus` alone is not enough. The
submitter's batch Job does not show the outcome either, since it succeeds even when the job failed.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypedDict

from k8s.api.cluster import JsonObject
from k8s.objects.names import QUEUE
from nmt.cli.signals import DEADLINE_EXIT_CODE

_EXIT_CODE = re.compile(r"failed with exit code (-?\d+)")
_CLUSTER_ERROR, _CANCELLED = 3, 4


class _RayJobStatus(TypedDict, total=False):
    """The fields of a RayJob's status that are read here."""

    jobDeploymentStatus: str
    """State of the RayJob in KubeRay."""
    jobStatus: str | None
    """State of the job in Ray."""
    reason: str
    message: str


class JobState(StrEnum):
    """The state of a job."""

    QUEUED = "queued"
    WAITING = "waiting"
    RUNNING = "running"
    RETRYING = "retrying"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class JobStatus:
    """The state of a job, and its exit code once it has ended."""

    state: JobState
    message: str = ""
    exit_code: int | None = None
    """None while the job has not ended."""

    def __str__(self) -> str:
        return f"{self.state}: {self.message}" if self.message else self.state.value


GONE = JobStatus(JobState.CANCELLED, "the RayJob was deleted by somebody else", _CANCELLED)


def read_job_status(job: JsonObject) -> JobStatus:
    """Read the state of a RayJob."""
    # KubeRay fills the status in after a moment; until then there is none.
    status: _RayJobStatus = job.get("status", {})
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
    # KubeRay says Running as soon as the head Pod is up, before Ray has started the job.
    if deployment == "Running" and status.get("jobStatus") not in ("", None, "PENDING"):
        return JobStatus(JobState.RUNNING)
    return JobStatus(JobState.WAITING, _waiting_for(deployment))


def has_run(job: JsonObject) -> bool:
    """Tell whether Ray has started the job at least once."""
    return bool(job.get("status", {}).get("rayJobInfo", {}).get("startTime"))


def _waiting_for(deployment: str) -> str:
    if not deployment:
        return "KubeRay has not seen it yet; if this lasts, see `nmt-k8s doctor`"
    return (
        "its Pods are starting" if deployment == "Initializing" else "it is being submitted to Ray"
    )


def _suspended(job: JsonObject) -> JobStatus:
    queue = job["metadata"].get("labels", {}).get(QUEUE)
    if queue:
        return JobStatus(JobState.QUEUED, f"Kueue's queue '{queue}' has not admitted it yet")
    message = "somebody else suspended the RayJob: set its spec.suspend to false to resume"
    return JobStatus(JobState.CANCELLED, message, _CANCELLED)


def _complete(status: _RayJobStatus) -> JobStatus:
    # To KubeRay a RayJob is complete when it has ended, whatever its own outcome is.
    outcome = status.get("jobStatus")
    if outcome == "SUCCEEDED":
        return JobStatus(JobState.SUCCEEDED, exit_code=0)
    if outcome == "STOPPED":
        return JobStatus(JobState.CANCELLED, "the job was stopped inside Ray", _CANCELLED)
    return _failed(status)


def _failed(status: _RayJobStatus) -> JobStatus:
    message, reason = status.get("message", ""), status.get("reason", "")
    # Only the first line: below it, Ray repeats the end of the job's own log.
    first = message.splitlines()[0] if message else ""
    code = _EXIT_CODE.search(first)
    if code:
        return _ended_with(int(code[1]))
    if first.startswith(_JOB_NOT_FOUND):
        return JobStatus(JobState.FAILED, _HEAD_LOST, _CLUSTER_ERROR)
    if reason in ("SubmissionFailed", "PreRunningDeadlineExceeded"):
        return JobStatus(JobState.FAILED, _REASONS[reason], _CLUSTER_ERROR)
    if reason == "DeadlineExceeded":
        # A job that never ran was stopped by the cluster, not by its own slowness.
        ran = status.get("jobStatus") not in ("", None, "PENDING")
        return JobStatus(JobState.FAILED, _REASONS[reason], 1 if ran else _CLUSTER_ERROR)
    # Without this reason, not the job's command but Ray or a lost Pod ended the job.
    own = reason == "JobDeploymentStatusTransitionGracePeriodExceeded"
    return JobStatus(
        JobState.FAILED, first or reason or "no reason given", 1 if own else _CLUSTER_ERROR
    )


def _ended_with(code: int) -> JobStatus:
    if code == DEADLINE_EXIT_CODE:
        return JobStatus(JobState.FAILED, _REASONS["DeadlineExceeded"], 1)
    # A negative code is a signal; a shell reports it as 128 + its number.
    code = 128 - code if code < 0 else code
    killed = {137: " (killed, usually out of memory)", 143: " (terminated)"}.get(code, "")
    return JobStatus(JobState.FAILED, f"the job ended with exit code {code}{killed}", code)


def _invalid(status: _RayJobStatus) -> JobStatus:
    first = next(iter(status.get("message", "").splitlines()), "")
    return JobStatus(JobState.FAILED, f"KubeRay refuses the job: {first}", 2)


_JOB_NOT_FOUND = "Submitter completed but Ray job not found"
_HEAD_LOST = (
    "the head Pod was lost just as the job ended, and with it the outcome: run the same submit "
    "command again to resume from the last checkpoint"
)
_REASONS = {
    "SubmissionFailed": "the job could not be submitted to Ray, or lost its head Pod too often",
    "PreRunningDeadlineExceeded": "the job's Pods did not start in time (--pending-timeout)",
    "DeadlineExceeded": "the job took longer than --deadline allows",
}
_ENDS: dict[str, Callable[[_RayJobStatus], JobStatus]] = {
    "Complete": _complete,
    "Failed": _failed,
    "ValidationFailed": _invalid,
}
