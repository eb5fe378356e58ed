"""The class that describes a model family to training and decoding."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from torch import Tensor, nn
from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM, PreTrainedTokenizerBase

from nmt.errors import ModelError
from nmt.models.families.head import bypassed_head, head_of, unwrap
from nmt.models.tokenization.codec import Codec


@dataclass(frozen=True, slots=True)
class Family:
    """A model architecture: how it is loaded, how text is encoded, and where its head is."""

    name: str
    model_types: tuple[str, ...]
    """Values of `model_type` in `config.json`."""
    codec: Callable[[PreTrainedTokenizerBase, str, str], Codec]
    """Makes the codec from a tokenizer, a source and a target language."""
    decoder_only: bool = False
    ctranslate2: bool = False
    """Whether CTranslate2 can convert the model."""
    routes_tokens: bool = False
    """Whether unmasked target padding takes expert capacity from real tokens (MoE)."""

    @property
    def auto_class(self) -> Any:  # noqa: ANN401 - transformers' auto classes share no base
        """Return the transformers class that loads the weights."""
        return AutoModelForCausalLM if self.decoder_only else AutoModelForSeq2SeqLM

    @property
    def task_type(self) -> Literal["SEQ_2_SEQ_LM", "CAUSAL_LM"]:
        """Return PEFT's name of the task."""
        return "CAUSAL_LM" if self.decoder_only else "SEQ_2_SEQ_LM"

    def decoder_input(self, labels_BT: Tensor, model_config: Any) -> Tensor:  # noqa: ANN401
        """Shift labels right, after the decoder's start token, with padding in place of -100.

        Raises:
            ModelError: the model's configuration names no start or padding token.
        """
        pad = _token(model_config, "pad_token_id")
        shifted = labels_BT.new_full(labels_BT.shape, pad)
        shifted[:, 1:] = labels_BT[:, :-1]
        shifted[:, 0] = _token(model_config, "decoder_start_token_id")
        return shifted.masked_fill_(shifted == -100, pad)

    def hidden_states(self, model: nn.Module, batch: dict[str, Tensor]) -> Tensor:
        """Compute the head's input at each label's position: (batch, target_tokens, width).

        Args:
            model: a transformers model, or a PEFT wrapper around one.
            batch: `input_ids`, `attention_mask` and `labels`.
        """
        inner = unwrap(model)
        inputs = {name: tensor for name, tensor in batch.items() if name != "labels"}
        if not self.decoder_only:
            inputs["decoder_input_ids"] = self.decoder_input(batch["labels"], inner.config)
            if self.routes_tokens:
                inputs["decoder_attention_mask"] = (batch["labels"] != -100).long()
        with bypassed_head(inner):
            output = model(**inputs, use_cache=False, return_dict=True)
        # PEFT's virtual tokens of a learnt prompt come first and have no labels.
        return output.logits[:, -batch["labels"].shape[1] :]

    def head(self, model: nn.Module) -> tuple[Tensor, Tensor | None]:
        """Return the output matrix (vocabulary, width) and bias (vocabulary,), if there is one."""
        return head_of(unwrap(model))


def _token(model_config: Any, key: str) -> int:  # noqa: ANN401
    """Read a token id from a model's configuration."""
    token = getattr(model_config, key, None)
    if not isinstance(token, int):
        raise ModelError(
            f"model.name_or_path: {key}={token} in config.json is not a token id: set it there "
            "before training"
        )
    return token
