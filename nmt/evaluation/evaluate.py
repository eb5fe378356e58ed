"""Base and adapter on the same test sentences: scores, significance, and what was forgotten."""

import logging
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from pydantic import TypeAdapter
from torch import nn

from nmt.config import Config
from nmt.data.pair import Pair
from nmt.data.prepare import has_split, load_pairs
from nmt.decoding.generate import translate
from nmt.errors import DataError
from nmt.evaluation.significance import Significance, paired_bootstrap
from nmt.evaluation.summary import SystemSummary
from nmt.metrics import score_all
from nmt.models.adapters import ADAPTED, attach, is_adapter
from nmt.models.codec import Codec
from nmt.models.load import ModelSource, load_codec, load_model
from nmt.steps import PREPARE, TRAIN
from nmt.storage import Storage
from nmt.training.base import base_source
from nmt.training.best import fetch_best
from nmt.training.strategies import pick_device

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Systems:
    """Base and adapted model; with an adapter both are one model, switched."""

    base: nn.Module
    best: nn.Module
    codec: Codec

    def translate(self, sentences: Sequence[str], config: Config) -> tuple[list[str], list[str]]:
        """Hypotheses of the base and of the adapted model."""
        with self.base.disable_adapter() if isinstance(self.base, ADAPTED) else nullcontext():
            base = self._hypotheses(self.base, sentences, config)
        return base, self._hypotheses(self.best, sentences, config)

    def _hypotheses(self, model: nn.Module, sentences: Sequence[str], config: Config) -> list[str]:
        settings = config.evaluation
        return translate(
            model,
            self.codec,
            sentences,
            beam_size=settings.beam_size,
            batch_tokens=settings.batch_tokens,
        )


def load_systems(config: Config, storage: Storage) -> Systems:
    """The base of a run and its best weights, on this worker's device."""
    source = base_source(config).on(storage)
    device = pick_device()
    codec = load_codec(source, config.data.source_language, config.data.target_language)
    base = load_model(source).to(device).eval()  # pyright: ignore[reportArgumentType]
    trained = fetch_best(storage, TRAIN.path(config.run))
    if is_adapter(trained):
        both = attach(base, trained)
        return Systems(both, both, codec)
    best = load_model(ModelSource(str(trained))).to(device)  # pyright: ignore[reportArgumentType]
    return Systems(base, best.eval(), codec)


@torch.inference_mode()
def evaluate(config: Config, storage: Storage) -> dict[str, Any]:
    """Plain values for `evaluation.json`: base, best, significance, samples.

    Raises:
        DataError: the test split is missing or empty.
    """
    folder = storage.fetch(f"{PREPARE.path(config.run)}/pairs")
    if not has_split(folder, "test"):
        raise DataError(
            f"run '{config.run}' has no test split: set data.test_fraction or data.test_path"
        )
    systems = load_systems(config, storage)
    test = _first(load_pairs(folder, "test"), config)
    base, best = systems.translate([pair.source for pair in test], config)
    references = [pair.target for pair in test]
    log.info("evaluate: %d test sentences translated by base and best", len(test))
    significance = paired_bootstrap(
        base, best, references, samples=config.evaluation.bootstrap_samples, seed=config.seed
    )
    general_base, general_best = _general_scores(systems, config, storage)
    return {
        "base": SystemSummary.of(score_all(base, references), general_base).model_dump(),
        "best": SystemSummary.of(score_all(best, references), general_best).model_dump(),
        "p_value": significance.p_value,
        "significance": TypeAdapter(Significance).dump_python(significance, mode="json"),
        "samples": _samples(test, base, best, config.evaluation.report_samples),
        "parameters": sum(p.numel() for p in systems.base.parameters()),
    }


def _general_scores(systems: Systems, config: Config, storage: Storage):  # noqa: ANN202
    """Scores of both systems on the part the base had learnt; None where there is none."""
    folder = storage.fetch(f"{PREPARE.path(config.run)}/pairs", verify=False)
    if not has_split(folder, "general_test"):
        return None, None
    general = _first(load_pairs(folder, "general_test"), config)
    base, best = systems.translate([pair.source for pair in general], config)
    references = [pair.target for pair in general]
    log.info("evaluate: %d general sentences translated by base and best", len(general))
    return score_all(base, references), score_all(best, references)


def _first(pairs: list[Pair], config: Config) -> list[Pair]:
    return pairs[: config.evaluation.max_sentences]


def _samples(
    test: list[Pair], base: list[str], best: list[str], count: int
) -> list[dict[str, str]]:
    """Evenly spaced test sentences, so that the choice flatters nobody."""
    stride = max(1, len(test) // max(1, count))
    chosen = range(0, len(test), stride)[:count]
    return [
        {
            "source": test[i].source,
            "reference": test[i].target,
            "base": base[i],
            "best": best[i],
        }
        for i in chosen
    ]
