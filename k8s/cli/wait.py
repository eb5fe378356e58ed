"""Waiting for a job: report its state, print its log, and return its exit code."""

import time
from dataclasses import dataclass, field, replace

from k8s.api.cluster import RAY_JOB, Cluster, JsonObject
from k8s.cli.output import Clock, Output
from k8s.observe.diagnose import Problem, ProblemTimer, diagnose, pulled_in_vain
from k8s.observe.job_log import LogTail
from k8s.observe.job_status import GONE, JobState, JobStatus, has_run, read_job_status
from k8s.observe.lookup import (
    claims_of,
    cluster_of,
    names_of,
    pods_of,
    submitted_job,
    unless_forbidden,
    warnings_of,
)
from nmt.cli.durations import duration
from nmt.cli.signals import exit_code_of, signal_of
from nmt.errors import ClusterError, NmtError, UnreachableError

POLL_SECONDS = 1.0
_REMINDER_SECONDS = 15.0
# Each diagnosis lists Pods and events, which is too much for every poll.
_DIAGNOSE_SECONDS = {JobState.WAITING: 6.0, JobState.RETRYING: 6.0}
_SLOW_DIAGNOSE_SECONDS = 15.0
_SILENCE_SECONDS = 300.0
_NEW_HEAD = (
    "the head Pod was lost: KubeRay replaces it, and the job goes on from its last checkpoint"
)


@dataclass(slots=True)
class _Seen:
    """The result of the latest poll, and how long it has been the same."""

    state: JobState | None = None
    since: float = 0.0
    problem_timer: ProblemTimer = field(default_factory=ProblemTimer)
    diagnosed_at: float = -1e9
    reported_at: float = -1e9
    reported: str = ""
    running: bool = False
    """The job was seen to run, so that it waits only because its head Pod was lost."""
    ran: bool = False
    """The job has been running, so it is never given up, even if it waits for Pods again."""


class JobWaiter:
    """The loop that waits for one job."""

    def __init__(
        self,
        cluster: Cluster,
        job: JsonObject,
        output: Output,
        clock: Clock,
        *,
        gives_up: bool = False,
    ) -> None:
        """Prepare to wait.

        Args:
            cluster: where the job is.
            job: the RayJob.
            output: where its log and its progress go.
            clock: time.
            gives_up: delete the job if it cannot start; only for the command that created it.
        """
        self._cluster = cluster
        self._name: str = job["metadata"]["name"]
        self._uid = job["metadata"].get("uid")
        self._pending_seconds = job["spec"].get("preRunningDeadlineSeconds", float("inf"))
        self._output = output
        self._clock = clock
        self._seen = _Seen(since=clock.now())
        self._begun = clock.now()
        self._gives_up = gives_up
        self._deleted_status: JobStatus | None = None

    def wait(self) -> int:
        """Wait for the end of the job and return its exit code.

        Ctrl-C and SIGTERM end the wait, not the job.
        """
        tail = LogTail(self._cluster, self._name, self._output.log_line)
        tail.start()
        try:
            status = self._wait()
            # After our own deletion, the submitter only reports that its cluster is gone.
            if not self._deleted_status:
                tail.finish()
        except KeyboardInterrupt as stop:
            resume = f"resume with `{self._resume_hint()}`"
            self._output.note(f"detached: the job keeps running; {resume}")
            return exit_code_of(signal_of(stop))
        except NmtError as error:
            raise ClusterError(f"{error}\nThe job keeps running: {self._resume_hint()}") from None
        self._report_end(status)
        assert status.exit_code is not None  # noqa: S101 - the job has ended
        return status.exit_code

    def _wait(self) -> JobStatus:
        lost_at: float | None = None
        while True:
            try:
                status = self._poll()
                lost_at = None
            except UnreachableError as error:
                lost_at = self._clock.now() if lost_at is None else lost_at
                self._tolerate(error, lost_at)
            else:
                if status.exit_code is not None:
                    return status
            self._clock.sleep(POLL_SECONDS)

    def _poll(self) -> JobStatus:
        job = self._cluster.get(RAY_JOB, self._name)
        # Another uid: somebody has deleted the job and created another of the same name.
        if job is None or job["metadata"].get("uid") != self._uid:
            return self._deleted_status or GONE
        if self._deleted_status and job["metadata"].get("deletionTimestamp"):
            return self._deleted_status
        status = read_job_status(job)
        now = self._clock.now()
        self._seen.ran = self._seen.ran or has_run(job)
        self._seen.running = self._seen.running or status.state is JobState.RUNNING
        if status.state is JobState.WAITING and self._seen.running:
            status = replace(status, message=_NEW_HEAD)
        if status.state is not self._seen.state:
            self._seen.state, self._seen.since = status.state, now
            self._seen.diagnosed_at = -1e9
        if status.exit_code is not None:
            seen = self._seen.problem_timer.problem
            return with_problem(self._cluster, job, status, seen)
        self._diagnose(job, status, now)
        self._report_progress(status, now)
        return self._give_up_if_stuck(status, now)

    def _diagnose(self, job: JsonObject, status: JobStatus, now: float) -> None:
        """Look for a problem in Pods and events."""
        # Often while the job waits for its Pods; rarely once it runs.
        pause = _DIAGNOSE_SECONDS.get(status.state, _SLOW_DIAGNOSE_SECONDS)
        if now - self._seen.diagnosed_at < pause:
            return
        self._seen.diagnosed_at = now
        self._seen.problem_timer.update(problem_of(self._cluster, job), now)

    def _give_up_if_stuck(self, status: JobStatus, now: float) -> JobStatus:
        """Delete a job that cannot start, and return the status that follows."""
        self._deleted_status = None
        if not self._gives_up or status.state is not JobState.WAITING or self._seen.ran:
            return status
        # Waiting in a queue has another state, so it does not use up the pending time.
        problem, waited = self._seen.problem_timer.problem, now - self._seen.since
        fresh = self._seen.diagnosed_at == now  # an older problem may have been solved since
        if fresh and self._seen.problem_timer.expired(now):
            return self._delete(str(problem))
        if waited < self._pending_seconds:
            return status
        why = str(problem) if problem else status.message
        return self._delete(f"it did not start within {self._pending_seconds} s: {why}")

    def _delete(self, why: str) -> JobStatus:
        text = f"{why}\nThe RayJob was deleted, so that it does not start later."
        # Set before the deletion: if the answer is lost, nobody else is blamed for it.
        self._deleted_status = JobStatus(JobState.FAILED, text, 3)
        self._cluster.delete(RAY_JOB, self._name)
        return self._deleted_status

    def _tolerate(self, error: UnreachableError, lost_at: float) -> None:
        silent = self._clock.now() - lost_at
        if silent >= _SILENCE_SECONDS:
            raise error
        text = f"the cluster has not answered for {duration(silent)}; the job keeps running"
        self._report(text, 0)

    def _report_progress(self, status: JobStatus, now: float) -> None:
        seen, problem = self._seen, self._seen.problem_timer.problem
        text = status.state.value
        # A running job speaks for itself through its log.
        if status.state is not JobState.RUNNING:
            text += f" {duration(now - seen.since)}: {problem or status.message}"
        elif problem:
            text += f", but {problem}"
        about = (problem.about or problem.what) if problem else status.message
        self._report(text, now, key=f"{status.state} {about}", reminds=status.state != "running")

    def _report(self, text: str, now: float, *, key: str = "", reminds: bool = True) -> None:
        now = now or self._clock.now()
        due = reminds and now - self._seen.reported_at >= _REMINDER_SECONDS
        if due or (key or "silent") != self._seen.reported:
            self._output.note(f"{_time(now)} {text}")
            self._seen.reported_at, self._seen.reported = now, key or "silent"

    def _report_end(self, status: JobStatus) -> None:
        now = self._clock.now()
        took = duration(now - self._begun)
        reason = f": {status.message}" if status.message else ""
        self._output.note(f"{_time(now)} {self._name} {status.state} after {took}{reason}")
        if self._output.form != "text":
            fields = {"state": status.state.value, "exit_code": status.exit_code}
            self._output.answer({"name": self._name, **fields, "message": status.message}, "")

    def _resume_hint(self) -> str:
        return f"nmt-k8s logs {self._name} --follow -n {self._cluster.namespace}"


def problem_of(cluster: Cluster, job: JsonObject) -> Problem | None:
    """Diagnose what keeps, or has kept, a job's Pods from running, from what this user may read."""
    ended = read_job_status(job).exit_code is not None
    pods = unless_forbidden(lambda: pods_of(cluster, job))
    if ended:
        # The submitter may wait for the Secret of the cluster, which is gone by then.
        pods = [pod for pod in pods if not submitted_job(pod)]
    claims = claims_of(cluster, pods)
    # Once the job has run, the events about Pods that were refused before are outdated.
    if has_run(job):
        return diagnose(pods, claims=claims)
    events = warnings_of(cluster, [job["metadata"]["name"], *names_of(claims)], cluster_of(job))
    status = job.get("status", {}).get("rayClusterStatus", {})
    found = diagnose(pods, events, status.get("conditions", []), claims)
    # Of Pods that wait, their state says whether the image is still missing; events are older.
    return found or (pulled_in_vain(events) if ended else None)


def with_problem(
    cluster: Cluster, job: JsonObject, status: JobStatus, seen: Problem | None = None
) -> JobStatus:
    """Add to the status of a job that the cluster has ended what kept its Pods from running.

    Args:
        cluster: where the job is.
        job: the RayJob.
        status: its state.
        seen: a problem that was seen while it waited.
    """
    # Other exit codes have their reason in the job's log.
    if status.exit_code != 3:
        return status
    problem = seen or problem_of(cluster, job)
    return replace(status, message=f"{status.message}: {problem}") if problem else status


def _time(now: float) -> str:
    return time.strftime("%H:%M:%S", time.localtime(now))
