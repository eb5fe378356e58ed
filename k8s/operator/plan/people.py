"""What people tell a campaign to do: once for each id. Pure."""

from collections.abc import Callable, Mapping

from k8s.objects.campaign.spec import Action, ActionKind
from k8s.operator.observed import Observed, ObservedRollout
from k8s.operator.plan.actions import (
    BeginAttempt,
    CommandRollout,
    FinishRevision,
    FollowAction,
    Operation,
    StartRollout,
)
from k8s.operator.plan.revisions import awaits_data, is_working, start_revision

_Answer = tuple[tuple[Operation, ...], str]
_NO_REASON = "no reason was given"


def follow_action(observed: Observed, action: Action) -> FollowAction | None:
    """Plan what an action asks for; None if it was done, or has to wait."""
    if observed.record.has_done(action.id):
        return None
    answer = _ANSWERS[action.do](observed, action)
    if answer is None:
        return None
    operations, result = answer
    return FollowAction(action, operations, result)


def _pause(observed: Observed, action: Action) -> _Answer:
    return _command(observed, action, "the rollout is paused", "nothing was paused")


def _resume(observed: Observed, action: Action) -> _Answer:
    return _command(observed, action, "the rollout goes on", "nothing was resumed")


def _command(observed: Observed, action: Action, done: str, otherwise: str) -> _Answer:
    rollout = observed.rollout
    spec = observed.campaign.spec if observed.campaign else None
    if action.do == "resume" and spec and spec.suspend:
        return (), f"{otherwise}: set spec.suspend to false first, then resume under another id"
    if rollout is None or not rollout.is_active or action.do not in ("pause", "resume"):
        return (), f"{otherwise}: no rollout of this campaign runs"
    return (CommandRollout(rollout.id, action.do, _reason(action)),), done


def _promote(observed: Observed, action: Action) -> _Answer:
    rollout, current = observed.rollout, observed.current
    if rollout and rollout.is_active:
        command = CommandRollout(rollout.id, "promote", _reason(action))
        return (command,), f"engine {rollout.engine} serves all clients"
    if current is None or observed.engine is None or current.removed:
        return (), "nothing was promoted: the current revision has no engine yet"
    is_accepted = observed.gate is not None and observed.gate.verdict == "accept"
    if not is_accepted and not action.reason.strip():
        return (), (
            f"nothing was promoted: the gate has not accepted engine {observed.engine}: set "
            "spec.action.reason, which is recorded, under another id"
        )
    start = StartRollout(current.run, "" if is_accepted else action.reason, at_once=True)
    return (start,), f"engine {observed.engine} serves all clients"


def _abort(observed: Observed, action: Action) -> _Answer:
    rollout, current = observed.rollout, observed.current
    if rollout and rollout.is_active:
        command = CommandRollout(rollout.id, "abort", _reason(action))
        return (command,), f"the rollout of engine {rollout.engine} has ended"
    ended = observed.own_rollout
    if current and current.outcome is None and ended:
        # An operator that died has aborted it for this very action.
        return (), f"the rollout of engine {ended.engine} has ended"
    if current and current.outcome is None:
        end = FinishRevision(current.number, "aborted", _aborted_by(action), observed.engine)
        return (end,), f"revision {current.number} has ended"
    if current and (current.outcome, current.message) == ("aborted", _aborted_by(action)):
        # The same, before it was recorded as done.
        return (), f"revision {current.number} has ended"
    return (), "nothing was aborted: neither a revision nor a rollout is at work"


def _aborted_by(action: Action) -> str:
    return f"aborted by spec.action {action.id}: {_reason(action)}"


def _rollback(observed: Observed, action: Action) -> _Answer:
    rollout, route = observed.rollout, observed.route
    if rollout is None:
        return (), "nothing was rolled back: this campaign serves no engine"
    # The id tells whether an operator that died has done what this very action asks for.
    why = f"{_reason(action)} (spec.action {action.id})"
    given_up = dict(route.given_up) if route else {}
    if rollout.last_event and rollout.last_event.why == why:
        given_up[why] = rollout.engine
    if why in given_up:
        return (), f"engine {given_up[why]} no longer serves"
    if rollout.state in ("aborted", "rolled_back"):
        if route is None or route.promoted_by is None:
            return (), (
                f"nothing was rolled back: the rollout of engine {rollout.engine} has ended, and "
                "no other one of this campaign has made an engine serve"
            )
        rollout = route.promoted_by
    # A rollout that is aborted after its promotion returns to the engine before it.
    command = CommandRollout(rollout.id, "abort", why)
    return (
        command,
        *_ends_of_earlier(observed, rollout, why),
    ), f"engine {rollout.engine} no longer serves"


def _ends_of_earlier(
    observed: Observed, rollout: ObservedRollout, why: str
) -> tuple[FinishRevision, ...]:
    """Record that the engine of earlier revisions no longer serves; the current one sees it."""
    if rollout == observed.own_rollout:
        return ()
    return tuple(
        FinishRevision(each.number, "rolled_back", why, rollout.engine, each.gain)
        for each in observed.record.revisions
        if each.outcome == "served" and each.engine == rollout.engine
    )


def _retry(observed: Observed, action: Action) -> _Answer | None:
    current = observed.current
    if current is None:
        return (), "nothing to do again: no revision has started"
    if current.outcome in ("failed", "aborted") and not observed.own_rollout:
        # What the revision has read of its data stays as it is; what it has not may be half there.
        if "prepare" not in observed.steps and awaits_data(observed):
            return None
        again = BeginAttempt(current.number, current.attempt + 1)
        return (again,), f"revision {current.number} is at work"
    # It may be at work because an operator that died has done what this very action asks for.
    if is_working(observed, current):
        return (), f"revision {current.number} is at work"
    if awaits_data(observed):
        return None
    start = start_revision(observed, "action")
    if start is None:
        missing = observed.data.missing if observed.data else ()
        return (), f"no revision was started: {observed.problem or ' '.join(missing[:1])}"
    return (start,), f"revision {start.number} has started"


def _reason(action: Action) -> str:
    return " ".join(action.reason.split()) or _NO_REASON


_ANSWERS: Mapping[ActionKind, Callable[[Observed, Action], _Answer | None]] = {
    "promote": _promote,
    "abort": _abort,
    "rollback": _rollback,
    "retry": _retry,
    "pause": _pause,
    "resume": _resume,
}
