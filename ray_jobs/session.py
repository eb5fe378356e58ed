"""What every job has at hand: its settings, its storage, and how it was called."""

import logging
from dataclasses import dataclass, replace

from nmt.config import Config
from nmt.steps import Record, Step, inherit
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

    def announce(self, step: Step, record: Record, did_work: bool) -> None:
        """One line about a finished step."""
        if did_work:
            log.info("%s: done in %.1f s", step.name, record.seconds)
        else:
            log.info("%s: already done (%.1f s then)", step.name, record.seconds)
