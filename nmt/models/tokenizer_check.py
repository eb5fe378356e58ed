"""A check that a tokenizer belongs to a model, made before a training starts."""

from collections.abc import Collection, Mapping
from typing import Any

import torch
from transformers import PreTrainedModel

from nmt.errors import ModelError
from nmt.models.families import Family, family_of
from nmt.models.tokenization.codec import Codec

_ANY_TEXT = "a"
_RARE_TEXT = "\N{OLD PERSIAN SIGN A}"
"""A character that few vocabularies have, so that most tokenizers return their unknown token."""
_REMEDY = (
    "so they belong to different models: fetch both from one place or, if you have changed one of "
    "them, change the other too and write both with `save_pretrained`"
)


def check_tokenizer(label: str, codec: Codec, model: PreTrainedModel) -> None:
    """Refuse a tokenizer and a model that do not belong together.

    Args:
        label: the model's name, for messages.
        codec: the tokenizer, with both languages set.
        model: its weights may be on the meta device.

    Raises:
        ModelError: names the two values that differ.
    """
    family = family_of(model.config)
    try:
        if codec.tokenizer.pad_token_id is None:
            raise ModelError("the tokenizer has no pad_token: set it in tokenizer_config.json")
        _check_rows(codec, model, family)
        _check_language_codes(codec)
        # A decoder-only model takes its padding and end tokens from the tokenizer alone.
        if not family.decoder_only:
            _check_special_tokens(codec, model, family)
    except ModelError as error:
        raise ModelError(f"model.name_or_path={label}: {error}") from None


def _check_rows(codec: Codec, model: PreTrainedModel, family: Family) -> None:
    """Refuse token ids for which the model has no embedding."""
    # More embeddings than ids are normal: tables are padded to a multiple of 8 or 64. An unused
    # control token may be beyond them, such as Gemma 3's for images: no text is encoded as it.
    embedding: Any = model.get_input_embeddings()
    head, _ = family.head(model)
    tokenizer = codec.tokenizer
    control = {i for i, token in tokenizer.added_tokens_decoder.items() if token.special}
    texts = [_ANY_TEXT, _RARE_TEXT]
    for rows, vocabulary, encoded in (
        (embedding.weight.shape[0], tokenizer.get_vocab(), codec.encode_sources(texts)),
        (head.shape[0], _target_vocabulary(codec), codec.encode_targets(texts)),
    ):
        used = {codec.pad_token, *(i for ids in encoded for i in ids)}
        words = {i: word for word, i in vocabulary.items()}
        last = max(used | (words.keys() - control))
        if last >= rows:
            word = words.get(last) or tokenizer.convert_ids_to_tokens(last)
            raise ModelError(
                f"the tokenizer has ids up to {last} ({word!r}), and the model has {rows} "
                f"embeddings, for ids up to {rows - 1}, {_REMEDY}"
            )


def _check_language_codes(codec: Codec) -> None:
    """Refuse a vocabulary in which other words have the ids of language codes."""
    # M2M100's tokenizer gives added words the ids that its language codes have.
    words = {i: word for word, i in codec.tokenizer.get_vocab().items()}
    for code, i in getattr(codec.tokenizer, "lang_code_to_id", {}).items():
        if words.get(i, code) not in (code, f"__{code}__"):
            raise ModelError(
                f"the tokenizer has id {i} for the language code {code!r} and for {words[i]!r}: "
                "take the tokenizer as it was published, without added words"
            )


def _target_vocabulary(codec: Codec) -> Mapping[str, int]:
    """Return the vocabulary of the target side; some MarianMT models have a separate one."""
    tokenizer = codec.tokenizer
    if getattr(tokenizer, "separate_vocabs", False):
        return tokenizer.target_encoder
    return tokenizer.get_vocab()


def _check_special_tokens(codec: Codec, model: PreTrainedModel, family: Family) -> None:
    """Compare padding, start and end with config.json and generation_config.json."""
    config: Any = model.config
    generation: Any = model.generation_config
    tokenizer = codec.tokenizer
    vocabulary = _target_vocabulary(codec)
    # Called for its error, which names the token that config.json lacks.
    family.decoder_input(torch.zeros((1, 1), dtype=torch.long), config)
    for key in ("pad_token", "bos_token"):
        token, expected = getattr(tokenizer, key), getattr(config, f"{key}_id", None)
        if token is not None and expected is not None and vocabulary.get(token) != expected:
            raise ModelError(
                f"{key}_id is {expected} in config.json and {vocabulary.get(token)} ({token!r}) in "
                f"the tokenizer, {_REMEDY}"
            )
    for key in ("pad_token_id", "decoder_start_token_id"):
        expected, generated = getattr(config, key), getattr(generation, key)
        if generated not in (None, expected):
            raise ModelError(
                f"{key} is {expected} in config.json and {generated} in generation_config.json: "
                "give both the same value"
            )
    control = {vocabulary.get(token) for token in tokenizer.all_special_tokens}
    control |= set(getattr(tokenizer, "lang_code_to_id", {}).values())
    _check_control_token("decoder_start_token_id", config.decoder_start_token_id, control, codec)
    if "forced_bos_token_id" in codec.generation_options():
        _check_control_token("forced_bos_token_id", generation.forced_bos_token_id, control, codec)
    _check_end(codec, config, generation)


def _check_control_token(
    key: str, token: int | None, control: Collection[int | None], codec: Codec
) -> None:
    """Refuse an id of the model that is not one of the tokenizer's control tokens."""
    if token is not None and token not in control:
        words = {i: word for word, i in _target_vocabulary(codec).items()}
        raise ModelError(
            f"{key} is {token} in the model, and in the tokenizer {token} is "
            f"{repr(words[token]) if token in words else 'no token'} and not a control token, "
            f"{_REMEDY}"
        )


def _check_end(codec: Codec, config: Any, generation: Any) -> None:  # noqa: ANN401
    """Refuse a model that does not stop at the token with which the tokenizer ends a sentence."""
    # Such a model would translate on until the length limit.
    end_tokens = codec.generation_options().get("eos_token_id", generation.eos_token_id)
    if end_tokens is None:
        end_tokens = config.eos_token_id
    last = codec.encode_targets([_ANY_TEXT])[0][-1]
    if last not in (end_tokens if isinstance(end_tokens, list) else [end_tokens]):
        raise ModelError(
            f"eos_token_id is {end_tokens} in the model, and the tokenizer ends a sentence with "
            f"{last} ({codec.tokenizer.convert_ids_to_tokens(last)!r}), {_REMEDY}"
        )
