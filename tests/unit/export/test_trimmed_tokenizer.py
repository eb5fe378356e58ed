"""A tokenizer that is cut to some of its tokens reads and writes the same text as before."""

import json
from functools import cache

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors, trainers

from nmt.errors import ExportError
from nmt.export.byte_pairs import BytePairs
from nmt.export.kept_tokens import KeptTokens, choose_tokens
from nmt.phrasebook import general_pairs

CONTROLS = ["<s>", "<pad>", "</s>", "<unk>"]
CODES = ["<mask>", "eng_Latn", "tam_Taml", "fra_Latn"]
OTHERS = [
    "Привет, как дела",
    "漢字かな交じり文",
    "ελληνικά γράμματα",
    "naïve café São",
    "௧௨௩ 123 ½ € ™",
]


@cache
def whole() -> Tokenizer:
    """Train a tokenizer like NLLB's on two languages, with a few words of others."""
    pairs = general_pairs(2000, seed=1)
    lines = [text for pair in pairs for text in (pair.source, pair.target)]
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    trainer = trainers.BpeTrainer(vocab_size=1500, special_tokens=CONTROLS, show_progress=False)
    tokenizer.train_from_iterator([*lines, *OTHERS * 10], trainer)
    tokenizer.add_special_tokens([AddedToken(code, special=True) for code in CODES])
    code = tokenizer.token_to_id("eng_Latn")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="eng_Latn $A </s>", special_tokens=[("eng_Latn", code), ("</s>", 2)]
    )
    return tokenizer


@cache
def byte_pairs() -> BytePairs:
    return BytePairs(whole().to_str())


@cache
def kept() -> KeptTokens:
    """Choose the tokens of a corpus of a hundred pairs."""
    sides = zip(*((pair.source, pair.target) for pair in general_pairs(100, seed=2)), strict=True)
    sources, targets = ({t for x in side for t in whole().encode(x).tokens} for side in sides)
    return choose_tokens(byte_pairs(), sources, targets, "eng_Latn", "tam_Taml", common=200)


@cache
def trimmed() -> Tokenizer:
    return Tokenizer.from_str(byte_pairs().without_others(kept().known))


def compare(text: str) -> None:
    """Check that both tokenizers read a text alike, token by token where all tokens are kept."""
    before, after = (t.encode(text, add_special_tokens=False) for t in (whole(), trimmed()))
    assert trimmed().decode(after.ids) == whole().decode(before.ids)
    assert after.tokens.count("<unk>") <= before.tokens.count("<unk>")
    if kept().known.issuperset(before.tokens):
        assert after.tokens == before.tokens
        assert after.offsets == before.offsets


def test_far_fewer_tokens_are_left_and_all_are_numbered_in_the_old_order() -> None:
    ids = trimmed().get_vocab()
    assert 200 < len(ids) < whole().get_vocab_size()
    assert sorted(ids.values()) == list(range(len(ids)))
    old = whole().get_vocab()
    assert sorted(ids, key=ids.__getitem__) == sorted(ids, key=old.__getitem__)
    assert [trimmed().token_to_id(token) for token in CONTROLS] == [0, 1, 2, 3]


def test_real_sentences_are_read_and_written_as_before() -> None:
    split = 0
    for pair in general_pairs(1000, seed=3):
        for text in (pair.source, pair.target):
            compare(text)
            split += len(trimmed().encode(text)) > len(whole().encode(text))
    assert split  # some words are in no sentence of the corpus


@given(st.text(max_size=60))
@example("Привет நண்பா naïve 漢字 <s> tam_Taml </s> <unk> \u2581\u2581")
@example("aaaaaaaaaaaaaaaaaaaa the the they 12345 ½ 👩‍⚕️")
def test_any_text_is_read_and_written_as_before(text: str) -> None:
    compare(text)


@given(st.lists(st.sampled_from(sorted(whole().get_vocab())), max_size=12))
def test_any_sequence_of_tokens_is_read_and_written_as_before(tokens: list[str]) -> None:
    compare("".join(tokens).replace("▁", " "))


def test_tokens_of_the_target_script_digits_and_punctuation_can_be_written() -> None:
    written = kept().written
    for token in whole().get_vocab():
        letters = token.strip("▁")
        if letters and all("\u0b80" <= c <= "\u0bff" for c in letters):
            assert token in written
    assert {"</s>", "tam_Taml", "▁", "1", "½", "."} <= written
    assert not any("\u0400" <= c <= "\u04ff" for token in written for c in token)
    assert written <= kept().known


def test_the_tokens_around_a_sentence_keep_their_meaning() -> None:
    row = trimmed().encode("water")
    assert (row.tokens[0], row.tokens[-1]) == ("eng_Latn", "</s>")
    assert [trimmed().id_to_token(number) for number in row.ids] == row.tokens


def test_a_tokenizer_of_another_kind_is_refused() -> None:
    state = json.loads(whole().to_str())
    for change in ({"decoder": {"type": "ByteLevel"}}, {"model": {"type": "Unigram", "vocab": []}}):
        with pytest.raises(ExportError, match=r"export.vocabulary=full"):
            BytePairs(json.dumps(state | change))
