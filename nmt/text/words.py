"""Words of a text by Unicode's rules."""

import regex

# With marks: without them, a Tamil or Hindi word would end at each of its vowel signs.
WORD = regex.compile(r"[\p{L}\p{M}\p{N}]+")


def words_of(text: str) -> list[str]:
    """Find the words of a text, in lower case and without punctuation."""
    return WORD.findall(text.lower())
