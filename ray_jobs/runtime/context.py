"""What every job has at hand: its settings, its storage, and how it was called."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace

from nmt.config import Config
from nmt.runs.records import Record
from nmt.runs.running import StepOutput, inherit, run_step
from nmt.runs.step_result import ResultT
from nmt.runs.steps import Step
from nmt.storage import Storage

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Session:
    """One command's settings and storage."""

    config: Config
    """The settings that the command works with: an earlier step or a search may have filled in
    some of them."""
    storage: Storage
    user_set: frozenset[str]
    """Dotted keys that the user set, and that nothing else may change."""
    restart: bool = False
    """Discard what an earlier call of the step made."""
    in_pipeline: bool = False
    """Whether a pipeline does the step, which reports on all steps at its end."""

    def with_inherited(self, step: Step) -> "Session":
        """Return the same command with the settings of the steps before a step, or that it extends.

        Raises:
            StepConflictError: the user asks for other settings than those.
        """
        return self.with_config(
            inherit(self.storage, self.config, step, self.user_set, restart=self.restart)
        )

    def with_config(self, config: Config) -> "Session":
        """Return the same command with other settings, which do not count as set by the user."""
        return replace(self, config=config)

    def without_restart(self) -> "Session":
        """Return the same command without `--restart`, to do a step that another one needs."""
        return replace(self, restart=False)

    def run_step(
        self,
        step: Step[ResultT],
        work: Callable[[], StepOutput[ResultT]],
        is_intact: Callable[[Record], bool] = lambda record: True,
        is_equal: Callable[[str, Record], bool] = lambda run, record: True,
    ) -> Record:
        """Do a step unless it is done, and say so in one line; see `nmt.runs.running.run_step`."""
        record, did_work = run_step(
            self.storage,
            self.config,
            step,
            work,
            restart=self.restart,
            is_intact=is_intact,
            is_equal=is_equal,
        )
        text = "done in %.1f s" if did_work else "already done (%.1f s then)"
        log.info(f"%s: {text}", step.name, record.seconds)
        return record
