"""Engines of a tiny model: CTranslate2 and torch must pass the same tests."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer

from nmt.engines.card import CARD_FILE, read_card
from nmt.engines.ctranslate2_engine import CTranslate2Engine
from nmt.engines.engine import SearchEngine, load_engine
from nmt.engines.golden import character_similarity
from nmt.engines.memory import estimate_memory
from nmt.engines.translate import TranslateOptions, translate_texts
from nmt.errors import MissingPackageError, TranslationError
from nmt.storage import Storage
from tests.support.models.tiny_engine import (
    MAX_SOURCE_TOKENS,
    SENTENCE,
    WATER,
    add_engine,
    serving_config,
)

# This engine never ends a sentence by itself: the length limit alone does.
UNCUT = TranslateOptions(max_batch_tokens=1024, cut_endless=False)


@pytest.fixture(scope="module")
def tokens_of(storage: Storage) -> Callable[[Sequence[Any]], list[str]]:
    """Return a function that lists the tokens of a row, which in torch has ids."""
    path = storage.fetch("engines/water") / "tokenizer" / "tokenizer.json"
    tokenizer = Tokenizer.from_file(str(path))
    return lambda row: [t if isinstance(t, str) else str(tokenizer.id_to_token(t)) for t in row]


def test_the_golden_sentence_has_the_tokens_and_translation_of_transformers(
    engine: SearchEngine, tokens_of: Callable[[Sequence[Any]], list[str]]
) -> None:
    golden = engine.card.golden
    rows = engine.encode(golden.source)
    words = ["eng_Latn", "▁Where", "▁is", "▁the", "▁hospital?", "</s>"]
    assert [tokens_of(row) for row in rows] == [words]
    assert golden.target.startswith(engine.translate(rows)[0])


@pytest.mark.parametrize(
    "text",
    [
        "Write tam_Taml for Tamil.",
        "The <s>patient</s> sees <pad> and <mask>.",
        "eng_Latn",
        "We need</s> water now.",
        "<unk>",
    ],
)
def test_control_tokens_in_a_text_are_encoded_as_words(
    engine: SearchEngine, tokens_of: Callable[[Sequence[Any]], list[str]], text: str
) -> None:
    (row,) = engine.encode(text)
    inside = tokens_of(row)[1:-1]
    assert not {"<s>", "</s>", "<pad>", "<mask>", "eng_Latn", "tam_Taml"}.intersection(inside)
    assert len(inside) > len(text.split())


@pytest.mark.parametrize(
    "written",
    [
        "\ufeffWhere is the hospital?",
        "Where\u00a0is \u200bthe\thospital?",
        "Where  is the hos\u00adpital?",
        "Where is\u202f\u200ethe \x02hospi\x1ftal?",
    ],
)
def test_a_text_is_normalised_as_in_training(engine: SearchEngine, written: str) -> None:
    assert engine.encode(written) == engine.encode("Where is the hospital?")
    answers = translate_texts(engine, [written, "Where is the hospital?"], UNCUT).texts
    assert answers[0] == answers[1]


def test_a_long_sentence_is_split_into_rows_without_loss(
    engine: SearchEngine, tokens_of: Callable[[Sequence[Any]], list[str]]
) -> None:
    sentence = "We need two patients now " * 30 + "now."
    rows = [tokens_of(row) for row in engine.encode(sentence)]
    assert len(rows) > 1
    assert all(len(row) <= MAX_SOURCE_TOKENS for row in rows)
    assert all(row[0] == "eng_Latn" and row[-1] == "</s>" for row in rows)
    tokens = [token for row in rows for token in row[1:-1]]
    assert "".join(tokens).replace("▁", " ").split() == sentence.split()


@pytest.mark.parametrize("word", ["w" * 3000, "கி" * 500, "\U0001f600" * 400])
def test_an_endless_word_is_split_into_rows(engine: SearchEngine, word: str) -> None:
    assert all(len(row) <= MAX_SOURCE_TOKENS for row in engine.encode(word))


def _without_card(folder: Path) -> None:
    (folder / CARD_FILE).unlink()


def _without_golden(folder: Path) -> None:
    card = json.loads((folder / CARD_FILE).read_text())
    del card["golden"]
    (folder / CARD_FILE).write_text(json.dumps(card))


def _weights(folder: Path) -> Path:
    named = [folder / "model" / name for name in ("model.bin", "model.safetensors")]
    return next(path for path in named if path.is_file())


def _other_weights(folder: Path) -> None:
    other = _weights(folder.parent / "hospital")
    _weights(folder).write_bytes(other.read_bytes())


def _short_weights(folder: Path) -> None:
    weights = _weights(folder)
    weights.write_bytes(weights.read_bytes()[:1000])


def _no_weights(folder: Path) -> None:
    _weights(folder).unlink()


def _no_tokenizer(folder: Path) -> None:
    (folder / "tokenizer" / "tokenizer.json").unlink()


def _unknown_language(folder: Path) -> None:
    _change_card(folder, target_language="xxx_Yyyy")


def _unknown_source(folder: Path) -> None:
    _change_card(folder, source_language="x" * 240_000)


def _target_without_a_token(folder: Path) -> None:
    _change_card(folder, target_language="fra_Latn")


def _source_without_a_token(folder: Path) -> None:
    _change_card(folder, source_language="fra_Latn")


def _change_card(folder: Path, **values: object) -> None:
    path = folder / CARD_FILE
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (_unknown_language, "target_language: 'xxx_Yyyy' is not a FLORES-200 code"),
        (_unknown_source, r"source_language: 'x+\.\.\.' is not a FLORES-200 code"),
        (_target_without_a_token, "fra_Latn"),
        (_source_without_a_token, "fra_Latn"),
        (_without_card, "engine.json"),
        (_without_golden, "golden"),
        (_other_weights, "golden sentence"),
        (_short_weights, "cannot load"),
        (_no_weights, "cannot load"),
        (_no_tokenizer, "tokenizer"),
    ],
)
def test_a_damaged_engine_does_not_load(
    storage: Storage, damage: Callable[[Path], None], words: str
) -> None:
    folder = add_damaged(storage, damage)
    with pytest.raises(TranslationError, match=words) as raised:
        load_engine(folder, serving_config())
    assert len(str(raised.value)) < 1000


@pytest.mark.parametrize(
    ("text", "other", "low", "high"),
    [("abc", "abc", 1.0, 1.0), ("", "abc", 0.0, 0.3), ("a b c", "x y z", 0.0, 0.4)],
)
def test_only_equal_texts_have_a_high_similarity(
    text: str, other: str, low: float, high: float
) -> None:
    assert low <= character_similarity(text, other) <= high


def add_damaged(storage: Storage, damage: Callable[[Path], None]) -> Path:
    folder = Path(storage.locate(f"engines/damaged{damage.__name__}"))
    shutil.copytree(storage.locate("engines/water"), folder)
    damage(folder)
    return folder


def test_a_written_card_can_be_read(storage: Storage) -> None:
    card = read_card(storage.fetch("engines/water"))
    assert (card.source_language, card.golden.source) == ("eng_Latn", SENTENCE)


def test_serving_loads_neither_torch_nor_transformers_nor_ray() -> None:
    code = (
        "import sys, nmt.serving.web.app, nmt.serving.replica; "
        "print([m for m in ('torch', 'transformers', 'ray') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_without_torch_a_torch_engine_names_the_package_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = Storage(str(tmp_path))
    add_engine(storage, "water", WATER, "torch")
    monkeypatch.delitem(sys.modules, "nmt.engines.torch_engine", raising=False)
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingPackageError, match=r"'torch': pip install '\.\[train\]'"):
        load_engine(storage.fetch("engines/water"), serving_config())


def test_a_closed_engine_translates_nothing(storage: Storage) -> None:
    engine = load_engine(storage.fetch("engines/water"), serving_config())
    rows = engine.encode(SENTENCE)
    engine.close()
    engine.close()
    with pytest.raises(TranslationError, match=r"engine water is closed"):
        engine.translate(rows)


def test_the_memory_of_an_engine_is_that_of_its_weights_and_tokenizer(
    storage: Storage, engine: SearchEngine
) -> None:
    folder = storage.fetch("engines/water")
    files = _weights(folder).stat().st_size + (folder / "tokenizer/tokenizer.json").stat().st_size
    assert files < engine.memory_bytes < 100 * files
    assert estimate_memory(folder) == engine.memory_bytes


def test_an_engine_that_does_not_end_its_golden_sentence_is_loaded_after_a_few_steps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = Storage(str(tmp_path))
    add_engine(storage, "water", WATER)
    folder = storage.fetch("engines/water")
    limits: list[int] = []
    search = CTranslate2Engine._search

    def spied(engine: CTranslate2Engine, rows: Any, max_tokens: int, options: Any) -> Any:
        limits.append(max_tokens)
        return search(engine, rows, max_tokens, options)

    monkeypatch.setattr(CTranslate2Engine, "_search", spied)
    load_engine(folder, serving_config(beam_size=2))
    assert limits == [16, 4]
