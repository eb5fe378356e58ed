"""The plan of a campaign: what has to be done now, what is reported, and when to look again. Pure.

A plan has few actions. After them everything is observed once more, so that each decision is made
from what is true, and an operator that dies between two actions has lost nothing.
"""

from collections.abc import Iterable, Sequence

from k8s.objects.campaign.names import rollout_owner
from k8s.objects.campaign.spec import CampaignSpec
from k8s.observe.job_status import JobState
from k8s.operator.observed import Observed
from k8s.operator.plan.actions import (
    AnswerSchedule,
    ClaimRoute,
    CommandRollout,
    CreateJob,
    DeleteJob,
    FinishRevision,
    HoldRevision,
    LookAtRollout,
    Plan,
    PlannedAction,
    ReleaseRoute,
    StartRevision,
)
from k8s.operator.plan.outcome import Situation, build_status
from k8s.operator.plan.people import follow_action
from k8s.operator.plan.retention import make_room
from k8s.operator.plan.revisions import (
    Queued,
    has_other_settings,
    next_revision,
    waits_for_place,
)
from k8s.operator.plan.rollout import (
    After,
    after_gate,
    end_of_rollout,
    is_held_back,
    watch_rollout,
)
from k8s.operator.plan.schedule import next_tick
from k8s.operator.plan.steps import (
    Broken,
    Create,
    Done,
    Wait,
    Working,
    is_of,
    next_work,
    open_steps,
)
from k8s.operator.revision_record import RevisionRecord
from nmt.cli.durations import duration

_PROGRESS_SECONDS = 15.0
_QUEUE_SECONDS = 15.0
_SETTLING_SECONDS = 15.0
_MISSING_SECONDS = 60.0


def plan_campaign(observed: Observed, now: float) -> Plan:
    """Plan what has to be done now.

    Args:
        observed: what is known.
        now: seconds since 1970.
    """
    campaign = observed.campaign
    if campaign is None:
        return Plan(_after_deletion(observed), None)
    if campaign.metadata.deletion_timestamp:
        # The object stays until its jobs are gone, which may take long.
        return Plan(_after_deletion(observed), None)
    spec = campaign.spec
    watched = watch_rollout(observed, now, suspended=spec is not None and spec.suspend)
    situation, after = _situation(observed, spec, now)
    actions = watched.actions
    if spec is not None and not actions:
        actions = _decide(observed, spec, situation, after, now)
    waits = [watched.again_after_seconds, after.again_after_seconds]
    waits += _waits(observed, spec, situation, now)
    return Plan(actions, build_status(observed, situation, now), _soonest(waits))


def _after_deletion(observed: Observed) -> tuple[PlannedAction, ...]:
    """Give back what a deleted campaign held; its jobs go with it."""
    rollout, route = observed.rollout, observed.route
    if rollout and rollout.is_active:
        return (CommandRollout(rollout.id, "abort", "the campaign was deleted"),)
    if rollout and not rollout.settled:
        return (LookAtRollout(rollout.id),)
    ended = end_of_rollout(observed, observed.current) if observed.current else None
    if ended:
        return (ended,)
    if route and route.owner == rollout_owner(observed.name):
        return (ReleaseRoute(route.endpoint, route.key),)
    return ()


def _situation(
    observed: Observed, spec: CampaignSpec | None, now: float
) -> tuple[Situation, After]:
    """Find out what the current revision does, and what its gate asks for."""
    current = observed.current
    if spec is None or observed.problem:
        return Situation(), After()
    tick = next_tick(spec.schedule, now) if spec.schedule and not spec.suspend else None
    queued = ""
    if not spec.suspend:
        new = next_revision(observed, spec, now)
        queued = new.why if isinstance(new, Queued) else ""
    has_ended = current is None or (current.outcome and not is_held_back(current, _mode(observed)))
    if current is None or has_ended or observed.own_rollout:
        return Situation(queued=queued, next_tick=tick), After()
    work = next_work(observed, current, now)
    after = After()
    if isinstance(work, Done):
        after = after_gate(observed, current, mode=_mode(observed))
    if isinstance(work, Create) and has_other_settings(observed, current):
        # It would go on with the new ones, and be taken for what it was started from.
        work = Wait("the changed settings wait for their data", _SETTLING_SECONDS)
    if isinstance(work, Create | Wait) and not spec.suspend and not queued:
        queued = waits_for_place(observed)
    return Situation(work, queued, tick), after


def _mode(observed: Observed) -> str:
    return observed.settings.config.rollout.mode if observed.settings else "none"


def _decide(
    observed: Observed, spec: CampaignSpec, situation: Situation, after: After, now: float
) -> tuple[PlannedAction, ...]:
    """Choose the first thing that has to be done."""
    told = follow_action(observed, spec.action) if spec.action else None
    current = observed.current
    if told and current and isinstance(situation.work, Broken):
        # People have seen a failure that is not recorded yet: what they say is about it.
        return _go_on(observed, spec, current, situation, after, now)
    if told:
        return (told,)
    ended = end_of_rollout(observed, current) if current else None
    if ended:
        return (ended,)
    held = _hold(current, held=spec.suspend or _is_queued(situation))
    useless = _useless_jobs(observed, current, suspended=spec.suspend)
    if useless:
        return useless
    if held or spec.suspend or observed.problem:
        return held
    new = next_revision(observed, spec, now)
    if isinstance(new, StartRevision | AnswerSchedule):
        return (new,)
    if current and (not current.outcome or is_held_back(current, _mode(observed))):
        actions = _go_on(observed, spec, current, situation, after, now)
        if actions:
            return actions
    claim = _claim(observed)
    return (claim,) if claim else make_room(observed, spec.keep)


def _claim(observed: Observed) -> ClaimRoute | None:
    """Take the route again that the engine serves, as after the campaign was made again."""
    current, route = observed.current, observed.route
    if current is None or current.outcome != "served" or route is None or route.owner:
        return None
    if current.engine is None or route.stable != current.engine:
        return None
    return ClaimRoute(route.endpoint, route.key, current.engine)


def _hold(current: RevisionRecord | None, *, held: bool) -> tuple[HoldRevision, ...]:
    """Let the deadline wait while a revision is suspended or queued; it may be set later."""
    if current is None or current.outcome or held == (current.held_since is not None):
        return ()
    return (HoldRevision(current.number, held),)


def _is_queued(situation: Situation) -> bool:
    """Tell whether the current revision waits for the operator's limit, or for Kueue."""
    work = situation.work
    by_kueue = isinstance(work, Working) and work.job.status.state is JobState.QUEUED
    return by_kueue or bool(situation.queued)


def _deadline_left(
    spec: CampaignSpec, current: RevisionRecord, situation: Situation, now: float
) -> float | None:
    """Return the seconds until the current revision has taken too long; None: it cannot now."""
    is_at_work = situation.work is not None and not isinstance(situation.work, Done)
    if spec.deadline_seconds is None or not is_at_work or current.held_since is not None:
        return None
    return spec.deadline_seconds - current.seconds_at_work(now)


def _useless_jobs(
    observed: Observed, current: RevisionRecord | None, *, suspended: bool
) -> tuple[DeleteJob, ...]:
    """List the jobs whose work nobody wants any more, or not now."""
    return tuple(
        DeleteJob(job.name, job.uid)
        for job in observed.jobs
        if not job.has_ended
        and not job.deleting
        and (suspended or current is None or not is_of(job, current) or _is_given_up(observed))
    )


def _is_given_up(observed: Observed) -> bool:
    """Tell whether the current revision has ended before its steps were done.

    A job whose steps are all done writes its last lines, and ends by itself.
    """
    current = observed.current
    if current is None or not current.outcome:
        return False
    if observed.problem:
        # Which steps are open is not known then.
        return current.outcome in ("failed", "aborted")
    return bool(open_steps(observed, current))


def _go_on(
    observed: Observed,
    spec: CampaignSpec,
    current: RevisionRecord,
    situation: Situation,
    after: After,
    now: float,
) -> tuple[PlannedAction, ...]:
    """Do the next part of a revision."""
    limit, work = spec.deadline_seconds, situation.work
    left = _deadline_left(spec, current, situation, now)
    if limit and left is not None and left < 0:
        message = f"took longer than spec.deadlineSeconds={limit} ({duration(limit)})"
        return (FinishRevision(current.number, "failed", message, observed.engine),)
    if isinstance(work, Create):
        if situation.queued:
            return ()
        return (CreateJob(work.planned, current.number, current.attempt),)
    if isinstance(work, Broken):
        return (FinishRevision(current.number, "failed", work.why, observed.engine),)
    return after.actions


def _waits(
    observed: Observed, spec: CampaignSpec | None, situation: Situation, now: float
) -> Iterable[float | None]:
    """List the times after which something may be different without any event."""
    data, current = observed.data, observed.current
    if situation.next_tick is not None:
        yield situation.next_tick - now + 1
    if isinstance(situation.work, Working):
        yield _PROGRESS_SECONDS
    if isinstance(situation.work, Wait):
        yield situation.work.seconds
    if situation.queued:
        yield _QUEUE_SECONDS
    if data and not data.settled:
        yield _SETTLING_SECONDS
    if data and data.missing:
        yield _MISSING_SECONDS
    left = _deadline_left(spec, current, situation, now) if spec and current else None
    if left is not None:
        yield max(1.0, left + 1)


def _soonest(waits: Sequence[float | None]) -> float | None:
    return min((each for each in waits if each is not None), default=None)
