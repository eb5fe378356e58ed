"""A small decoder-only model with random weights and a vocabulary learnt from some texts."""

from collections.abc import Iterable
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

POSITIONS = 2048


def write_decoder(folder: Path, texts: Iterable[str], vocabulary: int, width: int) -> None:
    """Write a model of four layers and its tokenizer of bytes.

    Args:
        folder: is created.
        texts: from which the tokenizer learns its pieces.
        vocabulary: number of pieces.
        width: of the hidden states.
    """
    pieces = Tokenizer(models.BPE())
    # Each line break is a piece of its own, so that it ends a translation.
    lines = pre_tokenizers.Split("\n", behavior="isolated")
    split = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    words = pre_tokenizers.Split(" ", behavior="merged_with_next")
    pieces.pre_tokenizer = pre_tokenizers.Sequence([lines, words, split])
    pieces.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=["<pad>", "</s>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    pieces.train_from_iterator(texts, trainer)
    # In the order of the trainer's special tokens: their ids are 0 and 1.
    special = {"eos_token": "</s>", "pad_token": "<pad>"}
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=pieces, **special)
    tokenizer.save_pretrained(folder)
    torch.manual_seed(1)
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(tokenizer),
            hidden_size=width,
            intermediate_size=3 * width,
            num_hidden_layers=4,
            num_attention_heads=8,
            num_key_value_heads=8,
            max_position_embeddings=POSITIONS,
            tie_word_embeddings=True,
            pad_token_id=0,
            bos_token_id=None,
            eos_token_id=1,
        )
    )
    model.save_pretrained(folder)
