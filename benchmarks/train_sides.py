"""The sides of the training benchmark; a process measures one of them and prints JSON.

All sides train the same LoRA adapter of the same tiny model on the same token ids, with one thread.
"""

import argparse
import json
import tempfile
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import accelerate
import numpy as np
import peft
import torch
import transformers
from datasets import Dataset
from lengths import Lengths, draw_lengths
from torch import Tensor, nn
from transformers import (
    DataCollatorForSeq2Seq,
    NllbTokenizer,
    Seq2SeqTrainer,
    Seq2SeqTrainingArguments,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)

from nmt.config import Config, LoraAdapter
from nmt.data.batches import BatchPlan, Cursor, padded_tokens
from nmt.models.adapters import add_adapter, trainable
from nmt.models.families import NLLB, device_of
from nmt.models.sources.source import ModelSource
from nmt.models.tiny import build_model, build_tokenizer
from nmt.models.tokenization.encoded_pairs import EncodedPairs, TokenTable
from nmt.models.tokenization.language_tags import LanguageCodes
from nmt.storage import Storage
from nmt.training.events import Signal
from nmt.training.job import TrainingJob
from nmt.training.loading import LoadedTraining
from nmt.training.strategies import Single
from nmt.training.trainer import Trainer

Row = dict[str, Any]
"""A pair as the Trainer reads it: input_ids, attention_mask, labels and length."""

PAIRS = 20_000
MAX_TOKENS = 128
SOURCE_CODE, TARGET_CODE = "eng_Latn", "tam_Taml"
LENGTH = "length"
BLOCK_STEPS = 50
"""Steps of the warm-up, and steps measured at a time. The Trainer sorts by length over 50 steps, so
other counts would favour long or short rows."""


class Meter:
    """A meter of finished steps' tokens and of their time, by default this process's CPU time."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.process_time) -> None:
        """Measure whole blocks of steps until `seconds` are used up."""
        self.seconds, self._clock = seconds, clock
        self.steps = -BLOCK_STEPS
        self.tokens = self.held = 0
        self.seconds_used = self._started = 0.0

    def finish_step(self, tokens: int, held: int) -> bool:
        """Count a step of `tokens`, `held` with padding, and tell whether enough was measured."""
        self.steps += 1
        if self.steps > 0:
            self.tokens, self.held = self.tokens + tokens, self.held + held
        elif self.steps == 0:
            self._started = self._clock()
        if self.steps <= 0 or self.steps % BLOCK_STEPS:
            return False
        self.seconds_used = self._clock() - self._started
        return self.seconds_used >= self.seconds


@dataclass(frozen=True, slots=True)
class Task:
    """The model, data and settings that every side trains."""

    config: Config
    tokenizer: NllbTokenizer
    model: nn.Module
    pairs: EncodedPairs
    plan: BatchPlan

    @property
    def on_gpu(self) -> bool:
        """Tell whether the model is on a GPU."""
        return device_of(self.model).type == "cuda"


def settings(seed: int) -> Config:
    """Build the project's defaults with LoRA of rank 16 and without replay of general pairs."""
    return Config.parse(
        {
            "seed": seed,
            "adapter": LoraAdapter(rank=16),
            "training": {"max_steps": 100_000, "replay_fraction": 0.0, "log_every_seconds": 1e9},
        }
    )


def build_task(seed: int) -> Task:
    """Build model, adapter and pairs from a seed."""
    config = settings(seed)
    random = np.random.default_rng(seed)
    tokenizer = draw_tokenizer(random, config.model.vocabulary_size)
    pairs = draw_pairs(random, tokenizer)
    model = add_adapter(build_model(tokenizer, seed), config.adapter, seed)
    plan = BatchPlan(
        source_tokens=pairs.source.lengths,
        target_tokens=pairs.target.lengths,
        corpus_rows=len(pairs),
        replay_fraction=config.training.replay_fraction,
        micro_batch_tokens=config.training.micro_batch_tokens,
        micro_batches_per_step=config.training.micro_batches_per_step,
        seed=seed,
    )
    return Task(config, tokenizer, model, pairs, plan)


def draw_tokenizer(random: np.random.Generator, size: int) -> NllbTokenizer:
    """Train a full vocabulary on words of random letters."""
    letters = list("abcdefghijklmnopqrstuvwxyz")
    lines = ["".join(random.choice(letters, random.integers(2, 9))) for _ in range(4000)]
    return build_tokenizer(lines, SOURCE_CODE, TARGET_CODE, size)


def draw_pairs(random: np.random.Generator, tokenizer: NllbTokenizer) -> EncodedPairs:
    """Draw pairs of random tokens with the lengths of real sentences."""
    source, target = draw_lengths(random, PAIRS, MAX_TOKENS)
    return EncodedPairs(
        _draw_rows(random, source, tokenizer, SOURCE_CODE),
        _draw_rows(random, target, tokenizer, TARGET_CODE),
        int(tokenizer.pad_token_id),  # pyright: ignore[reportArgumentType]
        0,
    )


def _draw_rows(
    random: np.random.Generator, sizes: Lengths, tokenizer: NllbTokenizer, code: str
) -> TokenTable:
    """Draw rows `[code] ... </s>` of the given lengths."""
    first, last = (tokenizer.get_vocab()[token] for token in (code, "</s>"))
    words = [random.integers(4, len(tokenizer) - 2, size - 2).tolist() for size in sizes]
    return TokenTable.of([[first, *row, last] for row in words])


def train_ours(task: Task, meter: Meter) -> None:
    """Train with the project's loop, without its validations and checkpoints."""
    with tempfile.TemporaryDirectory() as folder:
        job = TrainingJob(task.config, Storage(folder), "bench", ModelSource(folder), "bench")
        codec = LanguageCodes(task.tokenizer, SOURCE_CODE, TARGET_CODE)
        trainer = Trainer(
            job, LoadedTraining(task.model, codec, task.pairs, task.plan, []), Single()
        )
        state = trainer.resume()
        for _, rows in task.plan.steps(Cursor()):
            state, _ = trainer.train_step(state, rows, Signal.CONTINUE)
            tokens = sum(
                int(task.plan.source_tokens[r].sum() + task.plan.target_tokens[r].sum())
                for r in rows
            )
            if meter.finish_step(tokens, sum(padded_tokens(task.plan, r) for r in rows)):
                return


class Collator:
    """A collator that pads to the longest row and records each batch's size."""

    # The Trainer removes the labels to smooth them, and M2M100 builds its decoder input from them,
    # so the decoder input is added here.

    def __init__(self, task: Task) -> None:
        self.pad = DataCollatorForSeq2Seq(task.tokenizer, pad_to_multiple_of=task.pairs.round_to)
        self.model_config: Any = getattr(task.model, "config", None)
        self.sizes: deque[tuple[int, int]] = deque()
        """Real and padded tokens of batches that are not trained on yet."""

    def __call__(self, rows: list[Row]) -> dict[str, Tensor]:
        """Build one batch."""
        # The column of lengths was needed for grouping only.
        rows = [{k: v for k, v in row.items() if k != LENGTH} for row in rows]
        real = sum(len(row["input_ids"]) + len(row["labels"]) for row in rows)
        batch = dict(self.pad(rows))
        labels = batch["labels"]
        batch["decoder_input_ids"] = NLLB.decoder_input(labels, self.model_config)
        self.sizes.append((real, batch["input_ids"].numel() + labels.numel()))
        return batch


class MeterCallback(TrainerCallback):
    """A callback that counts the Trainer's finished steps and ends the training."""

    def __init__(self, meter: Meter, collator: Collator) -> None:
        self.meter, self.collator = meter, collator

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: object
    ) -> None:
        """Count a finished step."""
        # Batches are trained on in the order in which they were built.
        if self.meter.finish_step(*self.collator.sizes.popleft()):
            control.should_training_stop = True


def train_example(task: Task, meter: Meter) -> None:
    """Train with the Trainer as in its translation example: 8 random rows a batch."""
    _train_hf(task, meter, rows=8, sampling="random")


def train_grouped(task: Task, meter: Meter) -> None:
    """Train with the Trainer at its best: rows of similar length, as many as in our steps."""
    # The length is that of the longer side. The default, the source's length, gives twice the
    # padding.
    rows = round(len(task.pairs) / len(task.plan.epoch(0)))
    _train_hf(task, meter, rows=rows, sampling="group_by_length")


def _train_hf(task: Task, meter: Meter, rows: int, sampling: str) -> None:
    collator = Collator(task)
    with tempfile.TemporaryDirectory() as folder:
        trainer = Seq2SeqTrainer(
            model=task.model,
            args=_arguments(task, folder, rows, sampling),
            data_collator=collator,
            train_dataset=_dataset_of(task.pairs),  # pyright: ignore[reportArgumentType]
            processing_class=task.tokenizer,
            callbacks=[MeterCallback(meter, collator)],
        )
        trainer.train()


def _arguments(task: Task, folder: str, rows: int, sampling: str) -> Seq2SeqTrainingArguments:
    """Build the Trainer's arguments with the project's optimizer settings and no other work."""
    training = task.config.training
    return Seq2SeqTrainingArguments(
        output_dir=folder,
        per_device_train_batch_size=rows,
        train_sampling_strategy=sampling,
        length_column_name=LENGTH,
        max_steps=training.max_steps,
        learning_rate=training.learning_rate,
        lr_scheduler_type=training.schedule,
        warmup_steps=training.warmup_steps,
        optim="adamw_torch_fused",
        adam_beta2=0.98,
        weight_decay=training.weight_decay,
        max_grad_norm=training.max_gradient_norm,
        label_smoothing_factor=training.label_smoothing,
        seed=task.config.seed,
        use_cpu=not task.on_gpu,
        bf16=task.on_gpu,
        dataloader_pin_memory=False,
        remove_unused_columns=False,
        eval_strategy="no",
        save_strategy="no",
        logging_strategy="no",
        report_to="none",
        disable_tqdm=True,
    )


def _dataset_of(pairs: EncodedPairs) -> Dataset:
    """Build the data set of the example, with a column of lengths for grouping."""

    def cut(table: TokenTable) -> list[list[int]]:
        return [part.tolist() for part in np.split(table.ids, table.offsets[1:-1])]

    sources, targets = cut(pairs.source), cut(pairs.target)
    columns = {
        "input_ids": sources,
        "attention_mask": [[1] * len(source) for source in sources],
        "labels": targets,
        LENGTH: np.maximum(pairs.source.lengths, pairs.target.lengths).tolist(),
    }
    return Dataset.from_dict(columns)


SIDES: dict[str, Callable[[Task, Meter], None]] = {
    "ours": train_ours,
    "hf_example": train_example,
    "hf_grouped": train_grouped,
}


def measure(side: str, seconds: float, seed: int) -> dict[str, Any]:
    """Measure one side."""
    task, meter = build_task(seed), Meter(seconds)
    parameters = sum(p.numel() for p in trainable(task.model).values())
    SIDES[side](task, meter)
    return {
        "tokens_per_cpu_second": meter.tokens / meter.seconds_used,
        "padding": 1 - meter.tokens / meter.held,
        "tokens_per_step": meter.tokens / meter.steps,
        "steps": meter.steps,
        "cpu_seconds": meter.seconds_used,
        "trained_parameters": parameters,
        "lengths": describe(task.pairs),
        "versions": {m.__name__: m.__version__ for m in (torch, transformers, peft, accelerate)},
    }


def describe(pairs: EncodedPairs) -> dict[str, dict[str, float]]:
    """Compute mean, median and 95th percentile of both sides' lengths in tokens."""
    return {
        name: {
            "mean": round(float(table.lengths.mean()), 1),
            "median": float(np.median(table.lengths)),
            "p95": float(np.percentile(table.lengths, 95)),
        }
        for name, table in (("source", pairs.source), ("target", pairs.target))
    }


def main() -> None:
    """Measure the side named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("side", choices=list(SIDES))
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--seed", type=int, required=True)
    options = parser.parse_args()
    torch.set_num_threads(1)
    print(json.dumps(measure(options.side, options.seconds, options.seed)))


if __name__ == "__main__":
    main()
