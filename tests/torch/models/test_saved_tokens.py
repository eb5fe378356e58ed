"""Tokens on disk are those that the tokenizer of each family gives."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from nmt.config import ModelConfig
from nmt.data.prepared_rows import Rows
from nmt.models.load import load_codec
from nmt.models.sources.source import ModelSource
from nmt.models.tokenization.codec import Codec
from nmt.models.tokenization.encoded_pairs import encode_pairs
from nmt.models.tokenization.saved_tokens import SavedTokens, TokenWriter
from tests.support.models.tiny_tokenizers import PAIRS

LIMITS = ModelConfig(max_source_tokens=256, max_target_tokens=256)
ROWS = Rows([pair.source for pair in PAIRS], [pair.target for pair in PAIRS], None)


def save(folder: Path, codec: Codec) -> SavedTokens:
    with TokenWriter(folder, codec, LIMITS, {}) as writer:
        writer.begin_split()
        writer.add(ROWS)
    return SavedTokens.open(folder)


@pytest.fixture
def codec(name: str, checkpoint: Callable[[str], Path]) -> Codec:
    return load_codec(ModelSource(str(checkpoint(name))), "eng_Latn", "tam_Taml")


def test_saved_tokens_are_those_of_the_tokenizer(codec: Codec, tmp_path: Path) -> None:
    saved, direct = save(tmp_path, codec), encode_pairs(codec, PAIRS, 256, 256)
    for mapped, expected in ((saved.source, direct.source), (saved.target, direct.target)):
        assert np.array_equal(mapped.ids, expected.ids)
        assert np.array_equal(mapped.offsets, expected.offsets)
        assert expected.ids.max() < codec.vocabulary_size
    assert saved.index.rows == (len(PAIRS),)


def test_a_large_vocabulary_gets_larger_numbers(
    checkpoint: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    codec = load_codec(ModelSource(str(checkpoint("nllb"))), "eng_Latn", "tam_Taml")
    (tmp_path / "small").mkdir()
    (tmp_path / "large").mkdir()
    small = save(tmp_path / "small", codec)
    monkeypatch.setattr(Codec, "vocabulary_size", 256_206)
    large = save(tmp_path / "large", codec)
    assert (small.source.ids.dtype, large.source.ids.dtype) == (np.uint16, np.uint32)
    assert np.array_equal(small.source.ids, large.source.ids)


def test_a_split_without_pairs_is_saved_too(
    checkpoint: Callable[[str], Path], tmp_path: Path
) -> None:
    codec = load_codec(ModelSource(str(checkpoint("nllb"))), "eng_Latn", "tam_Taml")
    with TokenWriter(tmp_path, codec, LIMITS, {}) as writer:
        writer.begin_split()
    saved = SavedTokens.open(tmp_path)
    assert len(saved.source.lengths) == len(saved.target.lengths) == 0
