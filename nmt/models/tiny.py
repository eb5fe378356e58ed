"""A small NLLB-style tokenizer and model with random weights, built without a hub."""

import json
from collections.abc import Iterable

import torch
from tokenizers import Tokenizer, models, pre_tokenizers, trainers
from transformers import M2M100Config, M2M100ForConditionalGeneration, NllbTokenizer

SPECIAL_TOKENS = ["<s>", "<pad>", "</s>", "<unk>"]
_MAX_TOKENS = 256


def build_tokenizer(
    lines: Iterable[str], source_language: str, target_language: str, vocabulary_size: int
) -> NllbTokenizer:
    """Train a byte-pair vocabulary on both languages, with NLLB's language codes.

    Args:
        lines: text of both languages, in NFC; the tokenizer does not normalize it.
        source_language: FLORES-200 code, a token of the vocabulary.
        target_language: FLORES-200 code, a token of the vocabulary.
        vocabulary_size: the maximum of tokens, without the language codes.
    """
    bpe = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True))  # noqa: S106 - no password
    bpe.pre_tokenizer = pre_tokenizers.Metaspace()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary_size, special_tokens=SPECIAL_TOKENS, show_progress=False
    )
    bpe.train_from_iterator(lines, trainer)
    state = json.loads(bpe.to_str())["model"]
    return NllbTokenizer(
        vocab=state["vocab"],
        merges=[tuple(merge) for merge in state["merges"]],  # pyright: ignore[reportArgumentType]
        src_lang=source_language,
        tgt_lang=target_language,
        extra_special_tokens=[source_language, target_language],
        model_max_length=_MAX_TOKENS,
    )


def build_model(tokenizer: NllbTokenizer, seed: int) -> M2M100ForConditionalGeneration:
    """Build an M2M100 model of 2 + 2 layers and width 128 with random weights from a seed."""
    torch.manual_seed(seed)
    vocabulary = tokenizer.get_vocab()
    ids = [vocabulary[token] for token in SPECIAL_TOKENS[:3]]
    return M2M100ForConditionalGeneration(tiny_config(len(tokenizer), *ids))


def tiny_config(vocabulary_size: int, begin: int = 0, pad: int = 1, end: int = 2) -> M2M100Config:
    """Return the tiny model's configuration for a vocabulary and the ids of its special tokens."""
    return M2M100Config(
        vocab_size=vocabulary_size,
        d_model=128,
        encoder_layers=2,
        decoder_layers=2,
        encoder_attention_heads=4,
        decoder_attention_heads=4,
        encoder_ffn_dim=256,
        decoder_ffn_dim=256,
        # No layer drop or dropout: so small a model underfits anyway.
        encoder_layerdrop=0.0,
        decoder_layerdrop=0.0,
        dropout=0.0,
        attention_dropout=0.0,
        max_position_embeddings=1024,
        init_std=0.06,  # at this width the default, 0.02, learns three times slower
        tie_word_embeddings=True,
        bos_token_id=begin,
        pad_token_id=pad,
        eos_token_id=end,
        decoder_start_token_id=end,
    )
