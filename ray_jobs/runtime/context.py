"""What every job has at hand: its settings, its storage, and how it was called."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from nmt.config import Config
from nmt.runs.records import Record
from nmt.runs.running import inherit, run_step
from nmt.runs.steps import Step
from nmt.storage import Storage

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Session:
    """One command's settings and storage."""

    asked: Config
    """The settings as the user gave them."""
    storage: Storage
    restart: bool = False
    """Discard what an earlier call of the step made."""
    filled: Config | None = None
    """The settings with what earlier steps or a search have filled in; None: as asked."""

    @property
    def config(self) -> Config:
        """Return the settings that the command works with."""
        return self.filled or self.asked

    @property
    def user_set(self) -> frozenset[str]:
        """Return the dotted keys that the user set, not an earlier step, a search or a default."""
        return self.asked.explicit()

    def on(self, step: Step) -> "Session":
        """Return the same command with the settings of the finished steps before a step.

        Raises:
            StepConflictError: the user asks for other settings than those.
        """
        return self.with_config(inherit(self.storage, self.config, step, self.user_set))

    def with_config(self, config: Config) -> "Session":
        """Return the same command, which works with other settings than the user gave."""
        return replace(self, filled=config)

    def keeping(self) -> "Session":
        """Return the same command without `--restart`, to do a step that another one needs."""
        return replace(self, restart=False)

    def do(
        self,
        step: Step,
        work: Callable[[], Mapping[str, Any]],
        is_intact: Callable[[], bool] = lambda: True,
    ) -> Record:
        """Do a step unless it is done, and say so in one line; see `nmt.runs.running.run_step`."""
        record, did_work = run_step(
            self.storage, self.config, step, work, restart=self.restart, is_intact=is_intact
        )
        text = "done in %.1f s" if did_work else "already done (%.1f s then)"
        log.info(f"%s: {text}", step.name, record.seconds)
        return record
