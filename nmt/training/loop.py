"""The training loop: step, validate, checkpoint, report; the same for one worker and for many."""

import logging
import math
import time
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from nmt.data.batches import Rows, share
from nmt.decoding.generate import translate
from nmt.errors import CheckpointError, TrainingError
from nmt.metrics import corpus_bleu
from nmt.models.adapters import load_weights, plain, save_weights, trainable
from nmt.models.families import device_of, family_of
from nmt.training.checkpoints import Checkpoints, Loaded, State
from nmt.training.events import Report, Signal, ignore_report, watch_sigterm
from nmt.training.job import Material, TrainingJob, best_path, load_material
from nmt.training.loss import sum_cross_entropy
from nmt.training.optim import (
    build_optimizer,
    learning_rate,
    optimizer_tensors,
    restore_optimizer,
)
from nmt.training.progress import Progress
from nmt.training.strategies import Strategy, build_strategy, check_available, pick_device

log = logging.getLogger(__name__)


class LossModule(nn.Module):
    """The model as a function from a micro-batch to its summed loss."""

    def __init__(self, model: nn.Module, smoothing: float, dtype: torch.dtype) -> None:
        super().__init__()
        self.model = model
        self.smoothing = smoothing
        self.dtype = dtype

    def forward(self, batch: dict[str, Tensor]) -> Tensor:
        """Loss summed over the batch's target tokens."""
        model = plain(self.model)
        family = family_of(model.config)
        mixed = self.dtype != torch.float32
        with torch.autocast(batch["labels"].device.type, self.dtype, enabled=mixed):
            hidden = family.hidden_states(model, batch)
        return sum_cross_entropy(hidden, family.head(model), batch["labels"], self.smoothing)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a training ended."""

    state: State
    finished: bool
    """False when it was stopped before its last step."""
    trained_parameters: int
    left_out: int
    """Training pairs beyond the token limits."""


def run_training(job: TrainingJob, report: Report = ignore_report) -> Outcome:
    """Train from the last good checkpoint to the end, a stop signal or a lack of progress.

    Every worker of the strategy calls this; rank 0 writes. A run that is already at its end
    returns at once.

    Raises:
        TrainingError: the loss is no finite number.
    """
    check_available(job.config.strategy, job.config.adapter)
    strategy = build_strategy(job.config.strategy)
    run = Run(job, load_material(job, pick_device()), strategy)
    state = run.resume()
    with watch_sigterm() as interruption:
        signal = Signal.CONTINUE
        for cursor, step_rows in run.material.plan.steps(state.cursor):
            if run.at_end(state):
                break
            started = time.monotonic()
            loss, stop = run.train_step(state.step, step_rows, interruption.raised)
            state = replace(
                state,
                step=state.step + 1,
                cursor=cursor,
                seconds=state.seconds + time.monotonic() - started,
            )
            due = run.validation_due(state)
            if due:
                state = run.validate(state, loss)
            if due or stop or signal is not Signal.CONTINUE or run.checkpoint_due(state):
                run.save(state)
            if stop or signal is Signal.STOP:
                return run.outcome(state)
            signal = report(dict(state.curve[-1])) if due else Signal.CONTINUE
    if run.complete(state):
        run.publish_best(state)
    return run.outcome(state)


class Run:
    """One worker's part of a training."""

    def __init__(self, job: TrainingJob, material: Material, strategy: Strategy) -> None:
        self.job, self.material, self.strategy = job, material, strategy
        self.training = job.config.training
        self.device = device_of(material.model)
        self.parameters = trainable(material.model)
        self.optimizer = build_optimizer(self.parameters, self.training)
        dtype = pick_dtype(self.training.precision, self.device)
        module = LossModule(material.model, self.training.label_smoothing, dtype)
        self.module = strategy.wrap(module.train())
        self.checkpoints = Checkpoints(job.storage, f"{job.folder}/checkpoints")
        self.is_first = strategy.rank == 0
        self.last_step = min(self.training.max_steps, job.stop_at_step or self.training.max_steps)
        self.progress = Progress(
            job.name, self.last_step, self.training.log_every_seconds, self.is_first
        )

    def resume(self) -> State:
        """Put the last good checkpoint back; the start when there is none."""
        found = self.checkpoints.load_last()
        if found is None and self.job.start_from:
            found = Checkpoints(self.job.storage, self.job.start_from).load_last()
        if found is None:
            self._say_hello(State())
            return State()
        load_weights(self.material.model, found.parameters())
        restore_optimizer(self.optimizer, self.parameters, found.optimizer(), found.state.step)
        self.progress.best_bleu = found.state.best_bleu
        self._say_hello(found.state)
        return found.state

    def train_step(self, step: int, rows: list[Rows], interrupted: bool) -> tuple[float, bool]:
        """One optimizer step; the mean loss per target token, and whether any worker must stop."""
        # Dropout depends on the place in the run alone, so a resumed run repeats it exactly.
        torch.manual_seed(_step_seed(self.job.config.seed, step, self.strategy.rank))
        rate = learning_rate(self.training, step)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        step_tokens = sum(int(self.material.plan.target_tokens[r].sum()) for r in rows)
        loss = self._backward(rows, step_tokens)
        sums = self.strategy.total(torch.tensor([loss, float(interrupted)], dtype=torch.float64))
        mean_loss, stop = float(sums[0]) / step_tokens, bool(sums[1])
        if not math.isfinite(mean_loss):
            raise TrainingError(
                f"{self.job.name}: the loss at step {step + 1} is {mean_loss}; "
                "lower training.learning_rate, or set training.precision=fp32"
            )
        nn.utils.clip_grad_norm_(self.parameters.values(), self.training.max_gradient_norm)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        tokens = step_tokens + sum(int(self.material.plan.source_tokens[r].sum()) for r in rows)
        self.progress.step(step + 1, mean_loss, rate, tokens)
        return mean_loss, stop

    def _backward(self, rows: list[Rows], step_tokens: int) -> float:
        """Gradients of the step's mean loss; the sum of this worker's losses."""
        mine = share(rows, self.strategy.rank, self.strategy.workers)
        # A worker without rows still takes part in the exchange, with a loss of weight 0.
        weight = self.strategy.workers / step_tokens if mine else 0.0
        batches = mine or [rows[0][:1]]
        total = 0.0
        for index, batch_rows in enumerate(batches):
            with self.strategy.accumulate(self.module, last=index + 1 == len(batches)):
                loss = self.module(self.material.pairs.batch(batch_rows, self.device))
                (loss * weight).backward()
            total += float(loss.detach()) if mine else 0.0
        return total

    def validate(self, state: State, loss: float) -> State:
        """BLEU of the validation split, decoded by all workers together."""
        rank, workers = self.strategy.rank, self.strategy.workers
        part = self.material.validation[rank::workers]
        hypotheses = translate(
            self.material.model, self.material.tokenizer, [pair.source for pair in part]
        )
        gathered = self.strategy.gather(hypotheses)
        ordered = [
            gathered[i % workers][i // workers] for i in range(len(self.material.validation))
        ]
        bleu = corpus_bleu(ordered, [pair.target for pair in self.material.validation])
        entry = {"step": state.step, "bleu": bleu, "loss": loss}
        better = state.best_bleu is None or bleu > state.best_bleu
        self.progress.best_bleu = bleu if better else state.best_bleu
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
        if self.is_first:
            tensors = optimizer_tensors(self.optimizer, self.parameters)
            keep = self.training.keep_checkpoints
            self.checkpoints.save(state, self.material.model, tensors, keep)

    def publish_best(self, state: State) -> None:
        """Leave the weights of the best validation as a folder other tools can load."""
        if not self.is_first:
            return
        path = best_path(self.job.folder)
        if self.job.storage.is_committed(path):
            return
        if state.best_step is None:
            raise CheckpointError(f"{self.job.name}: no validation took place")
        load_weights(self.material.model, self._best_checkpoint(state).parameters())
        meta = {"step": state.best_step, "bleu": state.best_bleu}
        with self.job.storage.commit(path, meta) as folder:
            save_weights(self.material.model, folder)
            self.material.tokenizer.save_pretrained(folder)

    def _best_checkpoint(self, state: State) -> Loaded:
        own = self.checkpoints
        if state.best_step not in own.steps() and self.job.start_from:
            own = Checkpoints(self.job.storage, self.job.start_from)
        return own.load(state.best_step or 0)

    def validation_due(self, state: State) -> bool:
        """At every n-th step, and at the last."""
        return self._is_multiple(state, self.training.evaluate_every_steps) or (
            state.step == self.last_step
        )

    def checkpoint_due(self, state: State) -> bool:
        """Between validations, where the user asked for it."""
        every = self.training.checkpoint_every_steps
        return every is not None and self._is_multiple(state, every)

    def at_end(self, state: State) -> bool:
        """Whether no further step is to be taken now."""
        return state.step >= self.last_step or self._out_of_patience(state)

    def complete(self, state: State) -> bool:
        """Whether the training as a whole is over, not only this part of it."""
        return state.step >= self.training.max_steps or self._out_of_patience(state)

    def outcome(self, state: State) -> Outcome:
        """What the caller learns of the run."""
        trained = sum(p.numel() for p in self.parameters.values())
        return Outcome(state, self.complete(state), trained, self.material.pairs.left_out)

    def _out_of_patience(self, state: State) -> bool:
        patience = self.training.patience
        return patience is not None and state.worse_in_a_row >= patience

    @staticmethod
    def _is_multiple(state: State, every: int) -> bool:
        return state.step % every == 0

    def _say_hello(self, state: State) -> None:
        if not self.is_first:
            return
        count = sum(p.numel() for p in self.parameters.values())
        total = sum(p.numel() for p in self.material.model.parameters())
        pairs = self.material.pairs
        log.info(
            "%s from step %d of %d | %s of %s parameters trained | %d pairs, %d too long | "
            "%d workers | padding %.0f %%",
            self.job.name, state.step, self.last_step, f"{count:,}", f"{total:,}",
            len(pairs), pairs.left_out, self.strategy.workers, 100 * self.material.plan.padding(),
        )  # fmt: skip


def pick_dtype(precision: str, device: torch.device) -> torch.dtype:
    """Number format of the matrix products: bf16 where asked, or where a GPU is fast at it."""
    automatic = device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
    if precision == "bf16" or (precision == "auto" and automatic):
        return torch.bfloat16
    return torch.float32


def _step_seed(seed: int, step: int, rank: int) -> int:
    return (seed * 1_000_003 + step) * 4099 + rank
