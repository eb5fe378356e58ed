"""The phase, the conditions and the status of a campaign, from what is observed. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from k8s.objects.campaign.campaign import Campaign
from k8s.objects.campaign.status import (
    MAX_HISTORY,
    ActionStatus,
    CampaignStatus,
    GateStatus,
    PastRevision,
    Phase,
    Progress,
    RevisionStatus,
    RolloutStatus,
    StepState,
    StepStatus,
    cut_message,
    time_of,
    with_transition_times,
)
from k8s.observe.job_status import JobState
from k8s.operator.observed import Observed, ObservedJob, ObservedStep, Standing
from k8s.operator.plan.conditions import KSTATUS, conditions_of
from k8s.operator.plan.revisions import WORKING, awaits_data
from k8s.operator.plan.steps import Broken, Create, Done, Wait, Work, Working, is_of, open_steps
from k8s.operator.revision_record import Outcome, RevisionRecord

_PHASE_OF_STEP: Mapping[str, Phase] = {
    "prepare": "Preparing",
    "base": "Preparing",
    "tune": "Searching",
    "train": "Training",
    "variants": "Training",
    "export": "Evaluating",
    "evaluate": "Evaluating",
    "gate": "Gating",
}
_PHASE_OF_OUTCOME: Mapping[Outcome, Phase] = {
    "failed": "Failed",
    "rejected": "Rejected",
    "accepted": "Accepted",
    "served": "Served",
    "rolled_back": "RolledBack",
    "aborted": "Failed",
    "replaced": "Failed",
}


@dataclass(frozen=True, slots=True)
class Situation:
    """What the plan has found out, beside what is observed."""

    work: Work | None = None
    """What the current revision does; None if it has ended, or none has started."""
    queued: str = ""
    """Why the next revision or job waits for the operator's limit; empty if it does not."""
    next_tick: float | None = None
    """When the schedule starts the next revision, in seconds since 1970."""


def phase_of(observed: Observed, situation: Situation) -> tuple[Phase, str]:
    """Return the phase, and the same as a sentence."""
    campaign, current = observed.campaign, observed.current
    spec = campaign.spec if campaign else None
    if observed.problem:
        return "Stalled", observed.problem
    if spec and spec.suspend:
        return "Suspended", "spec.suspend is true: nothing starts"
    if situation.queued:
        return "Queued", situation.queued
    if current is None:
        return "Pending", _why_pending(observed)
    rollout = observed.own_rollout
    if rollout and rollout.is_active:
        phase: Phase = "Paused" if rollout.state == "paused" else "Canary"
        return phase, f"{rollout.percent} % of the clients: {rollout.reason}"
    if current.outcome:
        phase = _PHASE_OF_OUTCOME[current.outcome]
        is_rollout_ended = current.outcome == "aborted" and rollout is not None
        return ("RolledBack" if is_rollout_ended else phase), current.message
    if isinstance(situation.work, Done) and observed.gate:
        undecided = observed.gate.verdict == "undecided"
        return ("Undecided" if undecided else "Gating"), observed.gate.reason
    return _phase_of_work(observed, current, situation.work)


def _why_pending(observed: Observed) -> str:
    data = observed.data
    if data and data.missing:
        return data.missing[0]
    if data and data.reading:
        return data.reading
    if data and not data.settled:
        return "the data is looked at a second time before the first revision starts"
    return "the first revision starts"


def _phase_of_work(
    observed: Observed, current: RevisionRecord, work: Work | None
) -> tuple[Phase, str]:
    left = open_steps(observed, current)
    step = left[0] if left else "gate"
    if isinstance(work, Working):
        step = _step_of(work.job, step)
        if work.job.status.state is JobState.QUEUED:
            return "Queued", work.job.status.message
        said = f": {work.job.status.message}" if work.job.status.message else ""
        return _PHASE_OF_STEP[step], f"{step}: RayJob {work.job.name} {work.job.status.state}{said}"
    if isinstance(work, Broken | Wait):
        return _PHASE_OF_STEP[step], work.why
    doing = "is created" if isinstance(work, Create) else "follows"
    return _PHASE_OF_STEP[step], f"{step}: its RayJob {doing}"


def _step_of(job: ObservedJob, otherwise: str) -> str:
    reported = job.progress.step if job.progress else None
    return reported if reported is not None and reported in _PHASE_OF_STEP else otherwise


def standing_of(campaign: Campaign, phase: Phase, queue: str) -> Standing:
    """Return what the limit of active campaigns has to know of a campaign.

    Args:
        campaign: the campaign.
        phase: what it does.
        queue: LocalQueue of a campaign that names none; empty: the limit admits it.
    """
    spec = campaign.spec
    state = "resting"
    # A campaign of Kueue takes none of the operator's places.
    if spec is not None and not (spec.queue or queue):
        state = "working" if phase in WORKING else "waiting" if phase == "Queued" else state
    created = campaign.metadata.creation_timestamp.timestamp()
    return Standing(campaign.name, spec.priority if spec else 0, created, state)


def with_problem(campaign: Campaign, problem: str, now: float) -> CampaignStatus:
    """Return the last status with a problem that kept the operator from making a new one."""
    told = Observed(campaign.name, campaign=campaign, problem=problem)
    status = build_status(told, Situation(), now)
    changed = {each.type: each for each in status.conditions if each.type in KSTATUS}
    kept = [each for each in campaign.status.conditions if each.type not in KSTATUS]
    return campaign.status.model_copy(
        update={
            "observed_generation": status.observed_generation,
            "phase": status.phase,
            "message": status.message,
            "conditions": (*changed.values(), *kept),
        }
    )


def build_status(observed: Observed, situation: Situation, now: float) -> CampaignStatus:
    """Build the status; the same observation gives the same status at any time."""
    if observed.campaign is None:
        return CampaignStatus()
    phase, message = phase_of(observed, situation)
    if _is_action_waiting(observed):
        message = f"{message}; spec.action waits until the new data is complete"
    record, current = observed.record, observed.current
    before = observed.campaign.status
    done = record.actions[-1] if record.actions else None
    return CampaignStatus(
        observed_generation=observed.campaign.metadata.generation,
        phase=phase,
        message=cut_message(message),
        conditions=with_transition_times(
            conditions_of(observed, phase, message, now), before.conditions
        ),
        revision=_revision(current) if current else None,
        steps=tuple(_steps(observed, current)) if current else (),
        progress=_progress(observed, situation),
        search=observed.search,
        gate=_gate(observed),
        rollout=_rollout(observed),
        serves=observed.route.stable if observed.route else None,
        action=ActionStatus(id=done.id, result=cut_message(done.result), time=time_of(done.at))
        if done
        else None,
        next_schedule_time=time_of(situation.next_tick) if situation.next_tick else None,
        last_schedule_time=time_of(record.last_schedule) if record.last_schedule else None,
        history=tuple(_past(each) for each in reversed(record.revisions[:-1]))[:MAX_HISTORY],
    )


def _is_action_waiting(observed: Observed) -> bool:
    spec = observed.campaign.spec if observed.campaign else None
    is_done = spec is None or spec.action is None or observed.record.has_done(spec.action.id)
    return not is_done and awaits_data(observed)


def _revision(current: RevisionRecord) -> RevisionStatus:
    return RevisionStatus(
        number=current.number,
        trigger=current.trigger,
        inputs=current.inputs,
        data=current.data,
        run=current.run,
        start_time=time_of(current.started),
    )


def _steps(observed: Observed, current: RevisionRecord) -> Iterator[StepStatus]:
    left = open_steps(observed, current)
    for step in (step for planned in observed.jobs_planned for step in planned.steps):
        jobs = [job for job in observed.jobs if step in job.steps and is_of(job, current)]
        job = jobs[-1] if jobs else None
        done = None if step in left else observed.steps.get(step)
        start, end = _times(job, done)
        yield StepStatus(
            name=step,
            state="done" if done else _state_of(job, is_first=left[:1] == [step]),
            job=job.name if job else "",
            start_time=time_of(start) if start else None,
            end_time=time_of(end) if end else None,
            seconds=done.seconds if done else None,
            reused=done.reused if done else None,
            message=cut_message(done.headline) if done else "",
        )


def _times(job: ObservedJob | None, done: ObservedStep | None) -> tuple[float | None, float | None]:
    """Return when a step began and ended: by its record, or else by its job."""
    if done and done.ended:
        return done.ended - done.seconds, done.ended
    return (job.started, job.ended) if job else (None, None)


def _state_of(job: ObservedJob | None, *, is_first: bool) -> StepState:
    """Tell the state of a step that is not done; the steps of a job are done one by one."""
    if job is None or not is_first:
        return "waiting"
    states: Mapping[JobState, StepState] = {
        JobState.QUEUED: "queued",
        JobState.WAITING: "waiting",
        JobState.FAILED: "failed",
        JobState.CANCELLED: "failed",
    }
    return states.get(job.status.state, "running")


def _progress(observed: Observed, situation: Situation) -> Progress | None:
    work = situation.work
    reported = work.job.progress if isinstance(work, Working) else None
    if reported is None or reported.step is None:
        return None
    left = reported.remaining_seconds
    return Progress(
        step=reported.step,
        percent=reported.percent,
        remaining_seconds=None if left is None else int(left),
        last_updated_time=time_of(reported.updated_at),
    )


def _gate(observed: Observed) -> GateStatus | None:
    gate = observed.gate
    if gate is None:
        return None
    return GateStatus(
        verdict=gate.verdict,
        reason=cut_message(gate.reason),
        # A column of `kubectl get` shows all digits that there are.
        gain=round(gate.difference, 2),
        against=gate.baseline,
    )


def _rollout(observed: Observed) -> RolloutStatus | None:
    rollout = observed.own_rollout
    if rollout is None:
        return None
    return RolloutStatus(
        id=rollout.id,
        state=rollout.state,
        stable=rollout.stable,
        canary=rollout.engine,
        percent=rollout.percent,
        step=rollout.step,
        since=time_of(rollout.since),
        pairs=rollout.pairs,
        harm=rollout.harm,
        last_good=rollout.stable,
        reason=cut_message(rollout.reason),
    )


def _past(revision: RevisionRecord) -> PastRevision:
    return PastRevision(
        run=revision.run,
        phase=_PHASE_OF_OUTCOME[revision.outcome] if revision.outcome else "Failed",
        gain=None if revision.gain is None else round(revision.gain, 2),
        engine=revision.engine,
        end_time=time_of(revision.ended) if revision.ended else None,
    )
