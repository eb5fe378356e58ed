"""When a new revision starts. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from k8s.objects.campaign.names import run_name
from k8s.objects.campaign.spec import CampaignSpec
from k8s.objects.campaign.status import Phase, Trigger
from k8s.operator.observed import Observed, Standing
from k8s.operator.plan.actions import AnswerSchedule, StartRevision
from k8s.operator.plan.schedule import latest_tick
from k8s.operator.revision_record import RevisionRecord

WORKING: tuple[Phase, ...] = ("Preparing", "Searching", "Training", "Evaluating", "Gating")
"""Phases in which a campaign takes one of the operator's places."""


@dataclass(frozen=True, slots=True)
class Queued:
    """A revision that waits for the limit of active campaigns."""

    start: StartRevision
    why: str


NewRevision = StartRevision | Queued | AnswerSchedule | None


def next_revision(observed: Observed, spec: CampaignSpec, now: float) -> NewRevision:
    """Decide whether a revision starts, and why.

    A change of the settings ends the revision that works; new data waits for its end, and so does
    the schedule unless it replaces.
    """
    reason = _reason(observed, spec, now)
    if reason is None or isinstance(reason, AnswerSchedule):
        return reason
    trigger, tick = reason
    start = start_revision(observed, trigger, tick)
    if start is None:
        return None
    busy = is_working(observed, observed.current)
    if observed.queue or busy or may_start(observed):
        return start
    return Queued(start, _limit_reached(observed))


def waits_for_place(observed: Observed) -> str:
    """Say why the next job of a revision waits for the operator's limit; empty if it does not.

    A campaign keeps its place between two jobs, and loses it when it is suspended or has ended.
    """
    has_place = observed.campaign is not None and observed.campaign.status.phase in WORKING
    if observed.queue or has_place or may_start(observed):
        return ""
    return _limit_reached(observed)


def _limit_reached(observed: Observed) -> str:
    working = sum(each.state == "working" for each in observed.others)
    return f"{working} of {observed.limit} campaigns work, which is the operator's limit"


def start_revision(
    observed: Observed, trigger: Trigger, tick: float | None = None
) -> StartRevision | None:
    """Describe the next revision; None while its data is not there."""
    settings, data = observed.settings, observed.data
    if settings is None or data is None or data.missing:
        return None
    number = observed.next_number
    run = run_name(observed.name, number)
    return StartRevision(number, trigger, settings.inputs, data.digest, run, tick)


def _reason(
    observed: Observed, spec: CampaignSpec, now: float
) -> tuple[Trigger, float | None] | AnswerSchedule | None:
    settings, data, current = observed.settings, observed.data, observed.current
    if settings is None or data is None:
        return None
    if awaits_data(observed):
        return None
    has_new_data = current is None or data.digest != current.data
    if current is None or has_other_settings(observed, current) or _was_made_again(observed):
        return "spec", None
    tick = _due(observed, spec, now)
    if tick is not None:
        is_busy = is_working(observed, current) or _rolls_out(observed)
        skips = spec.schedule is None or (spec.schedule.only_if_changed and not has_new_data)
        waits = spec.schedule is not None and spec.schedule.concurrency == "Forbid" and is_busy
        return AnswerSchedule(tick) if skips or waits else ("schedule", tick)
    watches = spec.schedule is None and spec.on_data_change == "run"
    if watches and has_new_data and not is_working(observed, current) and not _rolls_out(observed):
        return "data", None
    return None


def has_other_settings(observed: Observed, revision: RevisionRecord) -> bool:
    """Tell whether the settings are no longer those that a revision was started from."""
    return observed.settings is not None and observed.settings.inputs != revision.inputs


def _was_made_again(observed: Observed) -> bool:
    """Tell whether the campaign was deleted after its latest revision had started."""
    campaign = observed.campaign
    return campaign is not None and observed.record.uid not in ("", campaign.metadata.uid)


def awaits_data(observed: Observed) -> bool:
    """Tell whether there is new data that somebody may still be writing: it would be read half."""
    data, current = observed.data, observed.current
    if data is None or data.settled:
        return False
    return current is None or data.digest != current.data


def _due(observed: Observed, spec: CampaignSpec, now: float) -> float | None:
    """Return the time of the schedule that has to be answered now."""
    if spec.schedule is None or observed.campaign is None:
        return None
    created = observed.campaign.metadata.creation_timestamp.timestamp()
    answered = [created, observed.record.last_schedule or 0.0]
    # Whatever started later than a time of the schedule has answered it.
    answered += [observed.current.started] if observed.current else []
    return latest_tick(spec.schedule, max(answered), now)


def is_working(observed: Observed, revision: RevisionRecord | None) -> bool:
    """Tell whether a revision has not come to the decision of its gate."""
    return (
        revision is not None
        and revision.outcome is None
        and not (observed.gate is not None and observed.gate.verdict == "undecided")
        and not observed.own_rollout
    )


def _rolls_out(observed: Observed) -> bool:
    return observed.rollout is not None and observed.rollout.is_active


def may_start(observed: Observed) -> bool:
    """Tell whether the operator's limit lets this campaign begin to work."""
    if observed.limit <= 0 or observed.campaign is None:
        return True
    spec = observed.campaign.spec
    own = Standing(
        observed.name,
        spec.priority if spec else 0,
        observed.campaign.metadata.creation_timestamp.timestamp(),
        "waiting",
    )
    return has_room(own, observed.others, observed.limit)


def has_room(own: Standing, others: Sequence[Standing], limit: int) -> bool:
    """Tell whether a waiting campaign is among the first that still fit below a limit."""
    free = limit - sum(each.state == "working" for each in others)
    before = sum(each.state == "waiting" and each.place < own.place for each in others)
    return before < free
