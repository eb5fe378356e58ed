"""What training and decoding must know of a model's architecture."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from nmt.errors import ModelError


@dataclass(frozen=True, slots=True)
class Family:
    """One architecture: how its decoder input and its final hidden states are obtained."""

    name: str
    model_types: tuple[str, ...]

    def decoder_input(self, labels_BT: Tensor, model_config: Any) -> Tensor:  # noqa: ANN401
        """Labels shifted right behind the decoder's start token; padding where they end."""
        start = model_config.decoder_start_token_id
        shifted = labels_BT.new_full(labels_BT.shape, model_config.pad_token_id)
        shifted[:, 1:] = labels_BT[:, :-1]
        shifted[:, 0] = start
        return shifted.masked_fill_(shifted == -100, model_config.pad_token_id)

    def hidden_states(self, model: PreTrainedModel, batch: dict[str, Tensor]) -> Tensor:
        """Decoder output before the head: (batch, target_tokens, width)."""
        body: nn.Module = model.get_submodule("model")
        output = body(
            input_ids=batch["input_ids"],
            attention_mask=batch["attention_mask"],
            decoder_input_ids=self.decoder_input(batch["labels"], model.config),
            use_cache=False,
        )
        return output.last_hidden_state

    def head(self, model: PreTrainedModel) -> Tensor:
        """Output matrix: (vocabulary, width)."""
        head = model.get_output_embeddings()
        if not isinstance(head, nn.Linear):
            raise ModelError(f"{type(model).__name__} has no linear output head")
        return head.weight


NLLB = Family("nllb", ("m2m_100",))
FAMILIES = (NLLB,)


def family_of(model_config: Any) -> Family:  # noqa: ANN401 - any transformers config
    """Family of a model by its `model_type`.

    Raises:
        ModelError: the architecture is not supported.
    """
    model_type = getattr(model_config, "model_type", None)
    for family in FAMILIES:
        if model_type in family.model_types:
            return family
    known = ", ".join(name for family in FAMILIES for name in family.model_types)
    raise ModelError(
        f"model.name_or_path: architecture '{model_type}' is not supported; supported: {known} "
        "(NLLB-200 and M2M100 models)"
    )


def device_of(model: nn.Module) -> torch.device:
    """Device of a model's first parameter."""
    return next(model.parameters()).device
