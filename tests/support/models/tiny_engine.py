"""Real engines of a tiny model that says one thing, for tests that load one."""

import io
from contextlib import redirect_stderr
from pathlib import Path
from tempfile import TemporaryDirectory

import ctranslate2
import torch
from ctranslate2.converters import TransformersConverter
from transformers import M2M100ForConditionalGeneration, NllbTokenizer

from nmt.config import ServingConfig
from nmt.decoding import generate
from nmt.engines.card import EngineCard, EngineFormat, Golden, write_card
from nmt.engines.folder import open_codec, open_model, save_tokenizer
from nmt.models.tiny import build_model, build_tokenizer
from nmt.models.tokenization.language_tags import LanguageCodes
from nmt.runs import layout
from nmt.storage import Storage

LINES = (
    "The doctor sees two patients.",
    "We need water now.",
    "Where is the hospital?",
    "மருத்துவர் இரண்டு நோயாளிகளைப் பார்க்கிறார்.",
    "எங்களுக்கு இப்போது தண்ணீர் வேண்டும்.",
    "மருத்துவமனை எங்கே உள்ளது?",
)
SENTENCE = LINES[2]
WATER, HOSPITAL = "தண்ணீர்", "மருத்துவமனை"
MAX_SOURCE_TOKENS = 32


def add_engine(storage: Storage, digest: str, word: str, form: EngineFormat = "ctranslate2") -> str:
    """Commit an engine that answers everything with one token, the first of a word, repeated."""
    tokenizer = build_tokenizer(LINES * 5, "eng_Latn", "tam_Taml", 300)
    fill = _fill_torch if form == "torch" else _fill_ctranslate2
    with storage.commit(layout.engine(digest)) as folder:
        target = fill(folder, stubborn_model(tokenizer, word), tokenizer)
        write_card(folder, _card(digest, form, Golden(source=SENTENCE, target=target)))
    return digest


def _fill_ctranslate2(
    folder: Path, model: M2M100ForConditionalGeneration, tokenizer: NllbTokenizer
) -> str:
    """Model and tokenizer of an engine; returns its golden answer."""
    with TemporaryDirectory() as plain, redirect_stderr(io.StringIO()):
        model.save_pretrained(plain)
        tokenizer.save_pretrained(plain)
        TransformersConverter(plain).convert(str(folder / "model"), quantization="int8")
    tokenizer.save_pretrained(folder / "tokenizer")
    return translate(folder / "model", tokenizer, SENTENCE)


def _fill_torch(
    folder: Path, model: M2M100ForConditionalGeneration, tokenizer: NllbTokenizer
) -> str:
    """Model and tokenizer of an engine; returns its golden answer."""
    model.save_pretrained(folder / "model")
    save_tokenizer(LanguageCodes(tokenizer, "eng_Latn", "tam_Taml"), folder)
    codec = open_codec(folder, "eng_Latn", "tam_Taml")
    return generate.translate(open_model(folder, has_adapter=False), codec, [SENTENCE])[0]


def stubborn_model(tokenizer: NllbTokenizer, word: str) -> M2M100ForConditionalGeneration:
    """Tiny model whose last layer ignores its input: every output is the word's embedding."""
    model = build_model(tokenizer, seed=1)
    token = tokenizer(word, add_special_tokens=False)["input_ids"][0]
    norm = model.get_submodule("model.decoder.layer_norm")
    with torch.no_grad():
        norm.get_parameter("weight").zero_()
        norm.get_parameter("bias").copy_(100 * model.get_parameter("model.shared.weight")[token])
    return model


def translate(model: Path, tokenizer: NllbTokenizer, sentence: str) -> str:
    """Greedy translation through transformers' tokenizer, which serving does without."""
    tokens = tokenizer.convert_ids_to_tokens(tokenizer(sentence)["input_ids"])
    result = ctranslate2.Translator(str(model), device="cpu").translate_batch(
        [tokens], target_prefix=[["tam_Taml"]], beam_size=1
    )[0]
    ids = tokenizer.convert_tokens_to_ids(result.hypotheses[0][1:])
    return str(tokenizer.decode(ids, skip_special_tokens=True)).strip()


def serving_config(**changes: object) -> ServingConfig:
    """Settings of a fast small endpoint."""
    return ServingConfig.model_validate({"port": 0, "poll_seconds": 0.2, **changes})


def _card(digest: str, form: EngineFormat, golden: Golden) -> EngineCard:
    return EngineCard(
        format=form,
        run=f"run-of-{digest}",
        base="tiny",
        license="CC-BY-NC-4.0",
        source_language="eng_Latn",
        target_language="tam_Taml",
        max_source_tokens=MAX_SOURCE_TOKENS,
        golden=golden,
    )
