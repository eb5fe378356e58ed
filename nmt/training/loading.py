"""The parts of a training: its model, data, settings and folder."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import nn

from nmt.config import Config
from nmt.data.batches import BatchPlan, rounded_up
from nmt.data.prepare import has_split, load_pairs
from nmt.errors import DataError, InputError, ModelError
from nmt.models.adapters import add_adapter
from nmt.models.families import max_positions
from nmt.models.load import load_codec, load_model
from nmt.models.precision import base_dtype, pick_dtype
from nmt.models.sources.fingerprint import Fingerprint
from nmt.models.sources.source import ModelSource
from nmt.models.tokenization.codec import Codec
from nmt.models.tokenization.encoded_pairs import EncodedPairs, TokenTable, encode_pairs
from nmt.runs.records import fetch_output
from nmt.storage import Storage
from nmt.text.pair import Pair
from nmt.training.recompute import recompute_activations
from nmt.training.strategies import Strategy, pick_device


@dataclass(frozen=True, slots=True)
class TrainingJob:
    """A training as its workers receive it; picklable, without a model."""

    config: Config
    """`adapter`, `training`, `strategy`, `tracking`, `run`, `seed`, the languages and the model's
    token limits are read."""
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
    compares_with_base: bool = False
    """Validate the base too, and publish nothing that is worse."""


@dataclass(frozen=True, slots=True)
class LoadedTraining:
    """A job's model and data, loaded into this process."""

    model: nn.Module
    codec: Codec
    pairs: EncodedPairs
    plan: BatchPlan
    validation: list[Pair]
    base: Fingerprint | None = None
    """What the files of the model hold; None for one that was made in this process."""


def load_together(job: TrainingJob, strategy: Strategy) -> LoadedTraining:
    """Load model and data on every worker, and fail on all if one fails.

    Raises:
        InputError: model, data or settings do not fit, on this worker or another.
    """
    material, fault = None, None
    try:
        material = load_material(job, pick_device(job.config.scaling.gpus_per_worker))
    except InputError as error:
        fault = error
    faults = [each for each in strategy.gather(fault) if each]
    if material is None or faults:
        raise faults[0]
    return material


def load_material(job: TrainingJob, device: torch.device) -> LoadedTraining:
    """Load the model, add the adapter, tokenize the data.

    Raises:
        ModelError: the model, a language code or the adapter does not fit.
        DataError: no training or validation pair is left.
    """
    config = job.config
    source = job.base.resolve(job.storage)
    codec = load_codec(source, config.data.source_language, config.data.target_language)
    quantization = config.adapter if config.adapter.type == "qlora" else None
    dtype = base_dtype(config, pick_dtype(config.training.precision, device))
    base = load_model(source, dtype, quantization=quantization, device=device)
    model = add_adapter(base, config.adapter, config.seed).to(device)
    _check_positions(config, codec, model, width_multiple(device))
    if config.training.gradient_checkpointing:
        recompute_activations(model)
    folder = fetch_output(job.storage, job.data)
    corpus = _encode(job, codec, load_pairs(folder, job.train_split))
    replay = replace(corpus, source=TokenTable.of([]), target=TokenTable.of([]), dropped_pairs=0)
    if job.replay_split and config.training.replay_fraction and has_split(folder, job.replay_split):
        replay = _encode(job, codec, load_pairs(folder, job.replay_split))
    if not len(corpus):
        raise DataError(
            f"no training pair fits into model.max_source_tokens="
            f"{config.model.max_source_tokens} and model.max_target_tokens="
            f"{config.model.max_target_tokens}: raise them"
        )
    pairs = replace(_joined(corpus, replay), round_to=width_multiple(device))
    validation = load_pairs(folder, job.validation_split)[: config.training.validation_sentences]
    if not validation:
        raise DataError(f"split '{job.validation_split}' is empty: set data.validation_fraction")
    plan = _plan(config, pairs, len(corpus))
    return LoadedTraining(model, codec, pairs, plan, validation, source.content)


def _check_positions(config: Config, codec: Codec, model: nn.Module, round_to: int) -> None:
    """Refuse token limits beyond the model's positions, before they fail in mid-training."""
    limit, limits = max_positions(model), config.model
    longest = max(limits.max_source_tokens, limits.max_target_tokens)
    if codec.one_sequence:
        longest = limits.max_source_tokens + limits.max_target_tokens
    if limit is not None and int(rounded_up(np.array(longest), round_to)) > limit:
        keys = "model.max_source_tokens and model.max_target_tokens"
        raise ModelError(
            f"{keys}={limits.max_source_tokens}, {limits.max_target_tokens}: the model has "
            f"positions for {limit} tokens{' of both together' * codec.one_sequence}: lower them"
        )


def _encode(job: TrainingJob, codec: Codec, pairs: list[Pair]) -> EncodedPairs:
    limits = job.config.model
    return encode_pairs(codec, pairs, limits.max_source_tokens, limits.max_target_tokens)


def _joined(first: EncodedPairs, second: EncodedPairs) -> EncodedPairs:
    def joined(a: TokenTable, b: TokenTable) -> TokenTable:
        offsets = np.concatenate([a.offsets, b.offsets[1:] + a.offsets[-1]])
        return TokenTable(np.concatenate([a.ids, b.ids]), offsets)

    return replace(
        first,
        source=joined(first.source, second.source),
        target=joined(first.target, second.target),
        dropped_pairs=first.dropped_pairs + second.dropped_pairs,
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
        round_to=pairs.round_to,
    )


def width_multiple(device: torch.device) -> int:
    """Return the multiple for padded widths: a GPU's matrix units work in tiles of eight.

    Source: https://docs.nvidia.com/deeplearning/performance/dl-performance-matrix-multiplication
    """
    return 8 if device.type == "cuda" else 1
