import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nmt.data.normalise import match_key, normalise


def test_decomposed_tamil_vowels_are_composed() -> None:
    assert normalise("\u0b95\u0bc6\u0bbe") == "\u0b95\u0bca"


def test_zero_width_space_and_byte_order_mark_go() -> None:
    assert normalise("\ufeffa\u200bb") == "ab"


def test_joiners_stay() -> None:
    assert (
        normalise("\u0d28\u0d4d\u200d \u06cc\u200c\u0645")
        == "\u0d28\u0d4d\u200d \u06cc\u200c\u0645"
    )


def test_inner_whitespace_becomes_one_space() -> None:
    assert normalise("  a\t\u00a0 b\r\n") == "a b"


def test_control_characters_go() -> None:
    assert normalise("a\x00b\x1bc") == "abc"


def test_lone_surrogates_become_the_replacement_character() -> None:
    assert normalise("a\ud800") == "a\ufffd"


@given(st.text())
def test_normalising_twice_changes_nothing(text: str) -> None:
    once = normalise(text)
    assert normalise(once) == once
    assert unicodedata.is_normalized("NFC", once)


@pytest.mark.parametrize("other", ["hello, World", "Hello, world!", '"Hello, world."'])
def test_case_and_outer_punctuation_make_no_other_sentence(other: str) -> None:
    assert match_key(other) == match_key("Hello, world")


def test_inner_punctuation_makes_another_sentence() -> None:
    assert match_key("Hello, world") != match_key("Hello world")


def test_sentences_of_punctuation_keep_their_own_key() -> None:
    assert match_key("?") != match_key("!")
