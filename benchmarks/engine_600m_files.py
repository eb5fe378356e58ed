"""The files of `engine_600m.py`: random weights of NLLB-200 600M's shape and engines made of them.

The tokenizer has as many tokens as NLLB's. They are merged at random from letters of several
scripts, so that cutting the vocabulary works as it does for a real one.
"""

import argparse
import os
import random
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import torch
from transformers import M2M100Config, M2M100ForConditionalGeneration, NllbTokenizer

from nmt.engines.card import (
    CARD_FILE,
    EngineCard,
    Golden,
    write_card,
)
from nmt.export.byte_pairs import BytePairs
from nmt.export.ctranslate2_folder import convert, convert_trimmed, limit_output
from nmt.export.kept_tokens import KeptTokens
from nmt.export.vocabulary import open_ctranslate2
from nmt.languages import languages
from nmt.models.tokenization.language_tags import LanguageCodes
from nmt.runs.engine_digest import MODEL_FOLDER, TOKENIZER_FOLDER

SOURCE, TARGET = "eng_Latn", "tam_Taml"
CONTROLS = ["<s>", "<pad>", "</s>", "<unk>"]
PADDING_ROWS = 2
"""NLLB's table has two rows more than its tokenizer has tokens."""
ALPHABETS = {
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,": 0.5,
    "".join(map(chr, range(0x0B85, 0x0BCE))): 0.1,
    "".join(map(chr, range(0x0430, 0x0450))): 0.2,
    "".join(map(chr, range(0x4E00, 0x5800))): 0.2,
}
MAX_TOKEN_CHARACTERS = 12


def build_all(options: argparse.Namespace) -> None:
    """Write the model and the engines `full`, `mapped` and `trimmed` into a folder."""
    folder: Path = options.folder
    tokenizer = build_tokenizer(options.vocabulary)
    codec = LanguageCodes(tokenizer, SOURCE, TARGET)
    if not (folder / "hf" / "tokenizer.json").is_file():
        save_model(folder / "hf", tokenizer, options)
        codec.save(folder / "hf")
    pairs = BytePairs(tokenizer.backend_tokenizer.to_str())
    kept = keep_tokens(pairs, options.written, options.known)
    makers: dict[str, Callable[[Path], None]] = {
        "full": lambda place: convert(place, folder / "hf", codec, "int8"),
        "mapped": lambda place: copy_engine(folder / "full", place),
        "trimmed": lambda place: convert_trimmed(place, folder / "hf", codec, "int8", kept.known),
    }
    sentence = " ".join(pairs.ordered(kept.known)[5000:5040])[:40].replace("▁", "").strip()
    for name, make in makers.items():
        place = folder / name
        if (place / CARD_FILE).is_file():
            continue
        place.mkdir(exist_ok=True)
        started = time.process_time()
        make(place)
        if name == "mapped":
            limit_output(place, kept)
        print(f"{name}: built in {time.process_time() - started:.0f} CPU-seconds", flush=True)
        card = describe(Golden(source=sentence, target="-"))
        golden = Golden(source=sentence, target=open_ctranslate2(place, card)(sentence))
        write_card(place, describe(golden))
    print(f"tokens: {len(pairs.ids):,}, known {len(kept.known):,}, written {len(kept.written):,}")


def copy_engine(source: Path, place: Path) -> None:
    """Copy the model and the tokenizer of an engine, without its card."""
    for name in (MODEL_FOLDER, TOKENIZER_FOLDER):
        shutil.copytree(source / name, place / name, copy_function=os.link, dirs_exist_ok=True)


def build_tokenizer(size: int) -> NllbTokenizer:
    """Build a tokenizer of a number of tokens by random merges."""
    chance = random.Random(1)
    codes = list(languages())
    vocabulary = dict.fromkeys([*CONTROLS, "▁", *"".join(ALPHABETS)])
    words = {letters: [*letters] for letters in ALPHABETS}
    merges: list[tuple[str, str]] = []
    while len(vocabulary) < size - PADDING_ROWS - len(codes) - 1:  # <mask>
        letters = chance.choices(list(ALPHABETS), list(ALPHABETS.values()))[0]
        left, right = chance.choices(words[letters], k=2)
        if chance.random() < 0.3:
            left = "▁"
        merged = left + right
        if "▁" in right or len(merged) > MAX_TOKEN_CHARACTERS or merged in vocabulary:
            continue
        vocabulary[merged] = None
        merges.append((left, right))
        words[letters].append(merged)
    return NllbTokenizer(
        vocab={token: number for number, token in enumerate(vocabulary)},
        merges=merges,  # pyright: ignore[reportArgumentType]
        src_lang=SOURCE,
        tgt_lang=TARGET,
        extra_special_tokens=codes,
        model_max_length=1024,
    )


def save_model(folder: Path, tokenizer: NllbTokenizer, options: argparse.Namespace) -> None:
    """Save random weights with the sizes of facebook/nllb-200-distilled-600M."""
    torch.manual_seed(1)
    shape = M2M100Config(
        vocab_size=len(tokenizer) + PADDING_ROWS,
        d_model=options.width,
        encoder_layers=options.layers,
        decoder_layers=options.layers,
        encoder_attention_heads=max(1, options.width // 64),
        decoder_attention_heads=max(1, options.width // 64),
        encoder_ffn_dim=4 * options.width,
        decoder_ffn_dim=4 * options.width,
        encoder_layerdrop=0.0,
        decoder_layerdrop=0.0,
        tie_word_embeddings=True,
        bos_token_id=0,
        pad_token_id=1,
        eos_token_id=2,
        decoder_start_token_id=2,
    )
    model = M2M100ForConditionalGeneration(shape)
    with torch.no_grad():
        # Control tokens get a logit of 0, so they are not written: no output ends by itself.
        model.get_parameter("model.shared.weight")[tokenizer.all_special_ids] = 0
    model.save_pretrained(folder)


def keep_tokens(pairs: BytePairs, written: int, known: int) -> KeptTokens:
    """Choose numbers of tokens to write and to know at random; the first are a part of the last."""
    chance = random.Random(2)
    others = [token for token in pairs.ordered(pairs.ids) if token not in pairs.specials]
    chance.shuffle(others)
    found = {*pairs.specials, *(token for token in others if len(token) == 1)}
    for token in others:
        if len(found) >= known:
            break
        found |= pairs.close([token])
    some = [*pairs.specials, *found.difference(pairs.specials)][:written]
    return KeptTokens(frozenset(some), frozenset(found))


def describe(golden: Golden) -> EngineCard:
    """Describe an engine of the random model."""
    return EngineCard(
        run="engine-600m",
        base="random",
        license="MIT",
        source_language=SOURCE,
        target_language=TARGET,
        max_source_tokens=256,
        golden=golden,
    )
