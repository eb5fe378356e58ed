"""Normalisation of sentences, and a key that almost equal sentences share."""

import re
import sys
import unicodedata
from functools import cache

import regex

# Characters that are invisible and do not belong to the spelling of a word. Others stay, since they
# change the text: the joiners U+200C and U+200D (Indic and Persian spelling, emoji), U+034F (Hebrew
# accents), Mongolian U+180B to U+180F, variation selectors (emoji, Han variants), signs that
# enclose a number, as U+06DD, and the tags of a flag.
_NOISE = (
    "\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f"  # controls that are not white space
    "\xad"  # soft hyphen, which allows a line break
    "\u200b\u2060\ufeff"  # others for line breaks: zero-width space, word joiner, byte-order mark
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # direction, which the letters show themselves
    "\u2061-\u2064"  # invisible operators of formulas
    "\u206a-\u206f\ufff9-\ufffb"  # deprecated formats, anchors of annotations
    "\U000e0001\U000e0020-\U000e007f"  # tags, which can hide a text in a text
)
_FLAG = "\U0001f3f4[\U000e0020-\U000e007e]+\U000e007f"
NOISE = re.compile(f"[{_NOISE}]+")
"""Characters that normalisation removes."""
_FLAG_OR_NOISE = re.compile(f"({_FLAG})|{NOISE.pattern}")
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


def normalise(text: str) -> str:
    """Normalise a text for a model: as `remove_noise`, and with single spaces."""
    return " ".join(remove_noise(text).split())


def remove_noise(text: str) -> str:
    """Convert a text to NFC, and remove invisible and control characters except white space."""
    # None of them is printable, so that most texts need no closer look.
    if text.isprintable():
        return unicodedata.normalize("NFC", text)
    # A lone surrogate cannot be encoded, so that no file or response could contain it.
    plain = _LONE_SURROGATE.sub("\ufffd", _FLAG_OR_NOISE.sub(r"\1", text))
    return unicodedata.normalize("NFC", plain)


def match_key(sentence: str) -> str:
    """Return a key that sentences share if they differ only in case and outer punctuation.

    Args:
        sentence: as `normalise` returns it.
    """
    folded = sentence.casefold()
    # A sentence of punctuation is its own key: otherwise all of them would be equal.
    return folded.strip(_punctuation_and_spaces()) or folded


@cache
def _punctuation_and_spaces() -> str:
    # `str.strip` with a list of characters is five times as fast as a pattern at each end.
    every_character = "".join(map(chr, range(sys.maxunicode + 1)))
    return "".join(regex.findall(r"[\p{P}\s]+", every_character))
