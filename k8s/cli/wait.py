"""Waits for a job: says what it waits for, writes its log, ends with its exit code."""

import signal
import time
from dataclasses import dataclass, field, replace

from k8s.api.cluster import RAY_JOB, Cluster, JsonObject
from k8s.cli.output import Clock, Output, duration
from k8s.observe.diagnose import Problem, ProblemTimer, diagnose
from k8s.observe.job_log import LogTail
from k8s.observe.job_status import GONE, JobState, JobStatus, has_run, read_job_status
from k8s.observe.lookup import (
    claims_of,
    cluster_of,
    names_of,
    pods_of,
    unless_forbidden,
    warnings_of,
)
from nmt.errors import ClusterError, NmtError, UnreachableError

POLL_SECONDS = 2.0
_REMINDER_SECONDS = 15.0
_DIAGNOSE_SECONDS = {JobState.WAITING: 6.0, JobState.RETRYING: 6.0}
_SLOW_DIAGNOSE_SECONDS = 15.0
_SILENCE_SECONDS = 300.0
_DETACHED = {signal.SIGINT: 130, signal.SIGTERM: 143}


@dataclass(slots=True)
class _Seen:
    """What the last look has found, and since when it is so."""

    state: JobState | None = None
    since: float = 0.0
    trouble: ProblemTimer = field(default_factory=ProblemTimer)
    diagnosed_at: float = -1e9
    told_at: float = -1e9
    told: str = ""
    ran: bool = False
    """It was running once; whatever it waits for now, it is not to be given up."""


class JobWaiter:
    """The wait for one job."""

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
            gives_up: delete the job when it cannot start; only who has made it may.
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
        self._end_by_us: JobStatus | None = None

    def wait(self) -> int:
        """The job's exit code, after everything it wrote; Ctrl-C and SIGTERM leave it running."""
        tail = LogTail(self._cluster, self._name, self._output.log_line)
        tail.start()
        try:
            verdict = self._wait()
            if not self._end_by_us:  # else the submitter only complains that its cluster goes
                tail.finish()
        except KeyboardInterrupt as stop:
            return self._detached(stop)
        except NmtError as error:
            raise ClusterError(f"{error}\nThe job goes on: {self._resume_hint()}") from None
        self._tell_end(verdict)
        assert verdict.exit_code is not None  # noqa: S101 - _wait returns at an end
        return verdict.exit_code

    def _wait(self) -> JobStatus:
        lost_at: float | None = None
        while True:
            try:
                verdict = self._look()
                lost_at = None
            except UnreachableError as error:
                lost_at = self._clock.now() if lost_at is None else lost_at
                self._bear(error, lost_at)
            else:
                if verdict.exit_code is not None:
                    return verdict
            self._clock.sleep(POLL_SECONDS)

    def _look(self) -> JobStatus:
        job = self._cluster.get(RAY_JOB, self._name)
        if job is None or job["metadata"].get("uid") != self._uid:
            return self._end_by_us or GONE
        if self._end_by_us and job["metadata"].get("deletionTimestamp"):
            return self._end_by_us
        verdict = read_job_status(job)
        now = self._clock.now()
        self._seen.ran = self._seen.ran or has_run(job)
        if verdict.state is not self._seen.state:
            self._seen.state, self._seen.since = verdict.state, now
            self._seen.diagnosed_at = -1e9
        if verdict.exit_code is not None:
            return self._explained(verdict)
        self._diagnose(job, verdict, now)
        self._tell_progress(verdict, now)
        return self._given_up(verdict, now)

    def _diagnose(self, job: JsonObject, verdict: JobStatus, now: float) -> None:
        """Pods and events, often while the job waits for them and seldom once it runs."""
        pause = _DIAGNOSE_SECONDS.get(verdict.state, _SLOW_DIAGNOSE_SECONDS)
        if now - self._seen.diagnosed_at < pause:
            return
        self._seen.diagnosed_at = now
        self._seen.trouble.update(problem_of(self._cluster, job), now)

    def _given_up(self, verdict: JobStatus, now: float) -> JobStatus:
        """The verdict, or another when the job cannot start; it is then deleted."""
        self._end_by_us = None
        if not self._gives_up or verdict.state is not JobState.WAITING or self._seen.ran:
            return verdict
        problem, waited = self._seen.trouble.problem, now - self._seen.since
        fresh = self._seen.diagnosed_at == now  # what was seen before may have healed
        if fresh and self._seen.trouble.expired(now):
            return self._deleted(str(problem))
        if waited < self._pending_seconds:
            return verdict
        why = str(problem) if problem else verdict.message
        return self._deleted(f"it did not start within {self._pending_seconds} s: {why}")

    def _deleted(self, why: str) -> JobStatus:
        text = f"{why}\nThe RayJob was deleted, so nothing starts later."
        # Known before it is done: an answer that gets lost is no deletion by somebody else.
        self._end_by_us = JobStatus(JobState.FAILED, text, 3)
        self._cluster.delete(RAY_JOB, self._name)
        return self._end_by_us

    def _explained(self, verdict: JobStatus) -> JobStatus:
        problem = self._seen.trouble.problem
        if verdict.exit_code != 3 or not problem:
            return verdict
        return replace(verdict, message=f"{verdict.message}: {problem}")

    def _bear(self, error: UnreachableError, lost_at: float) -> None:
        silent = self._clock.now() - lost_at
        if silent >= _SILENCE_SECONDS:
            raise error
        self._tell(f"the cluster does not answer for {duration(silent)}; the job goes on", 0)

    def _tell_progress(self, verdict: JobStatus, now: float) -> None:
        seen, problem = self._seen, self._seen.trouble.problem
        text = verdict.state.value
        if verdict.state is not JobState.RUNNING:
            text += f" {duration(now - seen.since)}: {problem or verdict.message}"
        elif problem:
            text += f", but {problem}"
        about = (problem.about or problem.what) if problem else verdict.message
        self._tell(text, now, key=f"{verdict.state} {about}", reminds=verdict.state != "running")

    def _tell(self, text: str, now: float, *, key: str = "", reminds: bool = True) -> None:
        now = now or self._clock.now()
        due = reminds and now - self._seen.told_at >= _REMINDER_SECONDS
        if due or (key or "silent") != self._seen.told:
            self._output.note(f"{_time(now)} {text}")
            self._seen.told_at, self._seen.told = now, key or "silent"

    def _tell_end(self, verdict: JobStatus) -> None:
        now = self._clock.now()
        took = duration(now - self._begun)
        reason = f": {verdict.message}" if verdict.message else ""
        self._output.note(f"{_time(now)} {self._name} {verdict.state} after {took}{reason}")
        if self._output.form != "text":
            fields = {"state": verdict.state.value, "exit_code": verdict.exit_code}
            self._output.answer({"name": self._name, **fields, "message": verdict.message}, "")

    def _resume_hint(self) -> str:
        return f"nmt-k8s logs {self._name} --follow -n {self._cluster.namespace}"

    def _detached(self, stop: KeyboardInterrupt) -> int:
        number = stop.args[0] if stop.args else signal.SIGINT
        self._output.note(f"detached: the job goes on; come back with `{self._resume_hint()}`")
        return _DETACHED.get(number, 130)


def problem_of(cluster: Cluster, job: JsonObject) -> Problem | None:
    """What keeps a job's Pods from running, as far as this user may see it."""
    pods = unless_forbidden(lambda: pods_of(cluster, job))
    claims = claims_of(cluster, pods)
    if has_run(job):  # what has refused a Pod before is over
        return diagnose(pods, claims=claims)
    events = warnings_of(cluster, [job["metadata"]["name"], *names_of(claims)], cluster_of(job))
    status = job.get("status", {}).get("rayClusterStatus", {})
    return diagnose(pods, events, status.get("conditions", []), claims)


def _time(now: float) -> str:
    return time.strftime("%H:%M:%S", time.localtime(now))
