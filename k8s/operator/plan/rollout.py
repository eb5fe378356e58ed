"""What happens to the engine of a revision after its gate. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from k8s.operator.observed import Observed, ObservedRollout, RolloutState
from k8s.operator.plan.actions import (
    BeginAttempt,
    CommandRollout,
    FinishRevision,
    LookAtRollout,
    PlannedAction,
    StartRollout,
)
from k8s.operator.plan.steps import fits_traffic, serves_already
from k8s.operator.revision_record import Outcome, RevisionRecord

LOOK_EVERY_SECONDS = 30.0
PEOPLE_SECONDS = 600.0
"""Time between two looks whether people have decided."""
SUSPENDED = "the campaign is suspended"

_OUTCOMES: Mapping[RolloutState, Outcome] = {
    "promoted": "served",
    "rolled_back": "rolled_back",
    "aborted": "aborted",
}


@dataclass(frozen=True, slots=True)
class After:
    """What has to be done with an engine, and when to look again."""

    actions: tuple[PlannedAction, ...] = ()
    again_after_seconds: float | None = None


def is_held_back(revision: RevisionRecord, mode: str) -> bool:
    """Tell whether an accepted engine was not rolled out, and the settings now ask for it."""
    return revision.outcome == "accepted" and mode != "none"


def after_gate(observed: Observed, revision: RevisionRecord, *, mode: str) -> After:
    """Follow the decision of the gate, once all steps of a revision are done.

    Args:
        observed: what is known.
        revision: the current one.
        mode: `rollout.mode` of the settings.
    """
    gate = observed.gate
    has_ended = revision.outcome and not is_held_back(revision, mode)
    if observed.own_rollout or has_ended:
        return After()
    if serves_already(observed):
        message = f"engine {observed.engine} serves already, and this revision has made the same"
        return After((FinishRevision(revision.number, "served", message, observed.engine),))
    if gate is None:
        return After()
    if gate.verdict == "undecided":
        return After(again_after_seconds=PEOPLE_SECONDS)

    def finish(outcome: Outcome, message: str) -> After:
        return After(
            (FinishRevision(revision.number, outcome, message, gate.engine, gate.difference),)
        )

    if gate.verdict == "reject":
        return finish("rejected", gate.reason)
    if mode == "none":
        message = "the gate accepted it; spec.action promote serves it (rollout.mode=none)"
        return finish("accepted", message)
    if fits_traffic(observed):
        return After((StartRollout(revision.run),))
    stable = (observed.route.stable if observed.route else None) or ""
    if revision.compared_again_for == stable:
        return finish(
            "failed",
            f"engine {stable or 'none'} serves, and the gate keeps comparing with "
            f"{gate.baseline or 'the base'}: compare serving.name and gate.domain with the route",
        )
    return After((BeginAttempt(revision.number, revision.attempt + 1, because=stable),))


def watch_rollout(observed: Observed, now: float, *, suspended: bool) -> After:
    """Look at the campaign's rollout from time to time, whatever else is wrong with the campaign.

    A rollout of an earlier revision is ended: its gate has compared with other engines.
    """
    rollout, current = observed.rollout, observed.current
    if rollout is None or (not rollout.is_active and rollout.settled):
        return After()
    if rollout.is_active and current and rollout.run != current.run:
        reason = f"revision {current.number} has started instead"
        return After((CommandRollout(rollout.id, "abort", reason),))
    actions: list[PlannedAction] = []
    # One that waits for a replica would go on by itself.
    if suspended and (rollout.state == "running" or not rollout.held):
        actions.append(CommandRollout(rollout.id, "pause", SUSPENDED))
    elif not suspended and rollout.paused_by_suspension:
        actions.append(CommandRollout(rollout.id, "resume", "the campaign goes on"))
    # A paused rollout is looked at too: it is rolled back if it does harm.
    look = due_look(observed, now)
    if look and not actions:
        return After((look,), LOOK_EVERY_SECONDS)
    left = observed.looked_at + LOOK_EVERY_SECONDS - now
    return After(tuple(actions), min(max(left, 1.0), LOOK_EVERY_SECONDS))


def due_look(observed: Observed, now: float) -> LookAtRollout | None:
    """Return the look at an active rollout that is due; None if none is."""
    rollout = observed.rollout
    if rollout is None or (not rollout.is_active and rollout.settled):
        return None
    # A look in the future was before the clock was set back.
    was_just_now = 0 <= now - observed.looked_at < LOOK_EVERY_SECONDS
    return None if was_just_now else LookAtRollout(rollout.id)


def end_of_rollout(observed: Observed, revision: RevisionRecord) -> FinishRevision | None:
    """Record how the rollout of a revision ended, and a later rollback too."""
    rollout = observed.rollout
    if rollout is None or rollout.is_active:
        return None
    if observed.own_rollout is None:
        return _end_of_earlier(observed, rollout)
    outcome = _OUTCOMES[rollout.state]
    if revision.outcome == outcome:
        return None
    gain = observed.gate.difference if observed.gate else None
    return FinishRevision(revision.number, outcome, rollout.reason, rollout.engine, gain)


def _end_of_earlier(observed: Observed, rollout: ObservedRollout) -> FinishRevision | None:
    """Record that the engine of an earlier revision, which served, was rolled back."""
    of = next((each for each in observed.record.revisions if each.run == rollout.run), None)
    if of is None or of.outcome != "served" or rollout.state == "promoted":
        return None
    return FinishRevision(of.number, "rolled_back", rollout.reason, rollout.engine, of.gain)
