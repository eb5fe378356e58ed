"""The conditions of a campaign: those of kstatus, and those of its revision. Pure."""

from collections.abc import Iterator
from typing import get_args

from k8s.objects.campaign.status import (
    Condition,
    ConditionStatus,
    ConditionType,
    Phase,
    cut_message,
    time_of,
)
from k8s.operator.observed import Observed

KSTATUS = ("Ready", "Reconciling", "Stalled")
"""Conditions by which `kubectl wait`, Helm and others judge any object."""
_READY: tuple[Phase, ...] = (
    "Served", "Rejected", "Undecided", "Accepted", "RolledBack", "Suspended",
)  # fmt: skip
"""Phases in which nothing is left to do until something changes, or a person decides.

`Promoted` says whether the engine serves: to kstatus, an object that is not `Ready` is at work.

Source: https://github.com/kubernetes-sigs/cli-utils/tree/master/pkg/kstatus
"""
_STALLED: tuple[Phase, ...] = ("Stalled", "Failed")


def conditions_of(
    observed: Observed, phase: Phase, message: str, now: float
) -> Iterator[Condition]:
    """Yield the conditions in a fixed order.

    Args:
        observed: what is known.
        phase: of the campaign.
        message: the phase as a sentence.
        now: seconds since 1970, when each condition that has changed did so.
    """
    generation = observed.campaign.metadata.generation if observed.campaign else 0
    found: dict[ConditionType, tuple[ConditionStatus, str, str]] = {
        "Ready": (_truth(phase in _READY), phase, message),
        "Reconciling": (_truth(phase not in (*_READY, *_STALLED)), phase, message),
        "Stalled": (_truth(phase in _STALLED), phase, message),
        "DataReady": _data_ready(observed),
        "GatePassed": _gate_passed(observed),
        "Promoted": _promoted(observed),
    }
    for kind in get_args(ConditionType):
        status, reason, text = found[kind]
        yield Condition(
            type=kind,
            status=status,
            reason=reason,
            message=cut_message(text),
            last_transition_time=time_of(now),
            observed_generation=generation,
        )


def _truth(value: bool) -> ConditionStatus:
    return "True" if value else "False"


def _data_ready(observed: Observed) -> tuple[ConditionStatus, str, str]:
    data = observed.data
    if data is None:
        return "Unknown", "NotLookedAt", ""
    if data.missing:
        return "False", "Missing", data.missing[0]
    if data.reading:
        return "False", "Reading", data.reading
    return "True", "Found", ""


def _gate_passed(observed: Observed) -> tuple[ConditionStatus, str, str]:
    gate = observed.gate
    if gate is None:
        return "Unknown", "NotDecided", ""
    return _truth(gate.verdict == "accept"), gate.verdict.capitalize(), gate.reason


def _promoted(observed: Observed) -> tuple[ConditionStatus, str, str]:
    return _truth(observed.serves), "Serves" if observed.serves else "DoesNotServe", ""
