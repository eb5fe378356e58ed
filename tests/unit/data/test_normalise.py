import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nmt.data.cleaning.characters.normalised import normalise_all
from nmt.text.normalise import match_key, normalise, remove_noise


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
    assert normalise("wo\x1crd wo\x1drd wo\x1erd wo\x1frd") == "word word word word"


@pytest.mark.parametrize(
    "separator", ["\n", "\r", "\x0b", "\x0c", "\x85", "\u2028", "\u2029", "\u3000"]
)
def test_ends_of_lines_and_pages_are_white_space(separator: str) -> None:
    assert normalise(f"one{separator}two") == "one two"


@pytest.mark.parametrize(
    "invisible",
    ["\u00ad", "\u2060", "\ufeff", "\u200e", "\u200f", "\u061c", "\u202e", "\u2066", "\u2069",
     "\u2062", "\ufffa", "\U000e0041"],
)  # fmt: skip
def test_invisible_characters_go(invisible: str) -> None:
    assert normalise(f"wo{invisible}rd") == "word"


def test_hebrew_and_arabic_lose_nothing_but_marks_of_direction() -> None:
    assert (
        normalise("\u200f\u05e9\u05dc\u05d5\u05dd\u200f, C++\u200e!")
        == "\u05e9\u05dc\u05d5\u05dd, C++!"
    )
    accents = "\u05d1\u05b0\u05bc\u034f\u05a3"
    assert normalise(accents) == unicodedata.normalize("NFC", accents)
    verse = "\u0642\u0627\u0644 \u06dd\u0661"
    assert normalise(verse) == verse


@pytest.mark.parametrize(
    "emoji",
    ["\U0001f469\u200d\U0001f52c", "\u2764\ufe0f", "1\ufe0f\u20e3",
     "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"],
    ids=["joined", "coloured", "keycap", "flag"],
)  # fmt: skip
def test_emoji_stay_intact(emoji: str) -> None:
    assert normalise(f"see {emoji} here") == f"see {emoji} here"


def test_letters_that_an_invisible_character_kept_apart_are_composed() -> None:
    assert normalise("e\u200b\u0301") == "\u00e9"


@given(st.text())
def test_removal_of_noise_keeps_white_space_as_it_is(text: str) -> None:
    kept = "".join(c for c in text if c in " \t\n\r\u00a0\u2028\u3000")
    clean = remove_noise(text)
    assert "".join(c for c in clean if c in " \t\n\r\u00a0\u2028\u3000") == kept
    assert " ".join(clean.split()) == normalise(text)


def test_lone_surrogates_become_the_replacement_character() -> None:
    assert normalise("a\ud800") == "a\ufffd"


@given(st.text())
def test_normalising_twice_changes_nothing(text: str) -> None:
    once = normalise(text)
    assert normalise(once) == once
    assert unicodedata.is_normalized("NFC", once)


# Letters and marks that compose, marks out of order, and what is removed: rare in random text.
_COMPOSING = st.text(st.sampled_from("ae \u0301\u0323\u1e19\u0328ொொ각가क़़्\u00ad\n\u2028\x1c"))


@given(st.lists(st.one_of(st.text(), _COMPOSING)))
def test_many_texts_are_normalised_as_each_alone(texts: list[str]) -> None:
    assert normalise_all(texts) == [normalise(text) for text in texts]


@pytest.mark.parametrize("other", ["hello, World", "Hello, world!", '"Hello, world."'])
def test_case_and_outer_punctuation_do_not_make_another_sentence(other: str) -> None:
    assert match_key(other) == match_key("Hello, world")


def test_inner_punctuation_makes_another_sentence() -> None:
    assert match_key("Hello, world") != match_key("Hello world")


def test_sentences_of_punctuation_keep_their_own_key() -> None:
    assert match_key("?") != match_key("!")
