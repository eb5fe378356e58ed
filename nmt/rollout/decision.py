"""Whether a rollout waits, advances, pauses or is rolled back; decided from counts alone."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from nmt.cli.durations import duration
from nmt.config import RolloutConfig
from nmt.rollout.evidence import (
    Counts,
    e_value,
    log_average,
    log_excess,
    log_harm,
    log_safety,
    total,
)
from nmt.rollout.rules import TAIL, WORDS, SignalRule

Answer = Literal["wait", "advance", "pause", "rollback"]
Tally = Mapping[str, Mapping[int, Counts]]
"""Signal -> step -> what all replicas have seen."""

_MAX_NAMED = 3
_PERCENT = 100


class SignalEvidence(BaseModel):
    """The evidence of one signal."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    plus: int = Field(default=0, ge=0)
    """Pairs or votes against the canary; of an event, how often it happened to its clients."""
    minus: int = Field(default=0, ge=0)
    """The same against the stable engine."""
    pairs: int = Field(default=0, ge=0)
    """Pairs, votes or events."""
    log_harm: float = 0.0
    """Logarithm of the evidence that the canary does harm; of the tail, that it differs much."""
    log_safety: float | None = None
    """Logarithm of the evidence that it does less than the margin; null: not needed."""


@dataclass(frozen=True, slots=True)
class Situation:
    """What is known of a running rollout at a look."""

    tally: Tally
    step: int
    """Number of the present step, from 0."""
    seconds_at_step: float
    missing: Sequence[str] = ()
    """Replicas that have counts of the rollout and whose report is overdue."""
    watches_tail: bool = True
    """False once a person has looked at a pause by the tail and gone on."""


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer of one look."""

    answer: Answer
    reason: str
    """In plain words, as a clause."""
    evidence: dict[str, SignalEvidence]
    """By signal."""
    log_harm: float
    """Logarithm of the evidence of harm of all signals together."""
    cause: Literal["tail", "silent"] | None = None
    """Why it pauses."""


def decide(
    situation: Situation, rules: Mapping[str, SignalRule], settings: RolloutConfig
) -> Decision:
    """Decide what becomes of a running rollout.

    Harm comes before everything else, so that a rollout is rolled back while it is paused too. The
    evidence is about the whole rollout: it is not begun anew at a step.

    Args:
        situation: the counts and the time at this step.
        rules: that the rollout began with.
        settings: that the rollout began with.
    """
    evidence = {
        name: _weigh(rule, situation.tally.get(name, {}), settings) for name, rule in rules.items()
    }
    harm = log_average((rule.weight, evidence[name].log_harm) for name, rule in rules.items())

    def answer(
        what: Answer, reason: str, cause: Literal["tail", "silent"] | None = None
    ) -> Decision:
        return Decision(what, reason, evidence, harm, cause)

    pairs = evidence["broken"].pairs
    if harm >= _needed(settings.harm_error_rate):
        return answer("rollback", _explain_harm(evidence, rules, pairs, harm, settings))
    tail = evidence[TAIL]
    if situation.watches_tail and tail.log_harm >= _needed(settings.pause_error_rate):
        return answer("pause", _explain_tail(tail, settings), "tail")
    if situation.missing:
        return answer("pause", _explain_missing(situation.missing), "silent")
    if obstacles := list(_find_obstacles(situation, evidence, rules, settings)):
        return answer("wait", "; ".join(obstacles))
    shown = f"{pairs:,} pairs show no harm"
    return answer("advance", f"{shown}: every signal is below its margin")


def _weigh(
    rule: SignalRule, steps: Mapping[int, Counts], settings: RolloutConfig
) -> SignalEvidence:
    counts = total(steps.values())
    if rule.kind == "event":
        # At 100 % there is nothing to compare with, and at a step that a later release has added
        # nobody knows the share.
        shares = {
            settings.steps[step] / _PERCENT: each
            for step, each in steps.items()
            if step < len(settings.steps) - 1
        }
        events = total(shares.values())
        return SignalEvidence(
            plus=events.events_canary,
            minus=events.events_stable,
            pairs=events.events_canary + events.events_stable,
            log_harm=log_excess(shares, rule.tolerance),
        )
    return SignalEvidence(
        plus=counts.plus,
        minus=counts.minus,
        pairs=counts.pairs,
        log_harm=log_harm(counts, rule.tolerance),
        log_safety=None if rule.margin is None else log_safety(counts, rule.margin),
    )


def _find_obstacles(
    situation: Situation,
    evidence: Mapping[str, SignalEvidence],
    rules: Mapping[str, SignalRule],
    settings: RolloutConfig,
) -> Iterator[str]:
    """Say what an advance still waits for."""
    pairs = evidence["broken"].pairs
    if pairs < settings.min_pairs:
        yield f"{pairs:,} of {settings.min_pairs:,} pairs"
    needed = _needed(settings.advance_error_rate)
    open_guards = [
        f"{WORDS.get(name, name)} (evidence {e_value(found.log_safety)} of {e_value(needed)})"
        for name, found in evidence.items()
        if found.log_safety is not None
        and found.log_safety < needed
        and not _is_rare(found, rules[name], evidence["broken"], rules["broken"], settings)
    ]
    if open_guards:
        yield f"not yet shown to be below the margin: {', '.join(open_guards)}"
    least = _least_seconds(situation.step, settings)
    if situation.seconds_at_step < least:
        # Not the time left: the reason is kept, and would have to be written at each look.
        yield f"less than {duration(least)} at this step"


def _is_rare(
    found: SignalEvidence,
    rule: SignalRule,
    broken: SignalEvidence,
    broken_rule: SignalRule,
    settings: RolloutConfig,
) -> bool:
    """Tell whether a flag applies to so few sentences that it cannot hold up an advance.

    Text without numbers shows nothing about numbers. If fewer pairs have any than may be broken,
    even the loss of all of them would be below that margin.
    """
    return (
        rule.kind == "flag"
        and broken.pairs >= settings.min_pairs
        and found.pairs < (broken_rule.margin or 0) * broken.pairs
    )


def _least_seconds(step: int, settings: RolloutConfig) -> float:
    is_last = step >= len(settings.steps) - 2
    return settings.seconds_before_all if is_last else settings.seconds_per_step


def _explain_harm(
    evidence: Mapping[str, SignalEvidence],
    rules: Mapping[str, SignalRule],
    pairs: int,
    harm: float,
    settings: RolloutConfig,
) -> str:
    weighed = {
        name: math.log(rule.weight) + evidence[name].log_harm
        for name, rule in rules.items()
        if rule.weight > 0
    }
    top = max(weighed, key=lambda name: weighed[name])
    found, kind = evidence[top], rules[top].kind
    if kind == "event":
        seen = f"{found.plus:,} of {found.pairs:,} are of the canary's clients"
    elif kind == "vote":
        seen = f"in {found.plus:,} of {found.pairs:,} intervals"
    else:
        seen = (
            f"{found.plus:,} of {found.pairs:,} pairs only in the canary, {found.minus:,} only in "
            "the stable engine"
        )
    needed = e_value(_needed(settings.harm_error_rate))
    return (
        f"{WORDS.get(top, top)}: {seen}, after {pairs:,} pairs (evidence of harm {e_value(harm)}, "
        f"limit {needed})"
    )


def _explain_tail(tail: SignalEvidence, settings: RolloutConfig) -> str:
    return (
        f"{WORDS[TAIL]}: {tail.plus:,} of {tail.pairs:,} pairs (evidence {e_value(tail.log_harm)}, "
        f"limit {e_value(_needed(settings.pause_error_rate))}): compare translations of both "
        "engines, then resume or abort"
    )


def _explain_missing(missing: Sequence[str]) -> str:
    named = ", ".join(missing[:_MAX_NAMED])
    more = f" and {len(missing) - _MAX_NAMED} more" if len(missing) > _MAX_NAMED else ""
    return (
        f"no report of {named}{more}, which may hide harm: it goes on by itself when they report "
        "again; resume it if they are gone"
    )


def _needed(error_rate: float) -> float:
    return -math.log(error_rate)
