"""One tiny checkpoint with a tokenizer for every architecture: random weights, no hub."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, models, pre_tokenizers, trainers
from transformers import (
    AlbertConfig,
    AlbertModel,
    BertConfig,
    BertModel,
    BertTokenizer,
    BloomConfig,
    BloomForCausalLM,
    Gemma3ForCausalLM,
    Gemma3TextConfig,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    M2M100Config,
    M2M100ForConditionalGeneration,
    M2M100Tokenizer,
    MarianConfig,
    MarianMTModel,
    MarianTokenizer,
    MBart50Tokenizer,
    MBartConfig,
    MBartForConditionalGeneration,
    MistralConfig,
    MistralForCausalLM,
    MT5Config,
    MT5ForConditionalGeneration,
    NllbMoeConfig,
    NllbMoeForConditionalGeneration,
    PreTrainedModel,
    Qwen2Config,
    Qwen2ForCausalLM,
    Qwen3Config,
    Qwen3ForCausalLM,
    T5Config,
    T5ForConditionalGeneration,
    T5Tokenizer,
    XLMRobertaConfig,
    XLMRobertaModel,
)

from nmt.models.sources.source import ModelSource
from nmt.models.tiny import build_model, build_tokenizer
from nmt.models.warm_start import build_encoder_decoder
from tests.support.models.tiny_tokenizers import (
    LINES,
    byte_level,
    pieces_of,
    sentence_pieces,
    t5_tokenizer,
    unigram,
    write_vocabulary,
    xlm_r_tokenizer,
)

_STACK = {
    "d_model": 32,
    "encoder_layers": 1,
    "decoder_layers": 1,
    "encoder_attention_heads": 2,
    "decoder_attention_heads": 2,
    "encoder_ffn_dim": 64,
    "decoder_ffn_dim": 64,
    "encoder_layerdrop": 0.0,
    "decoder_layerdrop": 0.0,
    "dropout": 0.0,
    "attention_dropout": 0.0,
    "max_position_embeddings": 256,
    "init_std": 0.1,
}


def nllb(folder: Path) -> None:
    tokenizer = build_tokenizer(LINES, "eng_Latn", "tam_Taml", 300)
    tokenizer.save_pretrained(folder)
    build_model(tokenizer, seed=0).save_pretrained(folder)


def nllb_moe(folder: Path) -> None:
    tokenizer = build_tokenizer(LINES, "eng_Latn", "tam_Taml", 300)
    tokenizer.save_pretrained(folder)
    config = NllbMoeConfig(
        vocab_size=len(tokenizer),
        **_STACK,
        num_experts=4,
        expert_capacity=512,
        encoder_sparse_step=1,
        decoder_sparse_step=1,
        router_dtype="float32",
        moe_token_dropout=0.0,
        **_special(tokenizer, start=tokenizer.eos_token_id),
    )
    NllbMoeForConditionalGeneration(config).save_pretrained(folder)


def m2m100(folder: Path) -> None:
    sentence_pieces(folder / "spm.model")
    pieces = pieces_of(folder / "spm.model")
    vocabulary = ["<s>", "<pad>", "</s>", "<unk>", *pieces]
    write_vocabulary(folder / "words.json", vocabulary)
    tokenizer = M2M100Tokenizer(str(folder / "words.json"), str(folder / "spm.model"))
    tokenizer.save_pretrained(folder)
    config = M2M100Config(
        vocab_size=len(vocabulary) + 108,  # a hundred codes and eight made-up words
        **_STACK,
        **_special(tokenizer, start=tokenizer.eos_token_id),
    )
    M2M100ForConditionalGeneration(config).save_pretrained(folder)


def mbart50(folder: Path) -> None:
    tokenizer = MBart50Tokenizer(vocab=unigram(["<unk>", "<s>", "</s>"]))
    tokenizer.save_pretrained(folder)
    config = MBartConfig(
        vocab_size=len(tokenizer),
        **_STACK,
        **_special(tokenizer, start=tokenizer.eos_token_id),
    )
    MBartForConditionalGeneration(config).save_pretrained(folder)


def marian(folder: Path) -> None:
    _marian(folder, [])


def marian_multilingual(folder: Path) -> None:
    _marian(folder, [">>tam<<", ">>mal<<"])


def marian_untied(folder: Path) -> None:
    """A vocabulary and embeddings for each side."""
    _marian(folder, [], share_encoder_decoder_embeddings=False)


def _marian(
    folder: Path, tags: list[str], *, share_encoder_decoder_embeddings: bool = True
) -> None:
    sentence_pieces(folder / "source.spm")
    (folder / "target.spm").write_bytes((folder / "source.spm").read_bytes())
    vocabulary = ["</s>", "<unk>", *tags, *pieces_of(folder / "source.spm"), "<pad>"]
    write_vocabulary(folder / "words.json", vocabulary)
    target_vocabulary = vocabulary
    if not share_encoder_decoder_embeddings:
        target_vocabulary = ["</s>", "<unk>", "<pad>", *reversed(vocabulary[2:-1]), "more"]
        write_vocabulary(folder / "target_words.json", target_vocabulary)
    tokenizer = MarianTokenizer(
        str(folder / "source.spm"),
        str(folder / "target.spm"),
        str(folder / "words.json"),
        target_vocab_file=str(folder / "target_words.json"),
        separate_vocabs=not share_encoder_decoder_embeddings,
    )
    tokenizer.save_pretrained(folder)
    pad = target_vocabulary.index("<pad>")
    special: dict[str, Any] = _special(tokenizer, start=pad) | {"pad_token_id": pad}
    config = MarianConfig(
        vocab_size=len(vocabulary),
        decoder_vocab_size=len(target_vocabulary),
        share_encoder_decoder_embeddings=share_encoder_decoder_embeddings,
        **_STACK,
        **special,
        forced_eos_token_id=0,
    )
    model = MarianMTModel(config)
    model.final_logits_bias.normal_()
    model.save_pretrained(folder)


def t5(folder: Path) -> None:
    tokenizer = t5_tokenizer(folder)
    shape = _t5_shape(tokenizer)
    shape["d_kv"] = 12  # heads of another width
    T5ForConditionalGeneration(T5Config(**shape)).save_pretrained(folder)


def mt5(folder: Path) -> None:
    tokenizer = t5_tokenizer(folder)
    config = MT5Config(
        **_t5_shape(tokenizer), feed_forward_proj="gated-gelu", tie_word_embeddings=False
    )
    MT5ForConditionalGeneration(config).save_pretrained(folder)


def multilingual_bert(folder: Path) -> None:
    words = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    words.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    words.train_from_iterator(LINES, trainers.WordPieceTrainer(special_tokens=special))
    tokenizer = BertTokenizer(vocab=words.get_vocab(), do_lower_case=False, strip_accents=False)
    _warm_start(folder, tokenizer, BertModel(BertConfig(**_encoder_shape(tokenizer))))


def xlm_r(folder: Path) -> None:
    tokenizer = xlm_r_tokenizer()
    _warm_start(folder, tokenizer, XLMRobertaModel(XLMRobertaConfig(**_encoder_shape(tokenizer))))


def albert(folder: Path) -> None:
    """Its encoder has no decoder of its own kind, as IndicBERT's."""
    tokenizer = xlm_r_tokenizer()
    config = AlbertConfig(**_encoder_shape(tokenizer), embedding_size=16)
    _warm_start(folder, tokenizer, AlbertModel(config))


def llama(folder: Path) -> None:
    tokenizer = byte_level(folder, with_begin=True)
    config = LlamaConfig(
        **_decoder_shape(tokenizer), num_key_value_heads=1, tie_word_embeddings=False
    )
    LlamaForCausalLM(config).save_pretrained(folder)


def mistral(folder: Path) -> None:
    tokenizer = byte_level(folder, with_begin=True)
    config = MistralConfig(
        **_decoder_shape(tokenizer), num_key_value_heads=1, tie_word_embeddings=False
    )
    MistralForCausalLM(config).save_pretrained(folder)


def qwen3(folder: Path) -> None:
    tokenizer = byte_level(folder)
    shape = _decoder_shape(tokenizer)
    config = Qwen3Config(**shape, num_key_value_heads=1, head_dim=32, tie_word_embeddings=True)
    Qwen3ForCausalLM(config).save_pretrained(folder)


def qwen2(folder: Path) -> None:
    tokenizer = byte_level(folder)
    shape = _decoder_shape(tokenizer)
    config = Qwen2Config(**shape, num_key_value_heads=1, tie_word_embeddings=True)
    Qwen2ForCausalLM(config).save_pretrained(folder)


def gemma3(folder: Path) -> None:
    tokenizer = byte_level(folder, with_begin=True)
    shape = _decoder_shape(tokenizer)
    config = Gemma3TextConfig(**shape, num_key_value_heads=1, head_dim=16, sliding_window=64)
    Gemma3ForCausalLM(config).save_pretrained(folder)


def bloom(folder: Path) -> None:
    tokenizer = byte_level(folder)
    config = BloomConfig(
        vocab_size=len(tokenizer), hidden_size=32, n_layer=2, n_head=2, initializer_range=0.1,
        hidden_dropout=0.0, attention_dropout=0.0, **_special(tokenizer),
    )  # fmt: skip
    BloomForCausalLM(config).save_pretrained(folder)


def gpt2(folder: Path) -> None:
    tokenizer = byte_level(folder, with_padding=False)
    config = GPT2Config(
        vocab_size=len(tokenizer), n_embd=32, n_layer=2, n_head=2, n_positions=256,
        initializer_range=0.1, resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0,
        bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id,
    )  # fmt: skip
    GPT2LMHeadModel(config).save_pretrained(folder)


BUILDERS: dict[str, Callable[[Path], None]] = {
    builder.__name__: builder
    for builder in (
        nllb, nllb_moe, m2m100, mbart50, marian, marian_multilingual, marian_untied, t5, mt5,
        multilingual_bert, xlm_r, albert, llama, mistral, qwen2, qwen3, gemma3, bloom, gpt2,
    )
}  # fmt: skip


def build(name: str, folder: Path) -> Path:
    """Write the checkpoint of one architecture, the same every time."""
    torch.manual_seed(0)
    folder.mkdir(parents=True)
    BUILDERS[name](folder)
    return folder


def _t5_shape(tokenizer: T5Tokenizer) -> dict[str, Any]:
    return {
        "vocab_size": len(tokenizer), "d_model": 32, "d_kv": 16, "d_ff": 64, "num_layers": 1,
        "num_decoder_layers": 1, "num_heads": 2, "dropout_rate": 0.0, "decoder_start_token_id": 0,
    }  # fmt: skip


def _encoder_shape(tokenizer) -> dict[str, Any]:
    return {
        "vocab_size": len(tokenizer), "hidden_size": 32, "num_hidden_layers": 1,
        "num_attention_heads": 2, "intermediate_size": 64, "max_position_embeddings": 256,
        "hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0,
        "initializer_range": 0.1, "pad_token_id": tokenizer.pad_token_id,
        "bos_token_id": tokenizer.cls_token_id, "eos_token_id": tokenizer.sep_token_id,
    }  # fmt: skip


def _warm_start(folder: Path, tokenizer: Any, encoder: PreTrainedModel) -> None:
    encoder.save_pretrained(folder / "encoder")
    tokenizer.save_pretrained(folder / "encoder")
    _, model = build_encoder_decoder(ModelSource(str(folder / "encoder")), seed=1)
    head: Any = model.get_output_embeddings()
    with torch.no_grad():
        head.bias.normal_()
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def _decoder_shape(tokenizer) -> dict:
    return {
        "vocab_size": len(tokenizer), "hidden_size": 32, "intermediate_size": 64,
        "num_hidden_layers": 2, "num_attention_heads": 2, "max_position_embeddings": 256,
        "initializer_range": 0.1, **_special(tokenizer),
    }  # fmt: skip


def _special(tokenizer: Any, start: Any = None) -> dict:
    ids = {
        "pad_token_id": tokenizer.pad_token_id,
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
    }
    return ids if start is None else {**ids, "decoder_start_token_id": start}
