"""An encoder-decoder made of a pretrained encoder.

Source: Rothe et al. 2020, https://arxiv.org/abs/1907.12461
"""

import copy
from typing import Any

import torch
from transformers import (
    AutoModel,
    AutoModelForCausalLM,
    BertConfig,
    EncoderDecoderConfig,
    EncoderDecoderModel,
    PreTrainedConfig,
    PreTrainedTokenizerBase,
)

from nmt.models.load import from_pretrained, load_tokenizer, refuse_missing
from nmt.models.model_config import load_model_config
from nmt.models.sources.source import ModelSource

_FRESH_LAYERS = 3
_FRESH_WIDTH = 256


def build_encoder_decoder(
    source: ModelSource, seed: int
) -> tuple[PreTrainedTokenizerBase, EncoderDecoderModel]:
    """Tokenizer and model; what the encoder's weights do not fill is drawn from the seed.

    The decoder starts from the encoder's weights and gets a new cross-attention. ALBERT, whose
    layers share their weights, has no decoder: there a small new one is put beside it.

    Raises:
        ModelError: no weights, or not all that config.json asks for.
        UnavailableError: the hub cannot be reached.
    """
    tokenizer = load_tokenizer(source)
    shape = encoder_decoder_config(load_model_config(source))
    shape.decoder_start_token_id = tokenizer.cls_token_id
    shape.eos_token_id = tokenizer.sep_token_id
    shape.pad_token_id = tokenizer.pad_token_id
    torch.manual_seed(seed)
    encoder, found = from_pretrained(
        AutoModel, source, add_pooling_layer=False, output_loading_info=True
    )
    refuse_missing(source, encoder, found["missing_keys"])
    if shape.encoder.model_type == "albert":
        decoder = AutoModelForCausalLM.from_config(shape.decoder)
    else:
        decoder = from_pretrained(AutoModelForCausalLM, source, config=shape.decoder)
    return tokenizer, EncoderDecoderModel(config=shape, encoder=encoder, decoder=decoder)


def encoder_decoder_config(encoder: PreTrainedConfig) -> Any:  # noqa: ANN401 - its parts are not declared
    """Configuration of the encoder-decoder that is made of an encoder."""
    if encoder.model_type == "albert":
        decoder = _fresh_shape(encoder)
    else:
        decoder = copy.deepcopy(encoder)
        decoder.update({"is_decoder": True, "add_cross_attention": True})
    return EncoderDecoderConfig.from_encoder_decoder_configs(encoder, decoder)


def _fresh_shape(encoder: Any) -> BertConfig:  # noqa: ANN401 - any transformers config
    width = min(_FRESH_WIDTH, encoder.hidden_size)
    return BertConfig(
        vocab_size=encoder.vocab_size,
        hidden_size=width,
        num_hidden_layers=_FRESH_LAYERS,
        num_attention_heads=max(1, width // 64),
        intermediate_size=4 * width,
        max_position_embeddings=encoder.max_position_embeddings,
        pad_token_id=encoder.pad_token_id,
        is_decoder=True,
        add_cross_attention=True,
    )
