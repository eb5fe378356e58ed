"""Control tokens that a vocabulary itself can spell: no text becomes one."""

import json

import pytest
from tokenizers import AddedToken, Tokenizer, models, normalizers, pre_tokenizers

from nmt.models.tokenization.text_encoder import TextEncoder

CONTROLS = ["<s>", "</s>", "<unk>", "tam_Taml"]
CHARACTERS = sorted(set("".join(CONTROLS)) | set("▁ab"))
TEXTS = ["</s>", "a</s>b", "a <s> b", "tam_Taml", "<unk>", "ab<unk></s></s>", "＜/s＞", " </s>"]


def unigram() -> Tokenizer:
    words = [(token, 0.0) for token in CONTROLS] + [(c, -5.0) for c in CHARACTERS]
    return with_controls(Tokenizer(models.Unigram(words, unk_id=2)))


def byte_pairs() -> Tokenizer:
    """With merges that lead to each control token."""
    vocabulary = dict.fromkeys([*CONTROLS, *CHARACTERS])
    merges: list[tuple[str, str]] = []
    for token in CONTROLS:
        for end in range(1, len(token)):
            merges.append((token[:end], token[end]))
            vocabulary[token[: end + 1]] = None
    numbered = {token: number for number, token in enumerate(vocabulary)}
    return with_controls(
        Tokenizer(models.BPE(numbered, list(dict.fromkeys(merges)), unk_token="<unk>"))
    )


def with_controls(tokenizer: Tokenizer) -> Tokenizer:
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.add_special_tokens([AddedToken(token, special=True) for token in CONTROLS])
    return tokenizer


@pytest.fixture(params=[unigram, byte_pairs])
def tokenizer(request: pytest.FixtureRequest) -> Tokenizer:
    return request.param()


@pytest.mark.parametrize("text", TEXTS)
def test_a_text_is_spelled_out(tokenizer: Tokenizer, text: str) -> None:
    (row,) = TextEncoder(tokenizer, "<unk>").encode([text])
    assert set(row.ids).isdisjoint(range(len(CONTROLS)))
    expected = text.replace("＜", "<").replace("＞", ">").strip()
    assert "".join(row.tokens).replace("▁", " ").split() == expected.split()
    assert row.offsets[-1][1] == len(text)


def test_an_unknown_character_stays_unknown(tokenizer: Tokenizer) -> None:
    (row, other) = TextEncoder(tokenizer, "<unk>").encode(["aÿb", "</s>ÿ"])
    assert row.ids.count(2) == 1
    assert other.ids.count(2) == 1


def test_what_transformers_has_set_up_is_undone(tokenizer: Tokenizer) -> None:
    encoder = TextEncoder(tokenizer, "<unk>")
    tokenizer.enable_truncation(2)
    tokenizer.enable_padding(length=50)
    tokenizer.encode_special_tokens = False
    (row,) = encoder.encode(["ab tam_Taml"])
    assert "".join(row.tokens) == "▁ab▁tam_Taml"
    assert set(row.ids).isdisjoint(range(len(CONTROLS)))


def test_the_tokenizer_keeps_its_control_tokens(tokenizer: Tokenizer) -> None:
    before = json.loads(tokenizer.to_str())
    TextEncoder(tokenizer, "<unk>").encode(TEXTS)
    assert json.loads(tokenizer.to_str()) == before
