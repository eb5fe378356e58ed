"""The training loop: step, validate, checkpoint, report; the same for one worker and for many."""

import logging
import math
import time
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor

from nmt.data.batches import Rows
from nmt.models.adapters import load_weights, trainable
from nmt.models.families import device_of
from nmt.models.out_of_memory import attempt
from nmt.models.precision import pick_dtype
from nmt.runs import layout
from nmt.runs.evaluation import METRIC_NAMES
from nmt.training.events import (
    Interruption,
    NoNotice,
    Notice,
    Report,
    Signal,
    StoppedError,
    ignore_report,
)
from nmt.training.job import TrainingJob
from nmt.training.loading import LoadedTraining, load_together
from nmt.training.loss import LossModule
from nmt.training.micro_batches import MicroBatches
from nmt.training.monitoring.progress import Progress, log_start
from nmt.training.monitoring.tracking import Tracking
from nmt.training.optim import learning_rate
from nmt.training.saved.checkpoints import Checkpoints, Loaded
from nmt.training.saved.publish import Publisher
from nmt.training.saved.resume import find_checkpoint
from nmt.training.saved.state import State
from nmt.training.schedule import Schedule
from nmt.training.step_guard import StepGuard, explain_setup_memory
from nmt.training.strategies import Strategy, build_strategy
from nmt.training.validation import Measure, Validated, validate, validate_base
from nmt.training.validation_sample import ValidationSample

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of a training."""

    state: State
    finished: bool
    """False when it was stopped before its last step."""
    trained_parameters: int
    dropped_pairs: int
    """Training pairs longer than the token limits."""


def run_training(
    job: TrainingJob, report: Report = ignore_report, notice: Notice | None = None
) -> Outcome:
    """Load a job's model and data on this worker, and run its training.

    Raises:
        InputError: model, data or settings do not fit.
        TrainingError: the memory does not hold the model.
        DivergedError: the loss is not finite, step after step.
    """
    strategy = build_strategy(job.config.strategy)
    notice, interruption = notice or NoNotice(), Interruption()
    try:
        with explain_setup_memory(job.name), interruption.watching():
            material = load_together(
                job, strategy, lambda: interruption.raised or notice.wants_stop(0)
            )
    # Nothing was trained in this attempt, so what an earlier one reached still counts.
    except StoppedError:
        state = Checkpoints(job.storage, layout.checkpoints(job.folder)).last_state() or State()
        return Outcome(state, finished=False, trained_parameters=0, dropped_pairs=0)
    return Trainer(job, material, strategy, report, notice, interruption).run()


class Trainer:
    """One worker's part of a training."""

    def __init__(
        self,
        job: TrainingJob,
        material: LoadedTraining,
        strategy: Strategy,
        report: Report = ignore_report,
        notice: Notice | None = None,
        interruption: Interruption | None = None,
    ) -> None:
        self.job, self.material, self.strategy = job, material, strategy
        self.report, self.notice = report, notice or NoNotice()
        self.training = job.config.training
        self.is_first = strategy.rank == 0
        self.device = device_of(material.model)
        self.parameters = trainable(material.model)
        self.checkpoints = Checkpoints(job.storage, layout.checkpoints(job.folder), material.base)
        self.sample = ValidationSample(job, material, strategy)
        self.publisher = Publisher(job, material, strategy, self.checkpoints)
        self.micro_batches = MicroBatches(job.name, job.storage, job.folder, strategy)
        self.guard = StepGuard(job, strategy, self.micro_batches)
        self.schedule = Schedule(self.training, job.stop_at_step, job.compares_with_base)
        self.interruption, self.tracking = interruption or Interruption(), Tracking()
        self.progress = Progress(
            job.name,
            self.schedule.last_step,
            self.training.log_every_seconds,
            self.is_first,
            self.tracking,
            self.training.validation_metric,
        )
        self.hypotheses: tuple[str, ...] = ()
        """Translations of the validation that was just made."""

    def run(self) -> Outcome:
        """Train from the last intact checkpoint to the end, a stop request or lost patience.

        Every worker of the strategy calls this; rank 0 writes. A finished run returns at once.

        Raises:
            DivergedError: the loss is not finite, step after step.
        """
        with explain_setup_memory(self.job.name):
            state = self.resume()
        # A stop request during the base's validation ends the run before any training.
        if self.schedule.needs_base_validation(state):
            return self._outcome(state)
        # A finished run that is started again has nothing to record.
        unfinished = self.schedule.needs_validation(state) or not self.schedule.is_over(state)
        with (
            self.tracking.recording(self.job, state.step, enabled=self.is_first and unfinished),
            self.interruption.watching(),
        ):
            state = self._train(state)
        if self.schedule.needs_publication(state):
            self.publisher.publish(state)
        return self._outcome(state)

    def resume(self) -> State:
        """Validate the base if needed, and restore the last intact checkpoint if there is one."""
        if self.is_first:
            # Each kill during a save leaves files as large as a whole checkpoint.
            for folder in (self.checkpoints.folder, self.job.folder):
                self.job.storage.sweep(folder)
        found = find_checkpoint(
            self.checkpoints, self.job.start_from, self.strategy, self.job.start_at_step
        )
        try:
            state = found.state if found else State()
            state = replace(
                state,
                round_to=self._pin_padding_width(state.round_to),
                metric=self.training.validation_metric,
            )
            # This comes before the checkpoint, which replaces the base's weights.
            if self.schedule.needs_base_validation(state):
                state = self._validate_base(state)
            if not self.schedule.needs_base_validation(state):
                self._restore(found, state)
            if found and state.step == self.job.start_at_step:
                self._save(state)  # the one it was read from will be deleted in time
            return state
        finally:
            if found:
                found.close()

    def _restore(self, found: Loaded | None, state: State) -> None:
        """Load the checkpoint's weights and moments, and hand the model to the strategy."""
        if found:
            load_weights(self.material.model, found.parameters())
        module = LossModule(
            self.material.model,
            self.training.label_smoothing,
            pick_dtype(self.training.precision, self.device),
            recomputes=self.training.gradient_checkpointing,
        )
        # All workers have the same data, so one of them says it.
        if self.is_first:
            log_start(
                self.job.name, state.step, self.schedule.last_step, self.material, self.strategy
            )
        self.strategy.begin(module.train(), self.parameters, self.training)
        if found and state.step:
            self.strategy.restore(found.optimizer(), state.updates)

    def _validate_base(self, state: State) -> State:
        """Measure the score that the training has to reach, unless a stop request comes."""
        with self.interruption.watching():
            found = validate_base(
                self.material, self.strategy, self._measure(state), partial(self._wants_stop, 0)
            )
        if found is None:
            return state
        if self.is_first:
            log.info("%s step 0 | %s", self.job.name, self._shown(found, " of the base"))
        self.sample.keep_base(found.hypotheses)
        return replace(state, base_bleu=found.bleu, base_score=found.score)

    def _measure(self, state: State) -> Measure:
        return Measure(self.training.validation_metric, state.validation_sentences)

    def _shown(self, found: Validated, of: str = "") -> str:
        """Write the score of a validation, and BLEU beside another metric."""
        metric = self.training.validation_metric
        beside = "" if metric == "bleu" else f", BLEU {found.bleu:.2f}"
        return f"validation {METRIC_NAMES[metric]}{of} {found.score:.2f}{beside}"

    def _metrics(self, bleu: float, score: float) -> dict[str, float]:
        """Name the figures of a validation for the trackers."""
        values = {"validation/bleu": bleu}
        # MLflow takes no `+`, so the metric itself is no part of the name.
        return values if self.training.validation_metric == "bleu" else {
            **values, "validation/score": score,
        }  # fmt: skip

    def _pin_padding_width(self, round_to: int | None) -> int:
        """Batch the data as the run began, also when it resumes on another kind of device."""
        # Batches depend on the padded widths: with another multiple, the cursor would point to
        # other rows.
        plan, pairs = self.material.plan, self.material.pairs
        width = round_to or plan.round_to
        self.material = replace(
            self.material, plan=replace(plan, round_to=width), pairs=replace(pairs, round_to=width)
        )
        return width

    def _train(self, state: State) -> State:
        """Take steps until the end of the attempt or a stop request."""
        stopped = False
        if state.step == 0 and state.base_bleu is not None and state.base_score is not None:
            self.tracking.metrics(0, self._metrics(state.base_bleu, state.base_score))
        # A stop request during the validation of an earlier attempt left it to this one.
        if self.schedule.needs_validation(state):
            state, stopped = self.validate_and_save(state, Signal.CONTINUE)
        for cursor, step_rows in self.material.plan.steps(state.cursor):
            if stopped or self.schedule.is_over(state):
                break
            started = time.monotonic()
            request = max(self.notice(state.step), self.interruption.signal)
            after, agreed = self.train_step(state, step_rows, request)
            seconds = state.seconds + time.monotonic() - started
            state, stopped = self.validate_and_save(
                replace(after, cursor=cursor, seconds=seconds), agreed
            )
        # A run that was stopped goes on later, under the same name in the tracker.
        if not stopped:
            self.tracking.status = "FINISHED"
        return state

    def train_step(self, state: State, rows: list[Rows], request: Signal) -> tuple[State, Signal]:
        """Take one optimizer step.

        Returns:
            The state after it, and the greatest request of all workers.

        Raises:
            DivergedError: too many steps in a row were skipped.
        """
        rate = learning_rate(self.training, state.step)
        step_tokens = sum(int(self.material.plan.target_tokens[r].sum()) for r in rows)
        loss = self.guard.backward(state.step, partial(self._accumulate, rows, step_tokens))
        # One exchange carries the losses and the requests: each extra one would cost a round trip.
        sums = self.strategy.total(torch.tensor([loss, float(request)], dtype=torch.float64))
        mean_loss = float(sums[0]) / step_tokens
        norm = self._update(mean_loss, rate)
        tokens = step_tokens + sum(int(self.material.plan.source_tokens[r].sum()) for r in rows)
        self.progress.step(state.step + 1, mean_loss, rate, tokens, norm, state.best_score)
        state = state.after(mean_loss, updated=math.isfinite(norm))
        self.guard.check_divergence(state)
        return state, Signal(int(sums[1] > 0))

    def _update(self, mean_loss: float, rate: float) -> float:
        """Update the weights unless the loss is not finite, and return the gradients' norm."""
        # One batch with a bad loss is left out: an update would make all weights not finite.
        if math.isfinite(mean_loss):
            return self.strategy.step(rate)
        self.strategy.drop_gradients()
        return math.nan

    def _accumulate(self, rows: list[Rows], step_tokens: int) -> float:
        """Add up the gradients of the step's mean loss, and return the sum of the losses."""
        # Every worker exchanges gradients as often as the one with the most micro-batches. A
        # worker that has fewer repeats a row with weight 0.
        mine, count = self.micro_batches.of(rows, self.strategy.rank, self.strategy.workers)
        # The strategy averages over the workers, while the loss is a mean over all their tokens.
        weight = self.strategy.workers / step_tokens
        total = torch.zeros((), dtype=torch.float64)
        for index in range(count):
            own = index < len(mine)
            part = mine[index] if own else rows[0][:1]
            backward = partial(self._backward_of, part, weight * own, last=index + 1 == count)
            loss = attempt(backward, len(part))
            total += loss if own else 0.0
        return float(total)

    def _backward_of(self, rows: Rows, weight: float, last: bool) -> Tensor:
        batch = self.material.pairs.batch(rows, self.device)
        return self.strategy.backward(batch, weight, last=last).cpu()

    def validate_and_save(self, state: State, request: Signal) -> tuple[State, bool]:
        """Validate, save and report after a step, as far as the schedule or a request wants it.

        Returns:
            The state, and whether a stop request ends the attempt.
        """
        # A run that has to stop leaves its validation to the next attempt.
        started = request < Signal.STOP and self.schedule.needs_validation(state)
        if started:
            state = self._validate(state)
        validated = started and not self.schedule.needs_validation(state)
        stopped = request is Signal.STOP or (started and not validated)
        if validated or stopped or self.schedule.needs_checkpoint(state):
            self._save(state, self.hypotheses if validated else ())
        if validated:
            trained = sum(p.numel() for p in self.parameters.values())
            self.report({**state.curve[-1], "trained_parameters": trained})
        return state, stopped

    def _validate(self, state: State) -> State:
        """Add the validation's scores to the state, unless a stop request ends the validation."""
        stop_wanted = partial(self._wants_stop, state.step)
        with self.progress.paused():
            chosen = self.sample.choose(state, stop_wanted)
            found = chosen and validate(
                self.material, self.strategy, self._measure(chosen), stop_wanted=stop_wanted
            )
        if chosen is None or found is None:
            return state
        self.hypotheses = found.hypotheses
        self.tracking.metrics(state.step, self._metrics(found.bleu, found.score))
        if self.is_first:
            log.info("%s step %d | %s", self.job.name, state.step, self._shown(found))
        return chosen.with_validation(found.bleu, found.score)

    def _wants_stop(self, step: int) -> bool:
        return self.interruption.raised or self.notice.wants_stop(step)

    def _save(self, state: State, hypotheses: tuple[str, ...] = ()) -> None:
        """Write a checkpoint on rank 0; every worker contributes its part of the weights."""
        moments = self.strategy.moments()
        with self.strategy.gathered_weights():
            if self.is_first:
                keep, mean_of = self.training.keep_checkpoints, self.training.average_checkpoints
                validated = mean_of if mean_of > 1 else 0
                self.checkpoints.save(
                    state, self.material.model, moments, keep, validated, hypotheses,
                    self.job.start_at_step,
                )  # fmt: skip
                self.tracking.flush()

    def _outcome(self, state: State) -> Outcome:
        trained = sum(p.numel() for p in self.parameters.values())
        finished = self.schedule.needs_publication(state)
        return Outcome(state, finished, trained, self.material.pairs.dropped_pairs)
