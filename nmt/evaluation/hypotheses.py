"""Hypotheses of the base of a run and of its best weights for the same sentences."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import nn

from nmt.config import Config
from nmt.decoding.generate import translate
from nmt.models.adapters import attach, is_adapter
from nmt.models.families import unwrap
from nmt.models.load import load_codec, load_model
from nmt.models.out_of_memory import DoesNotFitError, attempt
from nmt.models.precision import base_dtype, pick_dtype
from nmt.models.sources.source import ModelSource
from nmt.runs.steps import TRAIN, fetch_made
from nmt.storage import Storage
from nmt.training.base import base_source
from nmt.training.saved.published import best_path
from nmt.training.strategies import pick_device

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Hypotheses:
    """What both systems made of the sentences, in their order."""

    base: list[str]
    best: list[str]
    parameters: int
    """Of the model that is compared with, an adapter's among them."""


def translate_with_both(config: Config, storage: Storage, sentences: Sequence[str]) -> Hypotheses:
    """Translate sentences with base and best weights, one after the other.

    An adapter is switched on beside the base; of two whole models, one is in memory at a time. The
    weights have the number format they were validated in.
    """
    source = base_source(config, storage).resolve(storage)
    codec = load_codec(source, config.data.source_language, config.data.target_language)
    device = pick_device(config.scaling.gpus_per_worker)
    dtype = base_dtype(config, pick_dtype(config.training.precision, device))
    hypotheses = partial(
        translate,
        codec=codec,
        sentences=sentences,
        beam_size=config.evaluation.beam_size,
        batch_tokens=config.evaluation.batch_tokens,
    )
    model: Any = load_model(source, dtype)
    trained = fetch_made(storage, best_path(TRAIN.path(config.run)))
    if is_adapter(trained):
        model = _placed(attach(model, trained), device)
        with model.disable_adapter():
            base = hypotheses(unwrap(model))  # PEFT's own `generate` puts a prompt in front even so
    else:
        base = hypotheses(_placed(model, device))
        del model  # before there is another
        model = _placed(load_model(ModelSource(str(trained)), dtype), device)
    parameters = sum(p.numel() for p in model.parameters())
    return Hypotheses(base, hypotheses(model), parameters)


def _placed(model: nn.Module, device: torch.device) -> nn.Module:
    """On a device that holds it; a GPU may not."""
    try:
        attempt(lambda: model.to(device), rows=1)
    except DoesNotFitError:
        log.warning("evaluate: %s does not hold the model: the CPU translates, slowly", device)
        model.to("cpu")
    return model.eval()
