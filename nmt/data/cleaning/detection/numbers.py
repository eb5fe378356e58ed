"""Numbers of both sides, compared by value: digits of any script, in any order."""

import unicodedata
from collections import Counter

import numpy as np
import regex
from numpy.typing import NDArray

from nmt.data.cleaning.characters.code_points import Kind, digit_values
from nmt.data.cleaning.characters.text_block import Mask, Side

# Between two digits: `1,000`, `1.000` and `1'000` are one number in different languages.
_JOINER = ".,'’٬٫"
_NUMBER = regex.compile(rf"\p{{Nd}}+(?:[{_JOINER}]\p{{Nd}}+)*")
_DIGITS = regex.compile(r"\p{Nd}+")
# French, Russian and others write a thousand as `1 000`, most often with a special space.
_SPACED_NUMBER = regex.compile(
    rf"(?<![\p{{Nd}}{_JOINER}])\p{{Nd}}{{1,3}}(?:[ \u00a0\u202f\u2009]\p{{Nd}}{{3}})+(?!\p{{Nd}})"
)
# `12.00` is 12; three zeros are a thousand.
_NO_FRACTION = regex.compile(r"[.,٫]0{1,2}\Z")
_MAX_SPELLED = 12
"""The highest number that a language is likely to write as a word."""
_BASE = np.uint64(0x9E3779B97F4A7C15)
_MAX_DIGITS = 20


def suspect_numbers(source: Side, target: Side) -> Mask:
    """Find the pairs whose sides have not exactly the same numbers."""
    return _sum_of_numbers(source) != _sum_of_numbers(target)


def numbers_differ(source: str, target: str) -> bool:
    """Tell whether two texts have different numbers; `three` on one side may be `3`."""
    in_source, in_target = find_numbers(source), find_numbers(target)
    only_source, only_target = in_source - in_target, in_target - in_source
    if only_source and only_target:
        return True
    return not all(map(may_be_spelled, only_source | only_target))


def find_numbers(text: str) -> set[str]:
    """Find the numbers of a text, as ASCII digits without separators and leading zeros."""
    return set(count_numbers(text))


def count_numbers(text: str) -> Counter[str]:
    """Count the numbers of a text, each as `find_numbers` writes it."""
    return Counter(map(_value, _NUMBER.findall(text)))


def find_number_readings(text: str) -> set[str]:
    """Find every number that a text may mean: `3,5` is 35, as in `find_numbers`, or 3 and 5."""
    numbers = _NUMBER.findall(text) + _DIGITS.findall(text) + _SPACED_NUMBER.findall(text)
    return {_value(number) for number in numbers}


def may_be_spelled(number: str) -> bool:
    """Tell whether a number, as `find_numbers` writes it, is likely to be written as a word."""
    return len(number) <= 2 and int(number) <= _MAX_SPELLED


def _value(number: str) -> str:
    # Not as an integer: Python refuses to read one of more than 4,300 digits.
    digits = "".join(str(unicodedata.decimal(character, character)) for character in number)
    digits = "".join(filter(str.isdecimal, _NO_FRACTION.sub("", digits)))
    return digits.lstrip("0") or "0"


def _sum_of_numbers(side: Side) -> NDArray[np.uint64]:
    """Sum the hashes of each text's numbers, so that equal numbers have equal sums."""
    sums = np.zeros(len(side.texts), np.uint64)
    at = np.flatnonzero(side.has(Kind.DIGIT))
    if not len(at):
        return sums
    gaps = np.diff(at, prepend=-3)
    joined = (gaps == 1) | ((gaps == 2) & np.isin(side.codes[at - 1], _joiners()))
    starts = np.flatnonzero(~joined)
    places = np.arange(len(at)) - np.repeat(starts, np.diff(starts, append=len(at)))
    digits = digit_values()[side.codes[at]].astype(np.uint64) + np.uint64(1)
    powers = np.cumprod(np.full(_MAX_DIGITS + 1, _BASE))
    values = np.add.reduceat(digits * powers[np.minimum(places, _MAX_DIGITS)], starts)
    # Without this step, the sums of 12 and 21 with other numbers could be equal.
    values ^= values >> np.uint64(29)
    values *= _BASE
    np.add.at(sums, side.rows(at[starts]), values)
    return sums


def _joiners() -> NDArray[np.uint32]:
    return np.array([ord(character) for character in _JOINER], np.uint32)
