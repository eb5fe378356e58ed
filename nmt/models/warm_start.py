"""An encoder-decoder that starts from a pretrained encoder.

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

_NEW_LAYERS = 3
_NEW_WIDTH = 256


def build_encoder_decoder(
    source: ModelSource, seed: int
) -> tuple[PreTrainedTokenizerBase, EncoderDecoderModel]:
    """Build an encoder-decoder from an encoder, with new weights drawn from a seed.

    The decoder starts from the encoder's weights and gets a new cross-attention. For ALBERT,
    whose layers share their weights and for which transformers has no decoder, it is small and new.

    Returns:
        The encoder's tokenizer, and the model.

    Raises:
        ModelError: no weights, or not all that config.json asks for.
        UnavailableError: the hub cannot be reached.
    """
    tokenizer = load_tokenizer(source)
    encoder_config = load_model_config(source)
    config = encoder_decoder_config(encoder_config)
    # An encoder marks a sentence with [CLS] and [SEP]; the decoder uses them as start and end.
    config.decoder_start_token_id = tokenizer.cls_token_id
    config.eos_token_id = tokenizer.sep_token_id
    config.pad_token_id = tokenizer.pad_token_id
    torch.manual_seed(seed)
    encoder, found = from_pretrained(
        AutoModel, source, encoder_config, add_pooling_layer=False, output_loading_info=True
    )
    refuse_missing(source, encoder, found["missing_keys"])
    if config.encoder.model_type == "albert":
        decoder = AutoModelForCausalLM.from_config(config.decoder)
    else:
        decoder = from_pretrained(
            AutoModelForCausalLM, source, encoder_config, config=config.decoder
        )
    return tokenizer, EncoderDecoderModel(config=config, encoder=encoder, decoder=decoder)


def encoder_decoder_config(encoder: PreTrainedConfig) -> Any:  # noqa: ANN401 - its parts are not declared
    """Return the configuration of the encoder-decoder that is built from an encoder."""
    if encoder.model_type == "albert":
        decoder = _new_decoder_config(encoder)
    else:
        decoder = copy.deepcopy(encoder)
        decoder.update({"is_decoder": True, "add_cross_attention": True})
    return EncoderDecoderConfig.from_encoder_decoder_configs(encoder, decoder)


def _new_decoder_config(encoder: Any) -> BertConfig:  # noqa: ANN401 - any transformers config
    """Return the configuration of a small decoder that fits an encoder."""
    width = min(_NEW_WIDTH, encoder.hidden_size)
    return BertConfig(
        vocab_size=encoder.vocab_size,
        hidden_size=width,
        num_hidden_layers=_NEW_LAYERS,
        num_attention_heads=max(1, width // 64),
        intermediate_size=4 * width,
        max_position_embeddings=encoder.max_position_embeddings,
        pad_token_id=encoder.pad_token_id,
        is_decoder=True,
        add_cross_attention=True,
    )
