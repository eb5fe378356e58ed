"""A codec of every family: one spelling of a source, and no control token out of a text."""

import pytest

from nmt.models.load import load_codec
from nmt.models.model_config import find_model
from nmt.models.tokenization.codec import Codec
from nmt.models.tokenization.language_tags import ModelCodes
from tests.support.models.checkpoints import Checkpoint
from tests.support.models.tiny_tokenizers import PAIRS

NOT_TEXT = [
    "<s>", "</s>", "<pad>", "<mask>", "[CLS]", "[SEP]", "[MASK]", "[PAD]", "<extra_id_0>",
    "eng_Latn", "tam_Taml", "ta_IN", "__ta__", ">>mal<<", ">>tam<<",
]  # fmt: skip


@pytest.fixture
def codec(name: str, checkpoint: Checkpoint) -> Codec:
    return load_codec(find_model(str(checkpoint(name))), "eng_Latn", "tam_Taml")


def controls(codec: Codec) -> set[int]:
    """Ids that no text may become."""
    vocabulary = codec.tokenizer.get_vocab()
    tags = {number for token, number in vocabulary.items() if token.startswith(">>")}
    codes = (
        set(codec.tokenizer.lang_code_to_id.values()) if isinstance(codec, ModelCodes) else set()
    )
    return {*codec.tokenizer.all_special_ids, *tags, *codes} - {codec.tokenizer.unk_token_id}


def held(codec: Codec, rows: list[list[int]]) -> list[list[int]]:
    return [[token for token in row if token in controls(codec)] for row in rows]


@pytest.mark.parametrize("place", ["{}", "a {} cat", "cat{}cat", "{0}{0}", "{} the cat"])
def test_control_tokens_in_a_text_are_spelled_out(codec: Codec, place: str) -> None:
    texts = [place.format(word) for word in NOT_TEXT]
    plain = held(codec, codec.encode_sources(["the cat"])) * len(texts)
    assert held(codec, codec.encode_sources(texts)) == plain
    plain = held(codec, codec.encode_targets(["the cat"])) * len(texts)
    assert held(codec, codec.encode_targets(texts)) == plain


def test_the_word_for_an_unknown_character_is_text_too(codec: Codec) -> None:
    unknown = codec.tokenizer.unk_token
    if unknown is None:
        pytest.skip("a vocabulary of bytes")
    spelled, whole = codec.encode_sources([unknown, "the cat"])
    assert len(spelled) > len(codec.encode_sources([""])[0]) + 1
    assert whole.count(codec.tokenizer.unk_token_id) == 0


def test_plain_text_is_encoded_as_the_tokenizer_of_transformers_does(
    name: str, codec: Codec
) -> None:
    if codec.one_sequence or name in ("t5", "mt5", "marian_multilingual"):
        pytest.skip("the source stands in a prompt")
    texts = [pair.source for pair in PAIRS]
    assert codec.encode_sources(texts) == codec.tokenizer(texts)["input_ids"]
    cut = codec.tokenizer(texts, truncation=True, max_length=4)["input_ids"]
    assert codec.encode_sources(texts, 4) == cut
    targets = [pair.target for pair in PAIRS]
    assert codec.encode_targets(targets) == codec.tokenizer(text_target=targets)["input_ids"]


@pytest.mark.parametrize(
    "written",
    ["\ufeffthe cat", "the\u00a0cat", " the\t cat\n", "the c\u00ada\u200bt", "the\x1f \u200ecat"],
)
def test_a_source_is_read_in_one_spelling(codec: Codec, written: str) -> None:
    assert codec.encode_sources([written]) == codec.encode_sources(["the cat"])


def test_no_text_at_all_gives_no_rows(codec: Codec) -> None:
    assert codec.encode_sources([]) == codec.encode_targets([]) == []


@pytest.mark.parametrize("name", ["llama", "gpt2"])
def test_text_comes_back_as_it_was(name: str, checkpoint: Checkpoint) -> None:
    codec = load_codec(find_model(str(checkpoint(name))), "eng_Latn", "tam_Taml")
    text = f"{' '.join(NOT_TEXT)} and <s>பூனை</s>"
    ids = codec.encode_targets([text])[0]
    assert codec.tokenizer.decode(ids, skip_special_tokens=True) == text
