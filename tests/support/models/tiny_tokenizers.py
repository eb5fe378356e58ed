"""Sixteen sentences in two languages, and a tokenizer of each kind made of them."""

import json
from pathlib import Path
from typing import Any

import sentencepiece
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast, T5Tokenizer, XLMRobertaTokenizer

from nmt.text.pair import Pair

ENGLISH = ("the cat", "a dog", "my house", "your book", "this tree", "one child", "rain", "water")

TAMIL = ("பூனை", "ஒரு நாய்", "என் வீடு", "உன் புத்தகம்", "இந்த மரம்", "ஒரு குழந்தை", "மழை", "தண்ணீர்")

PAIRS = [
    Pair(f"{word} {verb}", f"{tamil} {ending}")
    for word, tamil in zip(ENGLISH, TAMIL, strict=True)
    for verb, ending in (("is here", "இங்கே உள்ளது"), ("was there", "அங்கே இருந்தது"))
]

NAMES = "English Tamil Telugu translate Translate from to : 0"

LINES = [text for pair in PAIRS for text in (pair.source, pair.target)] + [NAMES]


def sentence_pieces(path: Path) -> None:
    """A SentencePiece model over the lines."""
    with path.open("wb") as target:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(LINES * 4), model_writer=target, vocab_size=150,
            hard_vocab_limit=False, model_type="bpe", minloglevel=2,
        )  # fmt: skip


def pieces_of(path: Path) -> list[str]:
    model = sentencepiece.SentencePieceProcessor(model_file=str(path))
    return [model.id_to_piece(i) for i in range(3, model.get_piece_size())]


def write_vocabulary(path: Path, tokens: list[str]) -> None:
    path.write_text(json.dumps({token: i for i, token in enumerate(tokens)}), encoding="utf-8")


def unigram(first: list[str], last: list[str] | None = None) -> list[tuple[str, float]]:
    """Tokens and scores; sorted, as the trainer returns them in another order each time."""
    pieces = Tokenizer(models.Unigram())
    pieces.pre_tokenizer = pre_tokenizers.Metaspace()
    pieces.train_from_iterator(
        LINES, trainers.UnigramTrainer(vocab_size=200, special_tokens=["<u>"], unk_token="<u>")
    )
    found = json.loads(pieces.to_str())["model"]["vocab"][1:]
    learnt = sorted((token, round(score, 3)) for token, score in found if token not in first)
    return [
        *((token, 0.0) for token in first),
        *learnt,
        *((token, 0.0) for token in last or ()),
    ]


def t5_tokenizer(folder: Path) -> T5Tokenizer:
    tokenizer = T5Tokenizer(vocab=unigram(["<pad>", "</s>", "<unk>"]), extra_ids=2)
    tokenizer.save_pretrained(folder)
    return tokenizer


def xlm_r_tokenizer() -> XLMRobertaTokenizer:
    return XLMRobertaTokenizer(vocab=unigram(["<s>", "<pad>", "</s>", "<unk>"], ["<mask>"]))


def byte_level(folder: Path, *, with_begin: bool = False, with_padding: bool = True) -> Any:
    pieces = Tokenizer(models.BPE())
    pieces.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    pieces.decoder = decoders.ByteLevel()
    special = ["<s>", "</s>", "<pad>"] if with_padding else ["<s>", "</s>"]
    pieces.train_from_iterator(
        LINES,
        trainers.BpeTrainer(
            vocab_size=400,
            special_tokens=special,
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        ),
    )
    if with_begin:
        pieces.post_processor = processors.TemplateProcessing(
            single="<s> $A", special_tokens=[("<s>", 0)]
        )
    padding = {"pad_token": "<pad>"} if with_padding else {}
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=pieces, bos_token="<s>", eos_token="</s>", **padding
    )
    tokenizer.save_pretrained(folder)
    return tokenizer
