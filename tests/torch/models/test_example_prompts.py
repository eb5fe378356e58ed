"""Prompts with examples for decoder-only models, and what such a model makes of them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from nmt.decoding.generate import translate_scored
from nmt.decoding.length import output_limit
from nmt.evaluation.baselines.prompt import ExamplePrompt
from nmt.models.load import load_codec, load_model, load_tokenizer
from nmt.models.sources.source import ModelSource
from nmt.text.pair import Pair

LANGUAGES = ("eng_Latn", "tam_Taml")
FAMILIES = ["llama", "gpt2"]
EXAMPLES = [Pair("We go home.", "நாங்கள்."), Pair("Where is it?", "எங்கே?")]
SOURCE = "The house is old."
BLOCKS = (
    "Translate English to Tamil:\nWe go home.\nநாங்கள்.\n"
    "Translate English to Tamil:\nWhere is it?\nஎங்கே?\n"
    "Translate English to Tamil:\nThe house is old.\n"
)

Checkpoint = Callable[[str], Path]


def prompt_of(
    folder: Path, *, examples: list[Pair] = EXAMPLES, max_tokens: int = 10_000
) -> ExamplePrompt:
    tokenizer = load_tokenizer(ModelSource(str(folder)))
    return ExamplePrompt(
        tokenizer, *LANGUAGES, examples=lambda source: examples, max_tokens=max_tokens
    )


def plain(folder: Path, source: str = SOURCE) -> list[int]:
    """Encode a prompt without examples."""
    return load_codec(ModelSource(str(folder)), *LANGUAGES).encode_sources([source])[0]


@pytest.mark.parametrize("family", FAMILIES)
def test_examples_are_prompts_with_their_translations_before_the_prompt(
    family: str, checkpoint: Checkpoint
) -> None:
    codec = prompt_of(checkpoint(family))
    (ids,) = codec.encode_sources([SOURCE])
    assert codec.tokenizer.decode(ids, skip_special_tokens=True) == BLOCKS
    begin = codec.tokenizer.bos_token_id
    assert ids.count(begin) == plain(checkpoint(family)).count(begin)


@pytest.mark.parametrize("family", FAMILIES)
def test_without_examples_the_prompt_is_that_of_the_base(
    family: str, checkpoint: Checkpoint
) -> None:
    codec = prompt_of(checkpoint(family), examples=[])
    assert codec.encode_sources([SOURCE]) == [plain(checkpoint(family))]


@pytest.mark.parametrize("family", FAMILIES)
def test_the_length_of_a_translation_does_not_depend_on_the_examples(
    family: str, checkpoint: Checkpoint
) -> None:
    codec = prompt_of(checkpoint(family))
    (ids,) = codec.encode_sources([SOURCE])
    assert codec.count_own_tokens(ids) == len(plain(checkpoint(family)))


def test_examples_that_do_not_fit_are_left_out_and_counted_the_worst_first(
    checkpoint: Checkpoint,
) -> None:
    folder = checkpoint("llama")
    own = len(plain(folder))
    (whole,) = prompt_of(folder).encode_sources([SOURCE])
    needed = len(whole) + output_limit(own)
    for max_tokens, left in [(needed, 0), (needed - 1, 1), (own, 2)]:
        codec = prompt_of(folder, max_tokens=max_tokens)
        (ids,) = codec.encode_sources([SOURCE])
        assert codec.left_out == {SOURCE: left}
        text = codec.tokenizer.decode(ids, skip_special_tokens=True)
        assert BLOCKS.endswith(text)
        assert text.count("Translate") == 3 - left


def test_a_long_source_is_cut_and_its_examples_are_not(checkpoint: Checkpoint) -> None:
    codec = prompt_of(checkpoint("llama"))
    (ids,) = codec.encode_sources(["old " * 200], max_tokens=60)
    assert codec.count_own_tokens(ids) == 60
    text = codec.tokenizer.decode(ids, skip_special_tokens=True)
    assert text.startswith(BLOCKS.partition("The house")[0])
    assert text.endswith("\n")


@pytest.mark.parametrize("family", FAMILIES)
def test_a_translation_with_examples_ends_at_its_line_and_is_the_same_in_any_batch(
    family: str, checkpoint: Checkpoint
) -> None:
    folder = checkpoint(family)
    model = load_model(ModelSource(str(folder)))
    codec = prompt_of(folder)
    texts = [SOURCE, "We see two old birds.", ""]
    together = translate_scored(model, codec, texts)
    alone = [translate_scored(model, codec, [text])[0] for text in texts]
    assert [each.text for each in together] == [each.text for each in alone]
    assert together[2].text == ""
    assert all("\n" not in each.text for each in together)


def test_a_line_break_ends_a_translation(checkpoint: Checkpoint) -> None:
    codec = load_codec(ModelSource(str(checkpoint("llama"))), *LANGUAGES)
    ends = codec.generation_options()["eos_token_id"]
    assert ends[0] == codec.tokenizer.eos_token_id
    assert ["\n" in codec.tokenizer.decode([token]) for token in ends[1:]] == [True]
