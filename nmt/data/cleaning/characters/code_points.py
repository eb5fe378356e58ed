"""The properties of all code points, as arrays that a block of text is looked up in."""

import sys
import unicodedata
from enum import IntFlag
from functools import cache

import numpy as np
import regex
from numpy.typing import NDArray

from nmt.data.cleaning.characters.scripts import SHARED, script_properties

Codes = NDArray[np.uint32]
Bits = NDArray[np.uint32]

# Beyond this one there are only variation selectors, tags and private use.
_LAST_LETTER = 0x323AF
_PRIVATE_PLANES = 0xF0000


class Kind(IntFlag):
    """What a character is; a character may be of several kinds."""

    SPACE = 1 << 0
    LETTER = 1 << 1
    """A letter that belongs to a script; modifier letters, for example, belong to none."""
    SOURCE_LETTER = 1 << 2
    TARGET_LETTER = 1 << 3
    THIRD_LETTER = 1 << 4
    """A letter of neither language's script, and not a Latin one."""
    LATIN_LETTER = 1 << 5
    IDEOGRAM = 1 << 6
    HANGUL = 1 << 7
    DIGIT = 1 << 8
    SENTENCE_END = 1 << 9
    BROKEN = 1 << 10
    """A trace of the wrong encoding or of a private font."""
    WORD = 1 << 11
    """A letter, mark or digit, of any script."""
    CLOSING = 1 << 12
    """A quotation mark or bracket, which may follow the end of a sentence."""
    MOJIBAKE_HEAD = 1 << 13
    """What the first byte of a character in UTF-8 becomes in other encodings."""
    MOJIBAKE_TAIL = 1 << 14
    """What the second byte of a character in UTF-8 becomes in other encodings."""
    MARKUP = 1 << 15
    """A character without which there is no markup."""
    SMALL_LETTER = 1 << 16
    WIDE_STOP = 1 << 17
    """The end of a sentence in a script that has no space after it."""


_GENERAL = {
    Kind.SPACE: r"\s",
    Kind.LETTER: rf"\p{{L}}--[{SHARED}]",
    Kind.LATIN_LETTER: r"\p{L}&&\p{Script=Latn}",
    Kind.IDEOGRAM: r"\p{Han}\p{Hiragana}\p{Katakana}",
    Kind.HANGUL: r"\p{Hangul}",
    Kind.DIGIT: r"\p{Nd}",
    Kind.SENTENCE_END: r".!?…؟۔।॥。！？｡．។៕။።፧᙮‼⁇⁈⁉܀߹՜՞։",
    Kind.BROKEN: r"\uFFFD\p{Co}",
    Kind.WORD: r"\p{L}\p{M}\p{Nd}",
    Kind.CLOSING: r"\p{Pe}\p{Pf}\p{Pi}\"'*_",
    Kind.MOJIBAKE_HEAD: r"\u00C2-\u00F4ĂĹРС√‚├┬Γ",
    Kind.MOJIBAKE_TAIL: r"\u0080-\u00BF€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ№ЅѕјѓЂЃЉЊЌЋЏђљњќћџҐґЈЎў"
    r"ˇ˘˛˝ĽľżłşŁŞ∂∏ßÄÇéôöÜÖ⌐¡ó▒í║ñ¼",
    Kind.MARKUP: r"<&\[\]{}=>%\\",
    Kind.SMALL_LETTER: r"\p{Ll}",
    Kind.WIDE_STOP: r"。！？｡．",
}


@cache
def kinds(source_language: str, target_language: str) -> Bits:
    """Build the table of kinds for a pair of languages, indexed by code point."""
    source, target = script_properties(source_language), script_properties(target_language)
    table = _general().copy()
    _mark(table, Kind.SOURCE_LETTER, rf"\p{{L}}&&[{source}]")
    _mark(table, Kind.TARGET_LETTER, rf"\p{{L}}&&[{target}]")
    known = rf"{source}{target}\p{{Script=Latn}}{SHARED}"
    _mark(table, Kind.THIRD_LETTER, rf"\p{{L}}--[{known}]")
    return table


@cache
def _general() -> Bits:
    table = np.zeros(sys.maxunicode + 1, np.uint32)
    for kind, characters in _GENERAL.items():
        _mark(table, kind, characters)
    table[_PRIVATE_PLANES:] |= np.uint32(Kind.BROKEN)
    return table


@cache
def _all_characters() -> str:
    return "".join(map(chr, range(_LAST_LETTER + 1)))


def _mark(table: Bits, kind: Kind, characters: str) -> None:
    for run in regex.finditer(rf"[{characters}]+", _all_characters(), regex.V1):
        table[run.start() : run.end()] |= np.uint32(kind)


@cache
def small_letters() -> Codes:
    """Build the table of each code point's small letter, or itself."""
    table = np.arange(sys.maxunicode + 1, dtype=np.uint32)
    for code, character in enumerate(_all_characters()):
        small = character.lower()
        # `İ` becomes two characters; it keeps its own code.
        if len(small) == 1:
            table[code] = ord(small)
    return table


@cache
def digit_values() -> NDArray[np.uint8]:
    """Build the table of each decimal digit's value, in any script; 0 for other characters."""
    table = np.zeros(sys.maxunicode + 1, np.uint8)
    for run in regex.finditer(r"\p{Nd}", _all_characters()):
        # `regex` may know a newer Unicode than Python does.
        table[run.start()] = unicodedata.decimal(run[0], 0)
    return table
