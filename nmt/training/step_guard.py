"""Steps that cannot be taken as they are: too little memory, or a loss that is not finite."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch

from nmt.errors import DivergedError, TrainingError
from nmt.models.out_of_memory import DoesNotFitError, is_out_of_memory
from nmt.training.job import TrainingJob
from nmt.training.micro_batches import MicroBatches
from nmt.training.saved.state import State
from nmt.training.strategies import Strategy

log = logging.getLogger(__name__)

MAX_SKIPPED_IN_A_ROW = 5
"""Number of steps in a row without a finite loss after which a run has diverged."""


class StepGuard:
    """The handling of steps that run out of memory or diverge."""

    def __init__(self, job: TrainingJob, strategy: Strategy, micro_batches: MicroBatches) -> None:
        self._job, self._strategy, self._micro_batches = job, strategy, micro_batches

    def backward(self, step: int, accumulate: Callable[[], float]) -> float:
        """Run a step's backward pass, with smaller micro-batches after a lack of memory.

        Args:
            step: number of steps taken before this one.
            accumulate: computes the gradients and returns the sum of the losses.

        Raises:
            TrainingError: the micro-batches do not fit, and this worker cannot repeat the step
                alone.
            InsufficientMemoryError: not even a single row fits.
        """
        while True:
            # Dropout depends only on the position in the run, so a resumed run repeats it exactly.
            # The factors keep the seeds of other steps and workers apart.
            seed = (self._job.config.seed * 1_000_003 + step) * 4099 + self._strategy.rank
            torch.manual_seed(seed)
            try:
                return accumulate()
            except DoesNotFitError as error:
                self._micro_batches.halve(error.rows)
            if self._job.config.strategy.type != "single":
                # The other workers wait for this one's gradients, so all have to start again.
                raise TrainingError(
                    f"{self._job.name}: out of memory in step {step + 1}; the workers go on from "
                    "the last checkpoint with smaller micro-batches"
                )
            self._strategy.drop_gradients()

    def check_divergence(self, state: State) -> None:
        """Warn of a skipped step, and end a run that skipped too many in a row.

        Raises:
            DivergedError: they were too many.
        """
        if not state.skipped_in_a_row:
            return
        name = self._job.name
        if self._strategy.rank == 0:
            log.warning("%s step %d | loss or gradients are not finite: skipped", name, state.step)
        if state.skipped_in_a_row >= MAX_SKIPPED_IN_A_ROW:
            raise DivergedError(
                f"{name}: loss or gradients of {state.skipped_in_a_row} steps in a row, to step "
                f"{state.step}, are not finite; lower training.learning_rate, or set "
                "training.precision=fp32, under another run=NAME, or here with --restart, which "
                "discards the checkpoints of this run"
            )


@contextmanager
def explain_setup_memory(name: str) -> Iterator[None]:
    """Turn a lack of memory during set-up into a TrainingError.

    Raises:
        TrainingError: the memory was not enough.
    """
    try:
        yield
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
        # No micro-batch exists yet, so smaller ones would not help.
        raise TrainingError(
            f"{name}: weights and optimizer alone do not fit into the memory: `nmt plan` says what "
            "would; set adapter.type=lora or qlora, or have strategy.type=deepspeed partition the "
            "optimizer, whatever its stage: each worker holds all weights once"
        ) from error
