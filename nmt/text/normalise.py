"""One spelling for every sentence, and the key under which near-equal sentences meet."""

import re
import unicodedata

import regex

# What has no shape of its own and is no part of a word's spelling. Kept, since they change what is
# read: the joiners U+200C and U+200D (Indic and Persian spelling, emoji), U+034F (Hebrew accents),
# Mongolian U+180B to U+180F, variation selectors (emoji, Han variants), signs that stand around a
# number as U+06DD, and the tags of a flag.
_NOISE = (
    "\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f"  # controls that are not white space
    "\xad"  # soft hyphen: where a line may be broken
    "\u200b\u2060\ufeff"  # the same: zero-width space, word joiner, byte-order mark
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # direction, which letters have by themselves
    "\u2061-\u2064"  # invisible operators of formulas
    "\u206a-\u206f\ufff9-\ufffb"  # deprecated formats, anchors of annotations
    "\U000e0001\U000e0020-\U000e007f"  # tags, which can hide a text in a text
)
_FLAG = "\U0001f3f4[\U000e0020-\U000e007e]+\U000e007f"
_FLAG_OR_NOISE = re.compile(f"({_FLAG})|[{_NOISE}]+")
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_OUTER_PUNCTUATION = regex.compile(r"^[\p{P}\s]+|[\p{P}\s]+$")


def normalise(text: str) -> str:
    """Write a text as a model reads it: as `without_noise`, and with single spaces."""
    return " ".join(without_noise(text).split())


def without_noise(text: str) -> str:
    """Compose a text (NFC) and leave out its invisible and control characters.

    White space stays as it is. A lone surrogate, which no file could hold, becomes U+FFFD.
    """
    plain = _LONE_SURROGATE.sub("\ufffd", _FLAG_OR_NOISE.sub(r"\1", text))
    return unicodedata.normalize("NFC", plain)


def match_key(sentence: str) -> str:
    """What two sentences share when they differ in case and outer punctuation alone.

    Args:
        sentence: as `normalise` returns it; a sentence of punctuation is its own key.
    """
    folded = sentence.casefold()
    return _OUTER_PUNCTUATION.sub("", folded) or folded
