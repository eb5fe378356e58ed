"""What every job has at hand: its settings, its storage, and how it was called."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from nmt.config import Config
from nmt.steps import Record, Step, inherit, run_step
from nmt.storage import Storage

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Session:
    """One command's settings and storage."""

    config: Config
    storage: Storage
    restart: bool = False
    """Discard what an earlier call of the step made."""

    def on(self, step: Step) -> "Session":
        """The same command with the settings of the finished steps that `step` builds on.

        Raises:
            StepConflictError: the user asks for other settings than those.
        """
        return self.with_config(inherit(self.storage, self.config, step))

    def with_config(self, config: Config) -> "Session":
        """The same command with other settings."""
        return replace(self, config=config)

    def keeping(self) -> "Session":
        """For a step that another one needs: never discarded."""
        return replace(self, restart=False)

    def do(
        self,
        step: Step,
        work: Callable[[], Mapping[str, Any]],
        is_whole: Callable[[], bool] = lambda: True,
    ) -> Record:
        """Do a step unless it is done, and say so in one line; see `nmt.steps.run_step`."""
        record, did_work = run_step(
            self.storage, self.config, step, work, restart=self.restart, is_whole=is_whole
        )
        text = "done in %.1f s" if did_work else "already done (%.1f s then)"
        log.info(f"%s: {text}", step.name, record.seconds)
        return record
