"""Rollouts: an accepted engine gets its clients step by step, or is rolled back if it does harm.

The decision follows from counts that replicas add, by tests that may look at any time.
"""

from nmt.cli.rollout_options import RolloutCommand as Command
from nmt.rollout.begin import start
from nmt.rollout.decision import Decision, SignalEvidence, Situation, decide
from nmt.rollout.evidence import Counts
from nmt.rollout.record import (
    OvertakenError,
    RolloutEvent,
    RolloutRecord,
    State,
    newest_rollout,
    read_rollout,
    rollouts_of,
    running_rollout,
)
from nmt.rollout.rules import RULES, SignalRule, rules_for
from nmt.rollout.run import command, look

__all__ = [
    "RULES",
    "Command",
    "Counts",
    "Decision",
    "OvertakenError",
    "RolloutEvent",
    "RolloutRecord",
    "SignalEvidence",
    "SignalRule",
    "Situation",
    "State",
    "command",
    "decide",
    "look",
    "newest_rollout",
    "read_rollout",
    "rollouts_of",
    "rules_for",
    "running_rollout",
    "start",
]
