"""What a translation is expected to keep, beside numbers: addresses, names and placeholders."""

from collections import Counter

import regex

from nmt.data.cleaning.detection.addresses import (
    addresses_of,
    may_have_address,
    without_addresses,
)

_CAPITALISED = regex.compile(
    r"(?<![\p{L}\p{M}\p{N}])\p{L}[\p{L}\p{M}\p{N}]*(?:-[\p{L}\p{M}\p{N}]+)*"
)
# Where a capital letter says nothing: after the end of a sentence, a quotation mark or a bullet.
_SENTENCE_START = regex.compile(r"(?:^|[.!?…:;\n\p{Pi}\p{Pf}\"'“”«»(\[*•–—|/-])\s*\Z", regex.V0)
_MIN_NAME = 2
_PLACEHOLDER = regex.compile(
    r"\{\{[^{}]{1,60}\}\}"  # {{ name }}
    r"|[$%#]?\{[\w.$:+-]*\}"  # {name}, {0}, ${name}, %{name}, #{name}
    r"|\{\w+(?=,\s*(?:plural|select|selectordinal|number|date|time)\b)"  # {count, plural, ...
    # %s, %d, %1$s, %(name)s, %.2f, %@; but not the percent sign of `50 %` or `100%`. Possessive,
    # since a row of zeros would else be divided into flags and digits in every way.
    r"|(?<![\d%])%(?:\(\w+\)|\d+\$)?[-+#0]*+\d*+(?:\.\d++)?+l{0,2}[sdifux@](?![A-Za-z])"
    r"|</?[a-zA-Z][\w:-]*(?=[\s/>])[^<>]*>",  # <b>, </b>, <a href="...">, <br/>
    regex.ASCII,
)
_TAG_END = regex.compile(r"[\s>]|/>")


def find_urls(text: str) -> set[str]:
    """Find the web and mail addresses of a text."""
    return addresses_of(text) if may_have_address(text) else set()


def find_names(text: str) -> set[str]:
    """Find words that are likely to be names, by a capital letter inside a sentence.

    Returns:
        Nothing for text in capital letters, and for scripts without them.
    """
    if text.isupper():
        return set()
    names: set[str] = set()
    for match in _CAPITALISED.finditer(text):
        word = match[0]
        inner_capital = any(character.isupper() for character in word[1:])
        starts_sentence = _SENTENCE_START.search(text, max(0, match.start() - 3), match.start())
        if len(word) >= _MIN_NAME and (
            inner_capital or (word[0].isupper() and starts_sentence is None)
        ):
            names.add(word)
    return names


def has_name(text: str, name: str) -> bool:
    """Tell whether a text has a name, with or without an ending.

    Args:
        text: in lower case.
        name: in any case.
    """
    name = name.lower()
    start = text.find(name)
    # Only a letter of a script with capitals can be the middle of the same word: `使用Apple` and
    # `இந்தNASA` have the name, and `pineapple` does not.
    while start > 0 and text[start - 1].upper() != text[start - 1]:
        start = text.find(name, start + 1)
    return start >= 0


def find_placeholders(text: str) -> Counter[str]:
    """Count the placeholders and tags of a text; a tag without its attributes."""
    if not any(character in text for character in "{%<"):
        return Counter()
    found: list[str] = _PLACEHOLDER.findall(text)
    # Without attributes, since the value of one, such as a title, may be translated.
    return Counter(_TAG_END.split(each, 1)[0] if each[0] == "<" else each for each in found)


def without_codes(text: str) -> str:
    """Remove addresses and placeholders from a text, which are in no language."""
    return _PLACEHOLDER.sub(" ", without_addresses(text))
