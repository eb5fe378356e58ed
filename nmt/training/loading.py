"""The parts of a training, loaded into a worker: its model, data and plan."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import torch
from torch import nn
from transformers import PreTrainedModel

from nmt.config import Config, QloraAdapter
from nmt.data.batches import BatchPlan, rounded_up
from nmt.data.mixing import CorpusMix
from nmt.data.prepared_rows import first_pairs
from nmt.errors import DataError, InputError, ModelError
from nmt.models.adapters import add_adapter
from nmt.models.families import max_positions
from nmt.models.load import load_codec, load_model
from nmt.models.precision import base_dtype, pick_dtype
from nmt.models.sources.fingerprint import Fingerprint
from nmt.models.sources.source import ModelSource
from nmt.models.tokenization.codec import Codec
from nmt.models.tokenization.encoded_pairs import EncodedPairs
from nmt.models.tokenization.saved_tokens import SavedTokens
from nmt.runs.records import fetch_output
from nmt.text.pair import Pair
from nmt.training.events import never
from nmt.training.job import TrainingJob
from nmt.training.kept_base import (
    KEPT_BASES,
    BaseKey,
    CodecKey,
    can_be_kept,
    changes_base,
)
from nmt.training.recompute import recompute_activations
from nmt.training.reused_memory import REUSED_MEMORY
from nmt.training.strategies import Single, Strategy, pick_device
from nmt.training.tokens import Tokenization

Loaded = TypeVar("Loaded")


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


@dataclass(frozen=True, slots=True)
class _LoadedModel:
    """A job's model with its tokenizer."""

    model: nn.Module
    codec: Codec
    source: ModelSource


def load_together(
    job: TrainingJob, strategy: Strategy, wants_stop: Callable[[], bool] = never
) -> LoadedTraining:
    """Load model and data on every worker, and fail on all if one fails.

    Raises:
        InputError: model, data or settings do not fit, on this worker or another.
        StoppedError: a worker had to stop before the pairs were tokenized.
    """
    device = pick_device(job.config.scaling.gpus_per_worker)
    return load_material(job, device, strategy, wants_stop)


def load_material(
    job: TrainingJob,
    device: torch.device,
    strategy: Strategy | None = None,
    wants_stop: Callable[[], bool] = never,
) -> LoadedTraining:
    """Load the model, add the adapter, and load the tokenized data.

    Args:
        job: the training.
        device: of the model.
        strategy: the workers that load the same job; None for this process alone.
        wants_stop: asked while the pairs are tokenized.

    Raises:
        ModelError: the model, a language code or the adapter does not fit.
        DataError: no training or validation pair is left.
        StoppedError: a worker had to stop before the pairs were tokenized.
    """
    strategy = strategy or Single()
    loaded = _on_all(strategy, lambda: _load_model(job, device))
    tokenization = Tokenization(job, loaded.source, loaded.codec, strategy, wants_stop)
    tokens = tokenization.load()
    return _on_all(strategy, lambda: _load_data(job, loaded, tokens, width_multiple(device)))


def _on_all(strategy: Strategy, work: Callable[[], Loaded]) -> Loaded:
    """Do the same work on every worker, and fail on all if it fails on one.

    Raises:
        InputError: of this worker or another.
    """
    result, fault = None, None
    try:
        result = work()
    except InputError as error:
        fault = error
    faults = [each for each in strategy.gather(fault) if each]
    if result is None or faults:
        raise faults[0]
    return result


def _load_model(job: TrainingJob, device: torch.device) -> _LoadedModel:
    """Load the model and its tokenizer, and add the adapter."""
    config = job.config
    source = job.base.resolve(job.storage)
    codec = _load_codec(job, source)
    model = add_adapter(_load_base(job, source, device), config.adapter, config.seed).to(device)
    _check_positions(config, codec, model, width_multiple(device))
    if config.training.gradient_checkpointing:
        recompute_activations(model)
    return _LoadedModel(model, codec, source)


def _load_codec(job: TrainingJob, source: ModelSource) -> Codec:
    """Load the tokenizer, or take the one that this process keeps."""
    languages = job.config.data.source_language, job.config.data.target_language

    def load() -> Codec:
        return load_codec(source, *languages)

    return (
        KEPT_BASES.codec(CodecKey(source.content.digest, *languages), load)
        if job.keeps_base
        else load()
    )


def _load_base(job: TrainingJob, source: ModelSource, device: torch.device) -> PreTrainedModel:
    """Load the base, or copy the one that this process keeps."""
    config = job.config
    quantization = config.adapter if config.adapter.type == "qlora" else None
    dtype = base_dtype(config, pick_dtype(config.training.precision, device))

    def load() -> PreTrainedModel:
        return load_model(source, dtype, quantization=quantization, device=device)

    if not job.keeps_base or not can_be_kept(config.adapter):
        REUSED_MEMORY.free()
        return load()
    # Weights that are trained are copied from the CPU: a second set would take the GPU's memory.
    place = torch.device("cpu") if changes_base(config.adapter) else device
    key = BaseKey(source.content.digest, dtype, _kept_format(quantization), str(place))
    return KEPT_BASES.model(key, config.adapter, lambda: load().to(place), device)  # pyright: ignore[reportArgumentType]


def _kept_format(quantization: QloraAdapter | None) -> QloraAdapter | None:
    """Return the settings of QLoRA with those left out that do not change the base."""
    if quantization is None:
        return None
    return QloraAdapter(
        quantization=quantization.quantization,
        double_quantization=quantization.double_quantization,
        compute_precision=quantization.compute_precision,
    )


def _load_data(
    job: TrainingJob, loaded: _LoadedModel, tokens: SavedTokens, round_to: int
) -> LoadedTraining:
    """Plan the batches of the tokenized pairs, and read the validation pairs."""
    config = job.config
    if not tokens.index.rows[0]:
        raise DataError(
            f"no training pair fits into model.max_source_tokens="
            f"{config.model.max_source_tokens} and model.max_target_tokens="
            f"{config.model.max_target_tokens}: raise them"
        )
    folder = fetch_output(job.storage, job.data)
    validation = first_pairs(folder, job.validation_split, config.training.validation_sentences)
    if not validation:
        raise DataError(f"split '{job.validation_split}' is empty: set data.validation_fraction")
    return LoadedTraining(
        loaded.model,
        loaded.codec,
        tokens.pairs(loaded.codec, round_to),
        _plan(config, tokens, round_to),
        validation,
        loaded.source.content,
    )


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


def _plan(config: Config, tokens: SavedTokens, round_to: int) -> BatchPlan:
    """Plan the micro-batches of a training, with its corpora mixed by their weights."""
    corpus_rows = tokens.index.rows[0]
    corpora = config.data.corpora
    weights = tuple(
        corpora[name].weight if name in corpora else 1.0 for name in tokens.index.corpora
    )
    mix = None
    if tokens.corpora is not None and any(weight != 1 for weight in weights):
        mix = CorpusMix(tokens.corpora[:corpus_rows], weights)
    return BatchPlan(
        source_tokens=tokens.source.lengths,
        target_tokens=tokens.target.lengths,
        corpus_rows=corpus_rows,
        replay_fraction=config.training.replay_fraction,
        micro_batch_tokens=config.training.micro_batch_tokens,
        micro_batches_per_step=config.training.micro_batches_per_step,
        seed=config.seed,
        round_to=round_to,
        mix=mix,
    )


def width_multiple(device: torch.device) -> int:
    """Return the multiple for padded widths: a GPU's matrix units work in tiles of eight.

    Source: https://docs.nvidia.com/deeplearning/performance/dl-performance-matrix-multiplication
    """
    return 8 if device.type == "cuda" else 1
