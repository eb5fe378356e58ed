"""What a translation is expected to keep: numbers, addresses, names and placeholders."""

import unicodedata
from collections import Counter

import regex

from nmt.data.cleaning.detection.addresses import (
    addresses_of,
    may_have_address,
    without_addresses,
)

# Between two digits: `1,000`, `1.000` and `1'000` are one number in different languages.
_JOINERS = ".,'’٬٫"
_NUMBER = regex.compile(rf"\p{{Nd}}+(?:[{_JOINERS}]\p{{Nd}}+)*")
# `12.00` is 12; three zeros are a thousand.
_NO_FRACTION = regex.compile(r"[.,٫]0{1,2}\Z")
_DIGITS = regex.compile(r"\p{Nd}+")
# French, Russian and others write a thousand as `1 000`, most often with a special space.
_SPACED_NUMBER = regex.compile(
    rf"(?<![\p{{Nd}}{_JOINERS}])\p{{Nd}}{{1,3}}(?:[ \u00a0\u202f\u2009]\p{{Nd}}{{3}})+(?!\p{{Nd}})"
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
    # %s, %d, %1$s, %(name)s, %.2f, %@; but not the percent sign of `50 %` or `100%`
    r"|(?<![\d%])%(?:\(\w+\)|\d+\$)?[-+#0]*\d*(?:\.\d+)?l{0,2}[sdifux@](?![A-Za-z])"
    r"|</?[a-zA-Z][\w:-]*(?=[\s/>])[^<>]*>",  # <b>, </b>, <a href="...">, <br/>
    regex.ASCII,
)
_TAG_NAME = regex.compile(r"</?[a-zA-Z][\w:-]*", regex.ASCII)


def find_numbers(text: str) -> set[str]:
    """Find the numbers of a text, as ASCII digits without separators and leading zeros."""
    return {_value(number) for number in _NUMBER.findall(text)}


def find_number_readings(text: str) -> set[str]:
    """Find every number that a text may mean: `3,5` is 35, as in `find_numbers`, or 3 and 5."""
    numbers = _NUMBER.findall(text) + _DIGITS.findall(text) + _SPACED_NUMBER.findall(text)
    return {_value(number) for number in numbers}


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
    found = (match[0] for match in _PLACEHOLDER.finditer(text))
    # The value of an attribute, such as a title, may be translated.
    return Counter(_TAG_NAME.match(each)[0] if each[0] == "<" else each for each in found)


def without_codes(text: str) -> str:
    """Remove addresses and placeholders from a text, which are in no language."""
    return _PLACEHOLDER.sub(" ", without_addresses(text))


def _value(number: str) -> str:
    # Not as an integer: Python refuses to read one of more than 4,300 digits.
    digits = "".join(str(unicodedata.decimal(character, character)) for character in number)
    digits = "".join(filter(str.isdecimal, _NO_FRACTION.sub("", digits)))
    return digits.lstrip("0") or "0"
