"""The signals by which a rollout is judged: their weights, tolerances and margins.

Every figure is a constant, and a rollout keeps those that it began with: a rule that is changed
after a look at the counts says nothing any more. Source: simulations with the outputs of four real
English-Tamil systems, described in docs/rollouts.md.
"""

from collections.abc import Collection
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Kind = Literal["flag", "vote", "event", "alarm"]

_KIN_TOLERANCE = 0.005
TAIL = "tail"
"""The signal that pauses a rollout, and never ends it."""


class SignalRule(BaseModel):
    """How one signal is judged."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    kind: Kind
    """`flag`: pairs of which only one translation has a fault; `vote`: intervals in which the
    engine was slower or not; `event`: things that happened to clients of one of the engines;
    `alarm`: only pauses."""
    weight: float = Field(default=0, ge=0, le=1)
    """Part of the signal in the evidence of harm; those of a rollout add up to 1."""
    tolerance: float = Field(ge=0)
    """What is not harm yet. Of a flag: the share of pairs, the engine's minus the stable one's; of
    an event: the ratio of the rates; of a vote: its mean."""
    margin: float | None = None
    """What the engine must be shown to stay below before it gets more clients; null: not needed."""


RULES: dict[str, SignalRule] = {
    "broken": SignalRule(kind="flag", weight=0.20, tolerance=0.005, margin=0.02),
    "len": SignalRule(kind="flag", weight=0.15, tolerance=0.005, margin=0.02),
    "short": SignalRule(kind="flag", weight=0.15, tolerance=0.02, margin=0.05),
    "num": SignalRule(kind="flag", weight=0.075, tolerance=0.02, margin=0.05),
    "glossary": SignalRule(kind="flag", weight=0.075, tolerance=0.02, margin=0.05),
    "latency_1.1": SignalRule(kind="vote", weight=0.10, tolerance=0),
    "latency_1.3": SignalRule(kind="vote", tolerance=0, margin=0),
    "errors": SignalRule(kind="event", weight=0.125, tolerance=1.25),
    "corrections": SignalRule(kind="event", weight=0.125, tolerance=1.25),
    TAIL: SignalRule(kind="alarm", tolerance=0.02),
}
"""By the name of the signal in the reports of replicas."""

_HEIRS = {"glossary": "num"}
"""Signal -> the one that takes its weight if it cannot be measured; that of others is shared."""

WORDS = {
    "broken": "unusable outputs",
    "len": "outputs of unusual length",
    "short": "outputs that are cut",
    "num": "missing numbers",
    "glossary": "missing terms of the glossary",
    "latency_1.1": "times that are more than 1.1 times as long",
    "latency_1.3": "times that are more than 1.3 times as long",
    "errors": "failed requests",
    "corrections": "corrections by clients",
    TAIL: "outputs unlike the stable engine's",
}
"""Signal -> what it counts, in messages."""


def rules_for(*, kin: bool, off: Collection[str] = ()) -> dict[str, SignalRule]:
    """Fix the rules of a rollout before it begins.

    Args:
        kin: whether the engine has the weights of the stable one or was trained from them, so that
            any difference of a flag is a fault.
        off: signals that cannot be measured. `num` takes the weight of `glossary`; that of others
            is shared in proportion.
    """
    rules = {name: rule for name, rule in RULES.items() if name not in off}
    weights = {name: rule.weight for name, rule in rules.items()}
    for name in off:
        if (heir := _HEIRS.get(name)) in weights:
            weights[heir] += RULES[name].weight
    total = sum(weights.values())
    return {
        name: rule.model_copy(
            update={
                "weight": weights[name] / total,
                "tolerance": _KIN_TOLERANCE if kin and rule.kind == "flag" else rule.tolerance,
            }
        )
        for name, rule in rules.items()
    }
