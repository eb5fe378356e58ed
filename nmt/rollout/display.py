"""A rollout as text: a line of progress, and all of it for `--status`."""

import logging
import sys
from collections.abc import Sequence
from datetime import datetime
from typing import TextIO

from nmt.cli.durations import duration
from nmt.cli.table import table
from nmt.rollout.evidence import e_value
from nmt.rollout.record import RolloutRecord
from nmt.rollout.rules import WORDS

log = logging.getLogger(__name__)

_BAR_CELLS = 20
_MOST_COLUMNS = 160


class RolloutProgress:
    """The progress of a rollout: a line that is rewritten on a terminal, else lines of the log."""

    def __init__(self, stream: TextIO | None = None, every_seconds: float = 60.0) -> None:
        """Begin.

        Args:
            stream: the terminal; by default standard error.
            every_seconds: least time between two lines of a log that say the same in other figures.
        """
        self._stream = sys.stderr if stream is None else stream
        self._every_seconds = every_seconds
        self._shown: tuple[object, ...] = ()
        self._shown_at: datetime | None = None
        self._is_open = False

    def show(self, record: RolloutRecord, now: datetime) -> None:
        """Show where the rollout is."""
        line = progress_line(record)
        if self._stream.isatty():
            self._stream.write(f"\r\x1b[K{line[:_MOST_COLUMNS]}")
            self._stream.flush()
            self._is_open = True
            return
        state = (record.state, record.step, record.pause_cause, len(record.events))
        is_due = (
            self._shown_at is None or (now - self._shown_at).total_seconds() >= self._every_seconds
        )
        if state != self._shown or is_due:
            log.info("%s", line)
            self._shown, self._shown_at = state, now

    def finish(self) -> None:
        """Leave the line of the terminal."""
        if self._is_open:
            self._stream.write("\n")
            self._stream.flush()
            self._is_open = False


def progress_line(record: RolloutRecord) -> str:
    """Write where a rollout is as one line with a bar."""
    filled = round(_BAR_CELLS * _share_done(record))
    bar = "#" * filled + "-" * (_BAR_CELLS - filled)
    steps = record.settings.steps
    return (
        f"rollout {record.id} [{bar}] {record.percent} % (step {record.step + 1} of "
        f"{len(steps)}) | {record.pairs:,} pairs | evidence of harm {e_value(record.log_harm)} of "
        f"{1 / record.settings.harm_error_rate:g} | {describe_state(record)}: {record.reason}"
    )


def describe_state(record: RolloutRecord) -> str:
    """Write the state of a rollout in words."""
    return record.state.replace("_", " ")


def rollout_text(record: RolloutRecord, now: datetime) -> str:
    """Write all of a rollout: where it is, its evidence, and what was done to it."""
    before = f"engine {record.stable}" if record.stable else "nothing"
    lines = [
        f"rollout {record.id} of endpoint '{record.endpoint}': engine {record.engine} of run "
        f"{record.run} after {before}",
        f"{describe_state(record)} at {record.percent} % of the clients, since "
        f"{duration((now - record.step_since).total_seconds())}: {record.reason}",
        f"steps: {', '.join(str(each) for each in record.settings.steps)} %; try {record.tries} of "
        "this engine",
        *record.remarks,
    ]
    if record.evidence:
        heads = ("SIGNAL", "COUNTS", "PAIRS", "CANARY ONLY", "STABLE ONLY", "HARM", "BELOW MARGIN")
        lines += ["", table(heads, _evidence_rows(record))]
        lines.append(
            f"evidence of harm, all together: {e_value(record.log_harm)} of "
            f"{1 / record.settings.harm_error_rate:g}"
        )
    events = [
        (f"{event.at:%Y-%m-%d %H:%M:%S}", event.what, event.who, event.why)
        for event in record.events
    ]
    return "\n".join([*lines, "", table(("TIME", "WHAT", "WHO", "WHY"), events)])


def _evidence_rows(record: RolloutRecord) -> list[Sequence[str]]:
    return [
        (
            name,
            WORDS.get(name, name),
            f"{each.pairs:,}",
            f"{each.plus:,}",
            f"{each.minus:,}",
            e_value(each.log_harm),
            "-" if each.log_safety is None else e_value(each.log_safety),
        )
        for name, each in record.evidence.items()
    ]


def _share_done(record: RolloutRecord) -> float:
    if record.state == "promoted":
        return 1.0
    return record.step / max(len(record.settings.steps) - 1, 1)
