"""What a run has trained, and whether what is written of it still answers alike."""

import logging
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from nmt.config import Config
from nmt.data.prepare import load_pairs
from nmt.errors import ExportError
from nmt.models.adapters import attach, can_merge, is_adapter, merge
from nmt.models.families import family_of, unwrap
from nmt.models.load import load_codec, load_model
from nmt.models.sources.source import ModelSource
from nmt.models.tokenization.codec import Codec
from nmt.models.tokenization.encoded_pairs import encode_pairs
from nmt.runs import layout
from nmt.runs.records import fetch_output
from nmt.storage import Storage
from nmt.training.base import base_source

log = logging.getLogger(__name__)

_PAIRS, _PROBES = 200, 16


@dataclass(frozen=True, slots=True)
class TrainedModel:
    """The best weights of a run, and the base that they stand on."""

    weights: Path
    base: ModelSource
    codec: Codec

    @property
    def is_adapter(self) -> bool:
        """Whether they are an adapter rather than a whole model."""
        return is_adapter(self.weights)

    @property
    def is_plain_model(self) -> bool:
        """Whether they end up in a plain transformers model: not so an adapter of own parts."""
        return not self.is_adapter or can_merge(self.weights)

    def load(self) -> nn.Module:
        """The model as it was trained, on the base in full precision."""
        if self.is_adapter:
            return attach(load_model(self.base).eval(), self.weights)
        return load_model(ModelSource(str(self.weights))).eval()


def find_trained_model(config: Config, storage: Storage) -> TrainedModel:
    """Best weights of a run, fetched from the storage root."""
    weights = fetch_output(storage, layout.trained_weights(config.run))
    base = base_source(config, storage).resolve(storage)
    codec = load_codec(base, config.data.source_language, config.data.target_language)
    return TrainedModel(weights, base, codec)


@dataclass(frozen=True, slots=True)
class ReferenceLogits:
    """Logits of the trained model on a few training pairs."""

    batch: dict[str, Tensor]
    logits_BV: Tensor
    tolerance: float

    @classmethod
    def of(
        cls, model: nn.Module, config: Config, storage: Storage, codec: Codec
    ) -> "ReferenceLogits":
        """Take them down before the model is merged, which changes it."""
        batch = _probe_batch(config, storage, codec)
        return cls(batch, logits_of(model, batch), config.export.logit_tolerance)

    def compare(self, model: nn.Module) -> float:
        """Largest absolute difference to the logits of a model that was written and loaded again.

        Raises:
            ExportError: it is above `export.logit_tolerance`.
        """
        difference = float((logits_of(model, self.batch) - self.logits_BV).abs().max())
        if not difference <= self.tolerance:
            raise ExportError(
                f"the exported model's logits differ from the trained model's by {difference:.2e}, "
                f"more than export.logit_tolerance={self.tolerance:g}: nothing is published"
            )
        return difference


def write_merged(
    model: nn.Module, trained: TrainedModel, reference: ReferenceLogits, folder: Path
) -> tuple[nn.Module, float]:
    """Merge into the unquantized base, write, load again, and compare logits.

    Returns:
        The merged model, and the largest difference of its logits.

    Raises:
        ExportError: that is above `export.logit_tolerance`.
    """
    merged = merge(model) if trained.is_adapter else unwrap(model)
    merged.save_pretrained(folder)
    trained.codec.save(folder)
    difference = reference.compare(load_model(ModelSource(str(folder))).eval())
    log.info("export: merged, logits within %.1e of the trained model's", difference)
    return merged, difference


@torch.inference_mode()
def logits_of(model: nn.Module, batch: dict[str, Tensor]) -> Tensor:
    """Logits at the positions that have a label: (labels, vocabulary)."""
    family = family_of(unwrap(model).config)
    hidden = family.hidden_states(model, batch)[batch["labels"] != -100]
    head, bias = family.head(model)
    return hidden @ head.T if bias is None else hidden @ head.T + bias


def _probe_batch(config: Config, storage: Storage, codec: Codec) -> dict[str, Tensor]:
    folder = fetch_output(storage, layout.pairs(config.run))
    limits = config.model
    pairs = encode_pairs(
        codec,
        load_pairs(folder, "train")[:_PAIRS],
        limits.max_source_tokens,
        limits.max_target_tokens,
    )
    return pairs.batch(torch.arange(min(_PROBES, len(pairs))).numpy(), torch.device("cpu"))
