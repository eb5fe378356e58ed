"""One spelling for every sentence, and the key under which near-equal sentences meet."""

import re
import unicodedata

import regex

# U+200B and U+FEFF are layout, the control characters noise. The joiners U+200C and U+200D stay:
# Indic and Persian spelling needs them.
_NOISE = re.compile("[\u200b\ufeff\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f]+")
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_OUTER_PUNCTUATION = regex.compile(r"^[\p{P}\s]+|[\p{P}\s]+$")


def normalise(text: str) -> str:
    """NFC, without zero-width and control characters, and with single spaces.

    A lone surrogate, which no file could hold, becomes U+FFFD.
    """
    plain = _LONE_SURROGATE.sub("\ufffd", _NOISE.sub("", text))
    return unicodedata.normalize("NFC", " ".join(plain.split()))


def match_key(sentence: str) -> str:
    """What two sentences share when they differ in case and outer punctuation alone.

    Args:
        sentence: as `normalise` returns it; a sentence of punctuation is its own key.
    """
    folded = sentence.casefold()
    return _OUTER_PUNCTUATION.sub("", folded) or folded
