"""What one training is made of: model, data, settings, and where its checkpoints go."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from transformers import PreTrainedTokenizerBase

from nmt.config import Config
from nmt.data.batches import BatchPlan
from nmt.data.pair import Pair
from nmt.data.prepare import has_split, load_pairs
from nmt.errors import DataError
from nmt.models.adapters import add_adapter
from nmt.models.encoding import EncodedPairs, TokenTable, encode
from nmt.models.load import ModelSource, load_model, load_tokenizer
from nmt.storage import Storage


@dataclass(frozen=True, slots=True)
class TrainingJob:
    """Everything a worker needs to know; picklable, no model inside."""

    config: Config
    """`adapter`, `training`, `strategy`, `seed` and the model's token limits are read."""
    storage: Storage
    folder: str
    """Where checkpoints and the best weights go."""
    base: ModelSource
    """The model to start from."""
    data: str
    """Folder commit of the prepared data."""
    name: str = "train"
    """In front of each line of progress."""
    train_split: str = "train"
    validation_split: str = "validation"
    replay_split: str | None = "general_train"
    stop_at_step: int | None = None
    """End here, as if interrupted; the schedule still aims at `training.max_steps`."""
    start_from: str | None = None
    """Folder of checkpoints to go on from when this one has none yet."""


@dataclass(frozen=True, slots=True)
class Material:
    """A job's model and data, loaded into this process."""

    model: nn.Module
    tokenizer: PreTrainedTokenizerBase
    pairs: EncodedPairs
    plan: BatchPlan
    validation: list[Pair]


def load_material(job: TrainingJob, device: torch.device) -> Material:
    """Load the model, add the adapter, tokenize the data.

    Raises:
        ModelError: the model, a language code or the adapter does not fit.
        DataError: no training or validation pair is left.
    """
    config = job.config
    source = job.base.on(job.storage)
    tokenizer = load_tokenizer(source, config.data.source_language, config.data.target_language)
    model = add_adapter(load_model(source), config.adapter, config.seed).to(device)
    folder = job.storage.fetch(job.data)
    corpus = _encode(job, tokenizer, load_pairs(folder, job.train_split))
    replay = EncodedPairs(TokenTable.of([]), TokenTable.of([]), corpus.pad_token, 0)
    if job.replay_split and config.training.replay_fraction and has_split(folder, job.replay_split):
        replay = _encode(job, tokenizer, load_pairs(folder, job.replay_split))
    if not len(corpus):
        raise DataError(
            f"no training pair fits into model.max_source_tokens="
            f"{config.model.max_source_tokens} and model.max_target_tokens="
            f"{config.model.max_target_tokens}: raise them"
        )
    pairs = _joined(corpus, replay)
    validation = load_pairs(folder, job.validation_split)[: config.training.validation_sentences]
    if not validation:
        raise DataError(f"split '{job.validation_split}' is empty: set data.validation_fraction")
    return Material(model, tokenizer, pairs, _plan(config, pairs, len(corpus)), validation)


def _encode(
    job: TrainingJob, tokenizer: PreTrainedTokenizerBase, pairs: list[Pair]
) -> EncodedPairs:
    limits = job.config.model
    return encode(tokenizer, pairs, limits.max_source_tokens, limits.max_target_tokens)


def _joined(first: EncodedPairs, second: EncodedPairs) -> EncodedPairs:
    def joined(a: TokenTable, b: TokenTable) -> TokenTable:
        offsets = np.concatenate([a.offsets, b.offsets[1:] + a.offsets[-1]])
        return TokenTable(np.concatenate([a.ids, b.ids]), offsets)

    return EncodedPairs(
        joined(first.source, second.source),
        joined(first.target, second.target),
        first.pad_token,
        first.left_out + second.left_out,
    )


def _plan(config: Config, pairs: EncodedPairs, corpus_rows: int) -> BatchPlan:
    return BatchPlan(
        source_tokens=pairs.source.lengths,
        target_tokens=pairs.target.lengths,
        corpus_rows=corpus_rows,
        replay_fraction=config.training.replay_fraction,
        micro_batch_tokens=config.training.micro_batch_tokens,
        micro_batches_per_step=config.training.micro_batches_per_step,
        seed=config.seed,
    )


def best_path(folder: str) -> str:
    """Where a training leaves its best weights, as a folder commit."""
    return f"{folder}/best"
