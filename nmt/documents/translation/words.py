"""Words of a sentence with their positions, in scripts with and without spaces."""

from dataclasses import dataclass

import regex

from nmt.text.normalise import remove_noise

# With the Thai and Lao vowels before and behind their letter, and with letters of Khmer and Burmese
# that are stacked: nothing may be put between these.
_UNSEGMENTED = (
    r"[\u0e40-\u0e44\u0ec0-\u0ec4]?"
    r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Khmer}\p{Lao}\p{Myanmar}\p{Thai}\p{Tibetan}]\p{M}*+"
    r"(?:[\u0e30\u0e32\u0e33\u0eb0\u0eb2\u0eb3]|(?<=[\u17d2\u1039])\p{L}\p{M}*+)*+"
)
_LETTER = rf"(?!{_UNSEGMENTED})[\p{{L}}\p{{M}}\p{{N}}]"
# Soft hyphens, marks of direction and the like, inside a word.
_INVISIBLE = r"[\u00ad\u200b-\u200f\u2060]"
# With marks, as a Tamil or Hindi vowel sign belongs to its letter. Private characters stand for
# words that are not translated.
_WORD = (
    rf"{_UNSEGMENTED}"
    rf"|{_LETTER}(?:{_INVISIBLE}*+(?:['’](?=\p{{L}})|(?<=\p{{N}})[.,'’٫٬](?=\p{{N}}))?{_LETTER})*+"
    r"|\p{Co}|[\p{So}\p{Sk}][\p{So}\p{Sk}\p{M}\u200d\ufe0f]*+"
)
_WORDS = regex.compile(_WORD)
_TOKENS = regex.compile(rf"{_WORD}|[^\s\p{{Cf}}]")


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a sentence; a letter of a script without spaces, a number or a symbol is one."""

    start: int
    end: int
    key: str
    """Equal for words that differ only in case or in invisible characters."""


def words_of(text: str) -> list[Word]:
    """Find the words of a text; punctuation and white space are between them."""
    return [Word(each.start(), each.end(), fold(each[0])) for each in _WORDS.finditer(text)]


def tokens_of(text: str) -> list[Word]:
    """Find the words and the signs of punctuation of a text, each sign alone."""
    return [Word(each.start(), each.end(), fold(each[0])) for each in _TOKENS.finditer(text)]


def first_token_of(text: str) -> str:
    """Return the key of the first word or sign of a text; empty if there is none."""
    found = _TOKENS.search(text)
    return fold(found[0]) if found else ""


def fold(text: str) -> str:
    """Convert a text to a form that texts share if they differ only in case."""
    return remove_noise(text).casefold()
