"""Which job of a revision is next. Pure."""

from dataclasses import dataclass

from k8s.objects.campaign.jobs import PlannedJob
from k8s.observe.job_status import JobState
from k8s.operator.observed import Observed, ObservedJob
from k8s.operator.revision_record import RevisionRecord
from nmt.runs.steps import GATE

_RECORD_SECONDS = 120.0
"""Time after the end of a job in which its records may still be on their way, as on NFS."""
_DELETION_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Working:
    """A job works, or waits for its Pods or its queue."""

    job: ObservedJob


@dataclass(frozen=True, slots=True)
class Create:
    """The next job has to be created."""

    planned: PlannedJob


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing can be done until something else has ended."""

    why: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Broken:
    """A job has failed."""

    why: str


@dataclass(frozen=True, slots=True)
class Done:
    """All steps are done."""


Work = Working | Create | Wait | Broken | Done


def next_work(observed: Observed, revision: RevisionRecord, now: float) -> Work:
    """Find out what the revision does now, or has to do next."""
    missing = open_steps(observed, revision)
    if not missing:
        return Done()
    own = [job for job in observed.jobs if is_of(job, revision)]
    working = next((job for job in own if not job.has_ended), None)
    if working:
        return Working(working)
    # Two jobs must never work on one run, so the next one waits until the one before is gone.
    ending = next((job for job in observed.jobs if job.deleting or not job.has_ended), None)
    if ending:
        return Wait(f"RayJob {ending.name} is being deleted", _DELETION_SECONDS)
    planned = next(job for job in observed.jobs_planned if missing[0] in job.steps)
    covering = [job for job in own if missing[0] in job.steps or job.kind == planned.kind]
    return _after(covering[-1], missing[0], now) if covering else Create(planned)


def open_steps(observed: Observed, revision: RevisionRecord) -> list[str]:
    """List the steps of a revision that are not done, in order."""
    wanted = [step for job in observed.jobs_planned for step in job.steps]
    return [step for step in wanted if _is_open(observed, revision, step)]


def _is_open(observed: Observed, revision: RevisionRecord, step: str) -> bool:
    if step != GATE.name:
        return step not in observed.steps
    if serves_already(observed):
        return False
    return step not in observed.steps or is_outdated(observed, revision)


def is_outdated(observed: Observed, revision: RevisionRecord) -> bool:
    """Tell whether the gate has to be asked once more in this attempt."""
    gate, route = observed.gate, observed.route
    if observed.own_rollout or revision.outcome:
        return False
    if gate is None:
        return True
    was_asked = any(
        GATE.name in job.steps and is_of(job, revision) and job.status.state is JobState.SUCCEEDED
        for job in observed.jobs
    )
    asks = route is not None and revision.compared_again_for == (route.stable or "")
    return asks and not was_asked and not fits_traffic(observed)


def serves_already(observed: Observed) -> bool:
    """Tell whether a revision has made the engine that serves, which no gate can judge.

    Its inputs were those of an earlier revision, or made the same data.
    """
    return observed.serves and observed.gate is None and observed.own_rollout is None


def fits_traffic(observed: Observed) -> bool:
    """Tell whether the gate has compared with what serves now."""
    gate, route = observed.gate, observed.route
    return gate is not None and (route is None or route.stable in (gate.baseline, gate.engine))


def is_of(job: ObservedJob, revision: RevisionRecord) -> bool:
    """Tell whether a job belongs to the present attempt of a revision."""
    return (job.revision, job.attempt) == (revision.number, revision.attempt)


def _after(job: ObservedJob, step: str, now: float) -> Work:
    """Decide what the end of a job means whose step is not done."""
    reported = job.progress.exit_code if job.progress else None
    if job.status.state is JobState.SUCCEEDED or (reported == 0 and job.status.exit_code == 3):
        ended = job.ended or now
        if now - ended < _RECORD_SECONDS:
            return Wait(f"RayJob {job.name} has ended, and its records are awaited", 5.0)
        return Broken(
            f"RayJob {job.name} has ended without an error, but step '{step}' has no record on the "
            "storage root: see its log, then set spec.action to retry"
        )
    error = job.progress.error if job.progress and reported else ""
    return Broken(f"RayJob {job.name}: {error or job.status.message or job.status.state}")
