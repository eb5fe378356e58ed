"""The options of `nmt rollout`, which need no package of an extra."""

import argparse
from dataclasses import dataclass
from typing import Literal

ROLLOUT = "rollout"
"""Name of the command."""
ABOUT = "give a run's engine its clients step by step, and take them away if it does harm"
_BY_HAND = "by hand"
RolloutCommand = Literal["pause", "resume", "promote", "abort"]
"""What a person does to a rollout that there is."""


@dataclass(frozen=True, slots=True)
class RolloutOptions:
    """What the command does with the rollout of a run."""

    force: str | None = None
    """Reason to serve an engine that the gate has not accepted."""
    status: bool = False
    """Whether it only shows the rollout."""
    do: RolloutCommand | None = None
    """What a person does to a rollout that there is."""
    reason: str = ""
    """Why."""


def add_rollout_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `RolloutOptions`."""
    parser.add_argument(
        "--force",
        metavar="REASON",
        help="roll an engine out that the gate has not accepted, and record this reason with it",
    )
    actions = parser.add_mutually_exclusive_group()
    actions.add_argument(
        "--status", action="store_true", help="show the rollout, and change nothing"
    )
    actions.add_argument(
        "--pause",
        action="store_true",
        help="stay at the present share; harm still ends the rollout",
    )
    actions.add_argument("--resume", action="store_true", help="go on after a pause")
    actions.add_argument(
        "--promote", metavar="REASON", help="give the engine all clients now, and record why"
    )
    actions.add_argument(
        "--abort",
        metavar="REASON",
        help="end the canary, or return to the engine before this one, and record why",
    )


def rollout_options(options: argparse.Namespace) -> RolloutOptions:
    """Read the options of a parsed command line."""
    given: dict[RolloutCommand, str | None] = {
        "pause": _BY_HAND if options.pause else None,
        "resume": _BY_HAND if options.resume else None,
        "promote": options.promote,
        "abort": options.abort,
    }
    for do, reason in given.items():
        if reason is not None:
            return RolloutOptions(do=do, reason=reason)
    return RolloutOptions(force=options.force, status=options.status)
