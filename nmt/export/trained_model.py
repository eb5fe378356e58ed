"""A run's trained model, and the check that its exported copy gives the same logits."""

import logging
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from nmt.config import Config
from nmt.data.prepared_rows import first_pairs
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

_MAX_PAIRS, _MAX_ROWS = 200, 16


@dataclass(frozen=True, slots=True)
class TrainedModel:
    """The best weights of a run, and their base."""

    weights: Path
    base: ModelSource
    codec: Codec

    @property
    def is_adapter(self) -> bool:
        """Tell whether the weights are an adapter rather than a whole model."""
        return is_adapter(self.weights)

    @property
    def is_plain_model(self) -> bool:
        """Tell whether the weights are a whole model, or an adapter that can be merged."""
        return not self.is_adapter or can_merge(self.weights)

    def load(self) -> nn.Module:
        """Load the trained model, on its base in full precision."""
        # Also for QLoRA: the adapter is merged into weights that are not quantized.
        if self.is_adapter:
            return attach(load_model(self.base).eval(), self.weights)
        return load_model(ModelSource(str(self.weights))).eval()


def find_trained_model(config: Config, storage: Storage) -> TrainedModel:
    """Fetch a run's best weights from the storage root, and resolve their base."""
    weights = fetch_output(storage, layout.trained_weights(config.run))
    base = base_source(config, storage).resolve(storage)
    codec = load_codec(base, config.data.source_language, config.data.target_language)
    return TrainedModel(weights, base, codec)


@dataclass(frozen=True, slots=True)
class ReferenceLogits:
    """The trained model's logits on a few training pairs."""

    batch: dict[str, Tensor]
    logits_BV: Tensor
    tolerance: float

    @classmethod
    def of(
        cls, model: nn.Module, config: Config, storage: Storage, codec: Codec
    ) -> "ReferenceLogits":
        """Compute the logits of a model on a run's training pairs."""
        batch = _reference_batch(config, storage, codec)
        return cls(batch, logits_of(model, batch), config.export.logit_tolerance)

    def compare(self, model: nn.Module) -> float:
        """Return the largest absolute difference from the logits of a reloaded model.

        Raises:
            ExportError: the difference is above `export.logit_tolerance`.
        """
        difference = float((logits_of(model, self.batch) - self.logits_BV).abs().max())
        # Not `>`, which would accept NaN.
        if not difference <= self.tolerance:
            raise ExportError(
                f"the exported model's logits differ from the trained model's by {difference:.2e}, "
                f"more than export.logit_tolerance={self.tolerance:g}: nothing is published"
            )
        return difference


def write_merged(
    model: nn.Module, trained: TrainedModel, reference: ReferenceLogits, folder: Path
) -> tuple[nn.Module, float]:
    """Merge an adapter into the base, write the model, load it again, and compare logits.

    Returns:
        The merged model, and the largest difference of its logits.

    Raises:
        ExportError: the difference is above `export.logit_tolerance`.
    """
    merged = merge(model) if trained.is_adapter else unwrap(model)
    merged.save_pretrained(folder)
    trained.codec.save(folder)
    difference = reference.compare(load_model(ModelSource(str(folder))).eval())
    log.info("export: merged, logits within %.1e of the trained model's", difference)
    return merged, difference


@torch.inference_mode()
def logits_of(model: nn.Module, batch: dict[str, Tensor]) -> Tensor:
    """Compute the logits at the positions that have a label: (labels, vocabulary)."""
    family = family_of(unwrap(model).config)
    hidden = family.hidden_states(model, batch)[batch["labels"] != -100]
    head, bias = family.head(model)
    return hidden @ head.T if bias is None else hidden @ head.T + bias


def _reference_batch(config: Config, storage: Storage, codec: Codec) -> dict[str, Tensor]:
    """Build a batch of training pairs."""
    folder = fetch_output(storage, layout.pairs(config.run))
    limits = config.model
    pairs = encode_pairs(
        codec,
        first_pairs(folder, "train", _MAX_PAIRS),
        limits.max_source_tokens,
        limits.max_target_tokens,
    )
    return pairs.batch(torch.arange(min(_MAX_ROWS, len(pairs))).numpy(), torch.device("cpu"))
