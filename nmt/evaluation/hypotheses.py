"""Translations of the same sentences by each system of a run."""

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
from nmt.runs import layout
from nmt.runs.evaluation import BASE_SYSTEM, TUNED_SYSTEM
from nmt.runs.records import fetch_output
from nmt.storage import Storage
from nmt.training.base import base_source
from nmt.training.strategies import pick_device

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SystemOutput:
    """What one system made of the sentences."""

    hypotheses: list[str]
    """In the order of the sentences."""
    parameters: int
    """Parameters of the model, with those of an adapter."""


def translate_systems(
    config: Config, storage: Storage, sentences: Sequence[str]
) -> dict[str, SystemOutput]:
    """Translate sentences with the base and with the tuned weights of a run, in turn.

    Returns:
        Name of the system -> its output.
    """
    source = base_source(config, storage).resolve(storage)
    codec = load_codec(source, config.data.source_language, config.data.target_language)
    device = pick_device(config.scaling.gpus_per_worker)
    # The number format in which the training validated its weights.
    dtype = base_dtype(config, pick_dtype(config.training.precision, device))
    hypotheses = partial(
        translate,
        codec=codec,
        sentences=sentences,
        beam_size=config.evaluation.beam_size,
        batch_tokens=config.evaluation.batch_tokens,
    )
    model: Any = load_model(source, dtype)
    base_parameters = _count_parameters(model)
    trained = fetch_output(storage, layout.trained_weights(config.run))
    if is_adapter(trained):
        model = _placed(attach(model, trained), device)
        with model.disable_adapter():
            # PEFT's own `generate` adds a prompt's virtual tokens even while it is disabled.
            base = hypotheses(unwrap(model))
    else:
        base = hypotheses(_placed(model, device))
        del model  # only one of two full models is in memory at a time
        model = _placed(load_model(ModelSource(str(trained)), dtype), device)
    return {
        BASE_SYSTEM: SystemOutput(base, base_parameters),
        TUNED_SYSTEM: SystemOutput(hypotheses(model), _count_parameters(model)),
    }


def _count_parameters(model: nn.Module) -> int:
    return sum(p.numel() for p in model.parameters())


def _placed(model: nn.Module, device: torch.device) -> nn.Module:
    """Move a model to a device, or to the CPU if the device has too little memory."""
    try:
        attempt(lambda: model.to(device), rows=1)
    except DoesNotFitError:
        log.warning("evaluate: %s does not hold the model: the CPU translates, slowly", device)
        model.to("cpu")
    return model.eval()
