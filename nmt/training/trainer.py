"""The training loop: step, validate, checkpoint, report; the same for one worker and for many."""

import logging
import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor

from nmt.data.batches import Rows
from nmt.errors import DivergedError, ModelError, TrainingError
from nmt.models.adapters import load_weights, trainable
from nmt.models.families import device_of
from nmt.models.out_of_memory import DoesNotFitError, attempt, is_out_of_memory
from nmt.models.precision import pick_dtype
from nmt.runs import layout
from nmt.training.events import (
    Interruption,
    NoNotice,
    Notice,
    Report,
    Signal,
    ignore_report,
    watch_sigterm,
)
from nmt.training.loading import LoadedTraining, TrainingJob, load_together
from nmt.training.loss import LossModule
from nmt.training.micro_batches import MicroBatches
from nmt.training.optim import learning_rate
from nmt.training.progress import Progress
from nmt.training.saved.checkpoints import Checkpoints, Loaded, State
from nmt.training.saved.publish import Publisher
from nmt.training.schedule import Schedule
from nmt.training.strategies import Strategy, build_strategy
from nmt.training.tracking import track
from nmt.training.validation import base_validation_bleu, validation_bleu

log = logging.getLogger(__name__)

MOST_LEFT_OUT = 5
"""Steps in a row without a finite loss, after which a run has diverged."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a training ended."""

    state: State
    finished: bool
    """False when it was stopped before its last step."""
    trained_parameters: int
    left_out: int
    """Training pairs beyond the token limits."""


def run_training(
    job: TrainingJob, report: Report = ignore_report, notice: Notice | None = None
) -> Outcome:
    """Train from the last good checkpoint to the end, a stop signal or a lack of progress.

    Every worker of the strategy calls this; rank 0 writes. A run that is already at its end
    returns at once.

    Raises:
        DivergedError: the loss is no finite number, step after step.
    """
    strategy = build_strategy(job.config.strategy)
    with _memory_named(job.name):
        run = Run(job, load_together(job, strategy), strategy, report, notice)
        state = run.resume()
    if run.due.base_validation(state):  # told to stop in its midst
        return run.outcome(state)
    tracked = run.is_first and (run.due.validation(state) or not run.due.end(state))
    with track(job, state.step, enabled=tracked) as tracking, watch_sigterm() as interruption:
        run.progress.tracking, run.interruption = tracking, interruption
        over = False
        if state.step == 0 and state.base_bleu is not None:
            tracking.metrics(0, {"validation/bleu": state.base_bleu})
        if run.due.validation(state):  # an earlier attempt was stopped in its midst
            state, over = run.settle(state, Signal.CONTINUE)
        for cursor, step_rows in run.material.plan.steps(state.cursor):
            if over or run.due.end(state):
                break
            started = time.monotonic()
            wish = max(run.notice(state.step), interruption.signal)
            taken, wanted = run.train_step(state, step_rows, wish)
            seconds = state.seconds + time.monotonic() - started
            state, over = run.settle(replace(taken, cursor=cursor, seconds=seconds), wanted)
        if not over:
            tracking.status = "FINISHED"
    if run.due.publication(state):
        run.publisher.publish(state)
    return run.outcome(state)


class Run:
    """One worker's part of a training."""

    def __init__(
        self,
        job: TrainingJob,
        material: LoadedTraining,
        strategy: Strategy,
        report: Report = ignore_report,
        notice: Notice | None = None,
    ) -> None:
        self.job, self.material, self.strategy = job, material, strategy
        self.report, self.notice = report, notice or NoNotice()
        self.interruption = Interruption()
        self.training = job.config.training
        self.device = device_of(material.model)
        self.parameters = trainable(material.model)
        self.checkpoints = Checkpoints(job.storage, layout.checkpoints(job.folder), material.base)
        self.publisher = Publisher(job, material, strategy, self.checkpoints)
        self.micro_batches = MicroBatches(job.name, job.storage, job.folder, strategy)
        self.is_first = strategy.rank == 0
        self.due = Schedule(self.training, job.stop_at_step, job.compares_with_base)
        self.progress = Progress(
            job.name, self.due.last_step, self.training.log_every_seconds, self.is_first
        )

    def resume(self) -> State:
        """Put the last good checkpoint back; the start when there is none.

        Where the base is to be validated, that comes first: a checkpoint replaces its weights.
        """
        if self.is_first:  # each kill within a save leaves a whole checkpoint's worth of space
            for folder in (self.checkpoints.folder, self.job.folder):
                self.job.storage.sweep(folder)
        found = self._find_checkpoint()
        state = found.state if found else State()
        state = replace(state, round_to=self._keep_cut(state.round_to))
        if self.due.base_validation(state):
            state = replace(state, base_bleu=self._validate_base())
            if self.due.base_validation(state):
                if found:
                    found.close()
                return state
        if found:
            load_weights(self.material.model, found.parameters())
        dtype = pick_dtype(self.training.precision, self.device)
        module = LossModule(
            self.material.model,
            self.training.label_smoothing,
            dtype,
            recomputes=self.training.gradient_checkpointing,
        )
        self._say_hello(state)
        self.strategy.begin(module.train(), self.parameters, self.training)
        if found and state.step:
            self.strategy.restore(found.optimizer(), state.updates)
        if found:
            found.close()
        self.progress.best_bleu = state.best_bleu
        return state

    def _validate_base(self) -> float | None:
        """Measure what the training has to reach; None where a worker is told to stop."""
        with watch_sigterm() as self.interruption:
            bleu = base_validation_bleu(
                self.material,
                self.strategy,
                stop_wanted=lambda: self.interruption.raised or self.notice.wants_stop(0),
            )
        if self.is_first and bleu is not None:
            log.info("%s step 0 | validation BLEU of the base %.2f", self.job.name, bleu)
        return bleu

    def _keep_cut(self, round_to: int | None) -> int:
        """Go on with the cut of the data that the run began with, maybe on other devices."""
        plan, pairs = self.material.plan, self.material.pairs
        width = round_to or plan.round_to
        self.material = replace(
            self.material, plan=replace(plan, round_to=width), pairs=replace(pairs, round_to=width)
        )
        return width

    def _find_checkpoint(self) -> Loaded | None:
        """Rank 0's: a worker that cannot read it fails, rather than go on from another step.

        Raises:
            StorageError: this worker cannot read what rank 0 has found.
            ModelError: the latest checkpoint belongs to another base.
        """
        holders, place, found, fault = [self.checkpoints], None, None, None
        if self.job.start_from:
            holders.append(replace(self.checkpoints, folder=self.job.start_from))
        try:
            for number, holder in enumerate(holders if self.is_first else []):
                if found := holder.load_last():
                    place = (number, found.state.step)
                    break
        except ModelError as error:  # the others wait to hear of it
            fault = error
        place, fault = self.strategy.gather((place, fault))[0]
        if fault:
            raise fault
        if place is None or self.is_first:
            return found
        number, step = place
        return holders[number].load(step)

    def train_step(self, state: State, rows: list[Rows], wanted: Signal) -> tuple[State, Signal]:
        """One optimizer step; the state after it, and what the workers agreed on.

        Raises:
            DivergedError: too many steps in a row were left out.
        """
        rate = learning_rate(self.training, state.step)
        step_tokens = sum(int(self.material.plan.target_tokens[r].sum()) for r in rows)
        loss = self._backward(state.step, rows, step_tokens)
        wishes = [float(wanted >= wish) for wish in (Signal.CHECKPOINT, Signal.STOP)]
        sums = self.strategy.total(torch.tensor([loss, *wishes], dtype=torch.float64))
        mean_loss = float(sums[0]) / step_tokens
        norm = self._update(mean_loss, rate)
        tokens = step_tokens + sum(int(self.material.plan.source_tokens[r].sum()) for r in rows)
        self.progress.step(state.step + 1, mean_loss, rate, tokens, norm)
        state = state.after(mean_loss, updated=math.isfinite(norm))
        self._look_at(state)
        return state, Signal(int(sums[1] > 0) + int(sums[2] > 0))

    def _update(self, mean_loss: float, rate: float) -> float:
        """Take the step, or leave it out where it would spoil the weights; the gradients' norm."""
        if math.isfinite(mean_loss):
            return self.strategy.step(rate)
        self.strategy.drop_gradients()
        return math.nan

    def _look_at(self, state: State) -> None:
        if not state.left_out_in_a_row:
            return
        if self.is_first:
            log.warning(
                "%s step %d | loss or gradients are not finite: left out",
                self.job.name, state.step,
            )  # fmt: skip
        if state.left_out_in_a_row >= MOST_LEFT_OUT:
            raise DivergedError(
                f"{self.job.name}: loss or gradients of {state.left_out_in_a_row} steps in a row, "
                f"to step {state.step}, are not finite; lower training.learning_rate, or set "
                "training.precision=fp32, under another run=NAME, or here with --restart, which "
                "discards the checkpoints of this run"
            )

    def _backward(self, step: int, rows: list[Rows], step_tokens: int) -> float:
        """Gradients of the step's mean loss, in micro-batches that fit; the sum of the losses.

        Raises:
            TrainingError: they do not fit, and this worker cannot redo the step by itself.
            InsufficientMemoryError: not even one row fits.
        """
        while True:
            # Dropout depends on the place in the run alone, so a resumed run repeats it exactly.
            torch.manual_seed(_step_seed(self.job.config.seed, step, self.strategy.rank))
            try:
                return self._accumulate(rows, step_tokens)
            except DoesNotFitError as error:
                self.micro_batches.halve(error.rows)
            if self.job.config.strategy.type != "single":
                # The other workers wait for this one's gradients.
                raise TrainingError(
                    f"{self.job.name}: out of memory in step {step + 1}; the workers go on from "
                    "the last checkpoint with smaller micro-batches"
                )
            self.strategy.drop_gradients()

    def _accumulate(self, rows: list[Rows], step_tokens: int) -> float:
        """Gradients of the step's mean loss; the sum of this worker's losses."""
        # Every worker exchanges gradients as often as the one that has most: with weight 0.
        mine, count = self.micro_batches.of(rows, self.strategy.rank, self.strategy.workers)
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

    def settle(self, state: State, wanted: Signal) -> tuple[State, bool]:
        """Validate, save and report what is due after a step.

        A run that shall end leaves its validation to the next attempt.

        Returns:
            The state, and whether the run is over.
        """
        asked = wanted < Signal.STOP and self.due.validation(state)
        if asked:
            state = self.validate(state)
        validated = asked and not self.due.validation(state)
        over = wanted is Signal.STOP or (asked and not validated)
        if validated or over or wanted is Signal.CHECKPOINT or self.due.checkpoint(state):
            self.save(state)
        if validated:
            self.report(dict(state.curve[-1]))
        return state, over

    def validate(self, state: State) -> State:
        """With BLEU of the validation split; the same state where a worker is told to stop."""
        with self.progress.paused():
            bleu = validation_bleu(
                self.material,
                self.strategy,
                stop_wanted=lambda: self.interruption.raised or self.notice.wants_stop(state.step),
            )
        if bleu is None:
            return state
        entry = {"step": state.step, "bleu": bleu}
        if state.loss is not None:
            entry["loss"] = state.loss
        better = state.best_bleu is None or bleu > state.best_bleu
        self.progress.best_bleu = bleu if better else state.best_bleu
        self.progress.tracking.metrics(state.step, {"validation/bleu": bleu})
        if self.is_first:
            log.info("%s step %d | validation BLEU %.2f", self.job.name, state.step, bleu)
        return replace(
            state,
            curve=(*state.curve, entry),
            best_bleu=bleu if better else state.best_bleu,
            best_step=state.step if better else state.best_step,
            worse_in_a_row=0 if better else state.worse_in_a_row + 1,
        )

    def save(self, state: State) -> None:
        """Checkpoint of a state, by rank 0."""
        moments = self.strategy.moments()
        with self.strategy.gathered_weights():
            if self.is_first:
                keep, mean_of = self.training.keep_checkpoints, self.training.average_checkpoints
                validated = mean_of if mean_of > 1 else 0
                self.checkpoints.save(state, self.material.model, moments, keep, validated)
                self.progress.tracking.flush()

    def outcome(self, state: State) -> Outcome:
        """What the caller learns of the run."""
        trained = sum(p.numel() for p in self.parameters.values())
        return Outcome(
            state, self.due.publication(state), trained, self.material.pairs.dropped_pairs
        )

    def _say_hello(self, state: State) -> None:
        if not self.is_first:
            return
        count = sum(p.numel() for p in self.parameters.values())
        total = sum(p.numel() for p in self.material.model.parameters())
        pairs = self.material.pairs
        log.info(
            "%s from step %d of %d | %s of %s parameters trained | %d pairs, %d too long | "
            "%d workers | padding %.0f %%",
            self.job.name, state.step, self.due.last_step, f"{count:,}", f"{total:,}",
            len(pairs), pairs.dropped_pairs, self.strategy.workers,
            100 * self.material.plan.padding(),
        )  # fmt: skip
        if pairs.dropped_pairs > len(pairs):
            log.warning(
                "%s: most training pairs are longer than model.max_source_tokens or "
                "model.max_target_tokens, and are left out: raise them", self.job.name,
            )  # fmt: skip


@contextmanager
def _memory_named(name: str) -> Iterator[None]:
    """Around what is held before the first micro-batch, which no smaller one would mend."""
    try:
        yield
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
        raise TrainingError(
            f"{name}: weights and optimizer alone do not fit into the memory: `nmt plan` says what "
            "would; set adapter.type=lora or qlora, or have strategy.type=deepspeed partition the "
            "optimizer, whatever its stage: each worker holds all weights once"
        ) from error


def _step_seed(seed: int, step: int, rank: int) -> int:
    return (seed * 1_000_003 + step) * 4099 + rank
